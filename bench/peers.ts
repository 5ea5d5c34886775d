/** Others' tools on the same work: found when they are asked for, "not installed" otherwise. One thread each. */
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import type { Bound, Peer } from "./row.js";

const run = promisify(execFile);
/** A peer that takes longer is given up, in ms. */
const MOST_MS = 240_000;
const ONE_THREAD = {
  OMP_NUM_THREADS: "1",
  OPENBLAS_NUM_THREADS: "1",
  MKL_NUM_THREADS: "1",
  OPENCV_FOR_THREADS_NUM: "1",
};

/** Beside this program's sources, wherever the compiled program lies. */
function sourceOf(name: string): string {
  for (let folder = import.meta.dirname; ; folder = path.dirname(folder)) {
    const file = path.join(folder, "bench", "peers", name);
    if (existsSync(file)) return file;
    if (folder === path.dirname(folder)) throw new Error(`bench/peers/${name} is not there. Run in a checkout.`);
  }
}

/** What a Python program of bench/peers/ prints as JSON; null where Python or what it needs is not installed. */
export async function python(name: string, args: readonly string[]): Promise<unknown> {
  const program = process.env["IONOSCOPE_PYTHON"] ?? "python3";
  return answer(program, [sourceOf(name), ...args]);
}

async function answer(program: string, args: readonly string[]): Promise<unknown> {
  try {
    const options = { env: { ...process.env, ...ONE_THREAD }, timeout: MOST_MS, maxBuffer: 2 ** 26 };
    return JSON.parse((await run(program, args, options)).stdout) as unknown;
  } catch (error) {
    unheard(path.basename(args.find((arg) => arg.endsWith(".py")) ?? program), error);
    return null;
  }
}

/** Says on standard error why a peer is left out. */
function unheard(name: string, error: unknown): void {
  const said = error instanceof Error ? error.message.trim().split("\n").at(-1)! : String(error);
  console.error(`${name} is left out: ${said}`);
}

type Times = Readonly<Record<string, readonly number[]>>;

/** Times in ms of native.c, by "work side"; null where gcc or FFTW is not installed. */
async function nativeTimes(runs: number): Promise<Times | null> {
  const folder = mkdtempSync(path.join(tmpdir(), "ionoscope-bench-"));
  try {
    const program = path.join(folder, "native");
    const flags = ["-O3", "-march=native", "-ffast-math"];
    await run("gcc", [...flags, "-o", program, sourceOf("native.c"), "-lfftw3f", "-lm"], { timeout: MOST_MS });
    return (await answer(program, [String(runs)])) as Times | null;
  } catch (error) {
    unheard("native.c", error);
    return null;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Kernels by other tools, measured once in a run of the benches. */
export interface KernelPeers {
  /** Of some work ("transform", "light", "differential", "spline", "blur", "stencil") at a side; C first. */
  of(work: string, side: number, wantedOfC?: Bound): Peer[];
}

const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  transform: ["numpy rfft2", "scipy rfft2", "OpenCV dft"],
  light: ["numpy"],
  differential: ["numpy"],
  spline: ["scipy ndimage.shift", "OpenCV warpAffine, cubic"],
  blur: ["scipy gaussian_filter", "OpenCV GaussianBlur"],
  stencil: ["numpy"],
};

let made: Promise<KernelPeers> | undefined;

export function kernelPeers(runs: number): Promise<KernelPeers> {
  made ??= measured(runs);
  return made;
}

async function measured(runs: number): Promise<KernelPeers> {
  const native = await nativeTimes(runs);
  const packages = (await python("kernels.py", [String(runs)])) as Record<string, Times> | null;
  return {
    of(work, side, wanted) {
      const own = native?.[`${work} ${side}`] ?? null;
      const c = work === "transform" ? "C, FFTW" : "C";
      const peers: Peer[] = [wanted === undefined ? { name: c, values: own } : { name: c, values: own, wanted }];
      for (const name of PACKAGES[work] ?? [])
        peers.push({ name, values: packages?.[`${work} ${side}`]?.[name] ?? null });
      return peers;
    },
  };
}
