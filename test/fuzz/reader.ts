/** The process that reads what it is sent, as inspect does, and tells how that went: it may hang or die, its parent may not. */
import { memoryFolder, memorySource, type Source } from "../../src/io/bytes.js";
import { readCycling } from "../../src/io/open.js";
import { isIonoscopeError } from "../../src/model/errors.js";
import { inspect } from "../../src/operations/inspect.js";

/** A file, or the files of a folder. */
export interface Case {
  readonly name: string;
  readonly files: Readonly<Record<string, Uint8Array>>;
  readonly folder: boolean;
}

/** How reading a case ended: with facts, with a refusal, or with an error that no reader should throw. */
export interface Outcome {
  readonly kind: "read" | "refused" | "thrown";
  readonly text: string;
  /** Largest resident memory of the process so far, in bytes. */
  readonly peak_bytes: number;
}

function sourceOf({ name, files, folder }: Case): Source {
  if (folder) return memoryFolder(name, files);
  const [file] = Object.values(files);
  return memorySource(name, file!);
}

/** Reads a case wholly: facts of first and last frame or of every row, then, of a small movie, every frame. */
export async function readCase(one: Case): Promise<Outcome> {
  const told = (kind: Outcome["kind"], text: string): Outcome => ({
    kind,
    text,
    peak_bytes: process.resourceUsage().maxRSS * 1024,
  });
  try {
    const facts = await inspect(sourceOf(one));
    if (facts.kind === "movie" && facts.frames * facts.width * facts.height < 1 << 20) {
      await inspect(sourceOf(one), { full: true });
    }
    if (facts.kind === "movie" && facts.format === "hdf5") {
      await readCycling([sourceOf(one)], { potentiostatRows: ["time_s", "potential_V", "current_mA"] }).catch(onlyOurs);
    }
    const odd = facts.warnings.find((warning) => !isSentence(warning));
    if (odd !== undefined) return told("thrown", `a warning that is no sentence: ${odd}`);
    return told("read", `${facts.kind} ${facts.format}`);
  } catch (error) {
    if (isIonoscopeError(error)) {
      const { message } = error;
      return isSentence(message) ? told("refused", message) : told("thrown", `a refusal that is no line: ${message}`);
    }
    return told("thrown", error instanceof Error ? `${error.name}: ${error.message}\n${error.stack}` : String(error));
  }
}

/** One line of printable text, not too long for a terminal's window. */
function isSentence(text: string): boolean {
  // oxlint-disable-next-line no-control-regex
  return text.length <= 2000 && !/[\u0000-\u001f]/.test(text);
}

function onlyOurs(error: unknown): void {
  if (!isIonoscopeError(error)) throw error;
}

process.on("message", (one: Case) => {
  void readCase(one).then((outcome) => process.send?.(outcome));
});
