/** Programs of node as processes of their own: how long they take, and how much memory they hold at most. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";

/** What a process took. */
export interface Took {
  readonly wall_s: number;
  /** Most memory resident at once, MB; of all its threads. */
  readonly peak_MB: number;
  readonly stdout: string;
}

/** Said by the process itself as it ends, on standard error; threads end too, so the greatest counts. */
const SAYS_PEAK = `data:text/javascript,${encodeURIComponent(
  'import { writeSync } from "node:fs"; process.on("exit", () => writeSync(2, `\\nPEAK ${process.resourceUsage().maxRSS}\\n`));',
)}`;

/** Runs node with a program and its arguments; throws where it ends otherwise than well, or is not done after `most_s`. */
export function nodeProcess(args: readonly string[], most_s = 280): Promise<Took> {
  const from = performance.now();
  const child = spawn(process.execPath, ["--import", SAYS_PEAK, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const timer = setTimeout(() => child.kill("SIGKILL"), 1000 * most_s);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status, signal) => {
      clearTimeout(timer);
      const wall_s = (performance.now() - from) / 1000;
      const said = stderr.replaceAll(/^PEAK \d+$/gm, "").trim();
      const kB = Array.from(stderr.matchAll(/^PEAK (\d+)$/gm), ([, peak]) => Number(peak));
      if (status === 0) resolve({ wall_s, peak_MB: (Math.max(0, ...kB) * 1024) / 1e6, stdout });
      else reject(new Error(`${path.basename(args[0]!)} ended with ${status ?? signal}: ${said}`));
    });
  });
}

/** The built command line; throws where it is not built. */
export function commandLine(): string {
  const main = path.resolve("dist/cli/main.js");
  if (!existsSync(main)) throw new Error(`${main} is not there. Run npm run build first, in the checkout.`);
  return main;
}
