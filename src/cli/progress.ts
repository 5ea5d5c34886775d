/** Progress on standard error: a bar on a terminal, one line a step otherwise. */
import type cliProgress from "cli-progress";

/** What is told while a run goes on. */
export interface Reporter {
  /** `each_bytes`: what one of them holds, where they are frames that are read. */
  step(name: string, done: number, total: number, each_bytes?: number): void;
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
  let begun = { at: 0, ms: 0 };
  const stop = (): void => {
    bar?.stop();
    bar = null;
  };
  return {
    step(name, done, total, each_bytes) {
      if (total <= 0) return;
      const now = performance.now();
      if (bar === null || at !== name) {
        stop();
        at = name;
        begun = { at: done, ms: now };
        bar = new progress.SingleBar({
          format: `${name.padEnd(12)} {bar} {percentage} % | {value}/{total}{pace} | {eta_formatted} left`,
          stream: process.stderr,
          hideCursor: true,
          clearOnComplete: true,
        });
        bar.start(total, done, { pace: "" });
      } else bar.update(done, { pace: paceOf(done - begun.at, now - begun.ms, each_bytes) });
    },
    done(name, sentence) {
      stop();
      line(name, sentence);
    },
    stop,
  };
}

/** " | 812 frames/s, 426 MB/s"; nothing where they are no frames, or too few to tell. */
function paceOf(done: number, ms: number, each_bytes?: number): string {
  if (each_bytes === undefined || !(ms > 200)) return "";
  const rate = (1000 * done) / ms;
  return ` | ${rate.toFixed(rate < 10 ? 1 : 0)} frames/s, ${((rate * each_bytes) / 1e6).toPrecision(3)} MB/s`;
}
