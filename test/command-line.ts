/** The built command line as a process, as a user runs it. */
import { spawn } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

const main = path.resolve(import.meta.dirname, "..", "dist", "cli", "main.js");

/** What a run of the command left. */
export interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** The last line of standard error that says anything. */
  readonly lastLine: string;
  readonly wall_s: number;
}

/** Runs `ionoscope ...args`; it is interrupted, or nobody reads what it says on standard error any more, after so long. */
export function ionoscope(
  args: readonly string[],
  options: { cwd?: string; interruptAfter_s?: number; deafAfter_s?: number } = {},
): Promise<Ran> {
  const started = Date.now();
  const child = spawn(process.execPath, [main, ...args], { cwd: options.cwd, stdio: ["ignore", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  if (options.deafAfter_s !== undefined) setTimeout(() => child.stderr.destroy(), 1000 * options.deafAfter_s);
  const timer =
    options.interruptAfter_s === undefined
      ? null
      : setTimeout(() => child.kill("SIGINT"), 1000 * options.interruptAfter_s);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status) => {
      if (timer !== null) clearTimeout(timer);
      const lines = stderr.split(/\r?\n/).filter((line) => line.trim() !== "");
      resolve({ status, stdout, stderr, lastLine: lines.at(-1) ?? "", wall_s: (Date.now() - started) / 1000 });
    });
  });
}

/** A folder of its own for one test file. */
export function scratchFolder(): string {
  return mkdtempSync(path.join(tmpdir(), "ionoscope-test-"));
}
