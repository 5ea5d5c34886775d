/** Progress on standard error: a bar on a terminal, one line a step otherwise. */
import type cliProgress from "cli-progress";

/** What is told while a run goes on. */
export interface Reporter {
  step(name: string, done: number, total: number): void;
  /** The step is done. */
  done(name: string, sentence: string): void;
  stop(): void;
}

/** A reporter for standard error; a silent one when quiet. */
export async function reporter(quiet: boolean): Promise<Reporter> {
  if (quiet) return { step() {}, done() {}, stop() {} };
  const started = Date.now();
  const line = (name: string, sentence: string): void => {
    const seconds = ((Date.now() - started) / 1000).toFixed(1);
    process.stderr.write(`${name.padEnd(12)} ${sentence} (${seconds} s)\n`);
  };
  if (!process.stderr.isTTY) return { step() {}, done: line, stop() {} };

  const { default: progress } = await import("cli-progress");
  let bar: cliProgress.SingleBar | null = null;
  let at = "";
  const stop = (): void => {
    bar?.stop();
    bar = null;
  };
  return {
    step(name, done, total) {
      if (total <= 0) return;
      if (bar === null || at !== name) {
        stop();
        at = name;
        bar = new progress.SingleBar({
          format: `${name.padEnd(12)} {bar} {percentage} % | {value}/{total} | {eta_formatted} left`,
          stream: process.stderr,
          hideCursor: true,
          clearOnComplete: true,
        });
        bar.start(total, done);
      } else bar.update(done);
    },
    done(name, sentence) {
      stop();
      line(name, sentence);
    },
    stop,
  };
}
