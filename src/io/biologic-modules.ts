/**
 * The modules of a BioLogic .mpr: how its frames, before and since EC-Lab 11.50, follow each other. Little-endian.
 *
 *     0   "BIO-LOGIC MODULAR FILE" 0x1a, blanks to byte 48, four zero bytes; modules from byte 52 to the end
 *
 *     from "MODULE"   before 11.50                     since 11.50
 *      6              short name, 10 characters        the same
 *     16              long name, 25 characters         the same
 *     41              u32 bytes of the body            u32 0xffffffff
 *     45              u32 version                      u32 bytes of the body
 *     49              date, 8 characters; body at 57   u32 old version, u32 new version
 *     57                                               date, 8 characters; body at 65
 *
 * The dates are month, day and two digits of the year, with separators of the computer's: they give no start.
 */
import { readBytes, type ByteSource } from "./bytes.js";

const MAGIC = "BIO-LOGIC MODULAR FILE\x1a";

/** Where the first module begins. */
export const FIRST_MODULE = 52;

/** So many modules are looked at; EC-Lab writes five at most. */
const MODULES = 64;

/** One module, by its frame. */
export interface MprModule {
  readonly name: string;
  /** Where the body begins in the file. */
  readonly body: number;
  /** Bytes of the body that the frame promises. */
  readonly length: number;
  /** Bytes of it that the file has. */
  readonly present: number;
  /** Version in the frame before 11.50; 0 in the frame since. */
  readonly version: number;
  readonly newFrame: boolean;
}

/** Whether a file's first bytes are those of an .mpr. */
export function sniffMpr(head: Uint8Array): boolean {
  return MAGIC === String.fromCharCode(...head.subarray(0, MAGIC.length));
}

/** Walks the modules; stops with a sentence where the file ends or something else stands in a module's place. */
export async function readModules(source: ByteSource, say: (sentence: string) => void): Promise<MprModule[]> {
  const modules: MprModule[] = [];
  let at = FIRST_MODULE;
  while (at < source.size && modules.length < MODULES) {
    const frame = await readBytes(source, at, 65);
    if (frame.length < 57 || latin(frame, 0, 6) !== "MODULE") {
      const what = frame.length < 57 ? "the file was cut" : "there is no module";
      say(`${what} at byte ${at}: what follows was not read.`);
      break;
    }
    const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
    const newFrame = view.getUint32(41, true) === 0xffffffff;
    const length = view.getUint32(newFrame ? 45 : 41, true);
    const body = at + (newFrame ? 65 : 57);
    modules.push({
      name: latin(frame, 6, 16).trim(),
      body,
      length,
      present: Math.max(0, Math.min(length, source.size - body)),
      version: newFrame ? 0 : view.getUint32(45, true),
      newFrame,
    });
    at = body + length;
    if (at > source.size && modules.at(-1)!.name !== "VMP data") {
      say(`the file was cut inside its module ${modules.at(-1)!.name}.`);
    }
  }
  return modules;
}

function latin(bytes: Uint8Array, from: number, to: number): string {
  return String.fromCharCode(...bytes.subarray(from, to));
}

/** A text with its length in one byte before it, in cp1252; "" where it is empty or reaches past `bytes`. */
export function pascalText(bytes: Uint8Array, at: number): string {
  const length = bytes[at] ?? 0;
  if (at + 1 + length > bytes.length) return "";
  return new TextDecoder("windows-1252").decode(bytes.subarray(at + 1, at + 1 + length)).replace(/\0[^]*$/, "");
}
