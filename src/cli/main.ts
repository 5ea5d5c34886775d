#!/usr/bin/env node
/** The command line: argv to a command, an exit status from what happened. */
import { isIonoscopeError } from "../model/errors.js";
import { commandNamed, overview } from "./commands.js";
import { version } from "../operations/version.js";

/** Exit statuses: 0 done, 1 our own fault, 2 the wish is wrong, 3 the file is wrong, 130 stopped by Ctrl-C. */
async function main(argv: readonly string[]): Promise<number> {
  const debug = argv.includes("--debug");
  const args = argv.filter((arg) => arg !== "--debug");
  const stop = new AbortController();
  const interrupt = (): void => {
    // A second Ctrl-C ends at once.
    if (stop.signal.aborted) process.exit(130);
    stop.abort(new DOMException("stopped by the user", "AbortError"));
  };
  process.on("SIGINT", interrupt);
  process.on("SIGTERM", interrupt);
  try {
    const [name, ...rest] = args;
    if (name === undefined || name === "--help" || name === "-h" || name === "help") {
      process.stdout.write(overview());
      return 0;
    }
    if (name === "--version" || name === "-v") {
      process.stdout.write(`${version}\n`);
      return 0;
    }
    const command = await commandNamed(name);
    await command(rest, stop.signal);
    return 0;
  } catch (error) {
    return told(error, debug, stop.signal.aborted);
  } finally {
    process.off("SIGINT", interrupt);
    process.off("SIGTERM", interrupt);
  }
}

function told(error: unknown, debug: boolean, aborted: boolean): number {
  if (debug && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  if (aborted) {
    process.stderr.write("stopped; nothing half-made is left.\n");
    return 130;
  }
  if (isIonoscopeError(error)) {
    process.stderr.write(`${oneLine(error.message)}\n`);
    return error.name === "ParameterError" ? 2 : 3;
  }
  const system = systemSentence(error);
  if (system !== null) {
    process.stderr.write(`${system}\n`);
    return 1;
  }
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`internal error: ${oneLine(message)}. Run again with --debug and send us what it prints.\n`);
  return 1;
}

function systemSentence(error: unknown): string | null {
  const { code, path } = error as NodeJS.ErrnoException;
  const where = path === undefined ? "" : ` at ${path}`;
  if (code === "ENOSPC") return `the disk is full${where}. Free some space or give another --out.`;
  if (code === "EACCES" || code === "EPERM" || code === "EROFS") {
    return `writing is not permitted${where}. Give another --out, or mend the permissions.`;
  }
  return null;
}

function oneLine(text: string): string {
  return text.replaceAll(/\s*[\r\n]+\s*/g, " ");
}

// A reader that closes early, as in `ionoscope formats | head`, is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
});

// Progress that nobody reads any more must not end an analysis.
process.stderr.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
});

process.exitCode = await main(process.argv.slice(2));
