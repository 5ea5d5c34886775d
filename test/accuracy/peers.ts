/** Customary methods on the same movies: what they say beside what ionoscope says. */
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { estimateDrift } from "../../src/analysis/drift.js";
import { mapFront } from "../../src/analysis/fronts.js";
import { findParticles } from "../../src/analysis/particles.js";
import { referenceImage } from "../../src/analysis/reference.js";
import { encodeNpy, type NpyArray } from "../../src/io/npy-write.js";
import { maskOfPolygon } from "../../src/kernels/polygon.js";
import { random } from "../../src/kernels/random.js";
import { madSigma, median, quantile } from "../../src/kernels/stats.js";
import { experimentOf } from "../../src/operations/twin.js";
import { twin } from "../../src/physics/twin.js";
import { carbonScene } from "../carbon-scene.js";
import { drawnFront } from "./drawn-front.js";
import { keptMovie } from "./kept-movie.js";
import { outlineScene } from "./outlines.js";
import type { FailedDraw, SideTable } from "./page.js";
import { registrationScenario } from "./registration.js";

/** What one method says of one movie; figures by name. */
interface Said {
  readonly method: string;
  readonly figures: Readonly<Record<string, number | null>>;
}

/** What came of one movie. */
export interface PeerDraw {
  readonly kind: Kind;
  readonly ours: Said;
  /** Null where Python with what is needed was not found. */
  readonly peers: readonly Said[] | null;
}

const KINDS = ["registration", "plane", "ring", "outlines"] as const;
type Kind = (typeof KINDS)[number];

const PSF_UM = 0.118;
const OURS = "**ionoscope**";
/** Overlap from which a crystal counts as found. */
const FOUND_IOU = 0.5;
const MOST_BYTES = 64 * 2 ** 20;
const run = promisify(execFile);

/** Movies for the table; `python` is what it runs with. */
export const peers = {
  draws: 40,
  cost_s: 9,
  draw: peerDraw,
  table: tableOfPeers,
} as const;

/** Draws a movie of any kind and asks all methods that there are. */
export async function peerDraw(seed: number): Promise<PeerDraw> {
  const kind = KINDS[random(seed).integer(KINDS.length)]!;
  if (kind === "registration") return registrationDraw(seed);
  if (kind === "outlines") return outlinesDraw(seed);
  return arrivalDraw(seed, kind);
}

async function registrationDraw(seed: number): Promise<PeerDraw> {
  const made = twin(registrationScenario(seed), seed);
  const { blackLevel, acquisition, width, height, frames } = made;
  const movie = keptMovie(experimentOf(made).movie);
  const image = await referenceImage(movie, { frames: 8, blackLevel });
  const particles = findParticles(image, { minDiameter_um: 1.5, psf_um: PSF_UM, region_px: null });
  const drift = await estimateDrift(movie, particles, { blackLevel, region_px: null, psf_um: PSF_UM });
  const error_px = (x: ArrayLike<number>, y: ArrayLike<number>): number => {
    let squares = 0;
    for (let at = 0; at < frames; at++)
      squares += (x[at]! - acquisition.x_px[at]!) ** 2 + (y[at]! - acquisition.y_px[at]!) ** 2;
    return Math.sqrt(squares / (2 * frames));
  };
  const all = new Uint16Array(frames * width * height);
  const samples = new Uint16Array(width * height);
  for (let frame = 0; frame < frames; frame++) {
    await movie.read(frame, samples);
    all.set(samples, frame * samples.length);
  }
  const told = await asked<Record<string, [number, number][]>>(
    { kind: "registration", blackLevel },
    { movie: [all, [frames, height, width]] },
  );
  return {
    kind: "registration",
    ours: { method: OURS, figures: { rms_px: error_px(drift.x_px, drift.y_px) } },
    peers:
      told &&
      Object.entries(told.answer).map(([method, shifts]) => ({
        method,
        figures: {
          rms_px: error_px(
            shifts.map(([x]) => x),
            shifts.map(([, y]) => y),
          ),
        },
      })),
  };
}

async function arrivalDraw(seed: number, kind: "plane" | "ring"): Promise<PeerDraw> {
  const drawn = drawnFront({
    seed,
    kinds: [kind === "plane" ? "plane" : "core"],
    radius_um: [1.8, 2.8],
    speed_nm_s: [12, 50],
    faster: [1, 1],
    psf_um: PSF_UM,
    noise: 0.005,
    step: 0.12,
    line: [0.2, 1],
    slope_per_s: [1e-4, 3e-4],
  });
  const { stack, mask, arrival_s, interval_s } = drawn;
  const front = mapFront(stack, drawn.window, {
    particle: 0,
    transition: 0,
    mask,
    origin_px: [0, 0],
    estimator: "step+line",
    lag_s: null,
    psf_um: PSF_UM,
  });
  const inside = [...mask.keys()].filter((at) => mask[at] === 1);
  const figuresOf = (found_s: (k: number) => number | null): Said["figures"] => {
    const errors = inside.map((at, k) => (found_s(k) ?? NaN) - arrival_s[at]!).filter(Number.isFinite);
    return {
      bias: errors.length > 0 ? median(errors) / interval_s : null,
      scatter: errors.length > 0 ? madSigma(errors) / interval_s : null,
    };
  };
  const { width, height, time_s, data } = stack;
  const told = await asked<Record<string, (number | null)[]>>(
    { kind: "arrival", time_s: [...time_s], lag_frames: 4 },
    { movie: [data, [time_s.length, height, width]], mask: [mask, [height, width]] },
  );
  return {
    kind,
    ours: { method: OURS, figures: figuresOf((k) => front?.arrival_s[inside[k]!] ?? null) },
    peers:
      told &&
      Object.entries(told.answer).map(([method, arrivals]) => ({
        method,
        figures: figuresOf((k) => arrivals[k] ?? null),
      })),
  };
}

async function outlinesDraw(seed: number): Promise<PeerDraw> {
  const scene = outlineScene(seed, [0.05, 0.3]);
  const image = carbonScene(scene);
  const { width, height, pixelSize_um, data } = image;
  const truths = scene.crystals.map(({ outline_px }) => maskOfPolygon(outline_px, width, height));
  const figuresOf = (masks: readonly Uint8Array[]): Said["figures"] => {
    const best = truths.map((truth) => Math.max(0, ...masks.map((mask) => shareOf(mask, truth))));
    const own = masks.filter((mask) => truths.some((truth) => shareOf(mask, truth) >= FOUND_IOU)).length;
    return {
      crystals: truths.length,
      found: best.filter((iou) => iou >= FOUND_IOU).length,
      extra: masks.length - own,
      iou: median(best),
    };
  };
  const particles = findParticles(image, { minDiameter_um: 1.5, psf_um: PSF_UM, region_px: null });
  const told = await asked<Record<string, string>>(
    { kind: "outlines", pixelSize_um },
    { movie: [data, [height, width]] },
    (folder, file) => labelMasks(readFileSync(path.join(folder, file))),
  );
  return {
    kind: "outlines",
    ours: {
      method: OURS,
      figures: figuresOf(particles.map(({ outline_px }) => maskOfPolygon(outline_px, width, height))),
    },
    peers: told && Object.keys(told.answer).map((method) => ({ method, figures: figuresOf(told.files.get(method)!) })),
  };
}

function labelMasks(bytes: Uint8Array): Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const masks = new Map<number, Uint8Array>();
  for (let at = 0; at < bytes.byteLength / 4; at++) {
    const label = view.getInt32(4 * at, true);
    if (label === 0) continue;
    if (!masks.has(label)) masks.set(label, new Uint8Array(bytes.byteLength / 4));
    masks.get(label)![at] = 1;
  }
  return [...masks.values()];
}

function shareOf(a: Uint8Array, b: Uint8Array): number {
  let [shared, joint] = [0, 0];
  for (let at = 0; at < a.length; at++) {
    shared += a[at]! & b[at]!;
    joint += a[at]! | b[at]!;
  }
  return joint > 0 ? shared / joint : 0;
}

/** Asks the Python program; null where there is none. `read` makes something of a file that an answer names. */
async function asked<Answer extends object>(
  task: object,
  arrays: Readonly<Record<string, readonly [NpyArray, readonly number[]]>>,
  read?: (folder: string, file: string) => Uint8Array[],
): Promise<{ answer: Answer; files: Map<string, Uint8Array[]> } | null> {
  if ((await pythonVersions()) === null) return null;
  const folder = mkdtempSync(path.join(tmpdir(), "ionoscope-peers-"));
  try {
    writeFileSync(path.join(folder, "task.json"), JSON.stringify(task));
    for (const [name, [data, shape]] of Object.entries(arrays))
      writeFileSync(path.join(folder, `${name}.npy`), encodeNpy(data, shape));
    const { stdout } = await run(PYTHON, [programme(), folder], { maxBuffer: MOST_BYTES });
    const answer = JSON.parse(stdout) as Answer;
    const files = new Map(
      read === undefined ? [] : Object.entries(answer).map(([method, file]) => [method, read(folder, file as string)]),
    );
    return { answer, files };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const PYTHON = process.env["IONOSCOPE_PYTHON"] ?? "python3";
let versions: Promise<Readonly<Record<string, string | null>> | null> | null = null;

/** Versions of the packages that the peers need; null where Python or one that is needed is not found. */
export function pythonVersions(): Promise<Readonly<Record<string, string | null>> | null> {
  versions ??= run(PYTHON, [programme()]).then(
    ({ stdout }) => JSON.parse(stdout) as Record<string, string | null>,
    () => null,
  );
  return versions;
}

/** The Python program beside the source of this file, wherever this was compiled to. */
function programme(): string {
  for (let folder = import.meta.dirname; ; folder = path.dirname(folder)) {
    const file = path.join(folder, "test", "accuracy", "peers.py");
    if (existsSync(file)) return file;
    if (path.dirname(folder) === folder) throw new Error("test/accuracy/peers.py is not found above this program");
  }
}

const measured: Readonly<Record<Kind, string>> = {
  registration: "drift, rms error / px: median movie, worst",
  plane: "arrival of a plane front, |bias|, scatter / frame: median movie, worst",
  ring: "arrival of a closing ring, |bias|, scatter / frame: median movie, worst",
  outlines: "crystals found, extra, shared over joint area: median, lowest image",
};

/** All methods beside one another. */
function tableOfPeers(
  draws: readonly PeerDraw[],
  failed: readonly FailedDraw[],
  python: Readonly<Record<string, string | null>> | null,
): SideTable {
  const names = python === null ? [] : Object.entries(python).filter(([, version]) => version !== null);
  const rows = KINDS.flatMap((kind) => {
    const own = draws.filter((draw) => draw.kind === kind);
    if (own.length === 0) return [];
    const methods = new Map<string, Said["figures"][]>();
    for (const { ours, peers } of own) {
      for (const { method, figures } of [ours, ...(peers ?? [])])
        methods.set(method, [...(methods.get(method) ?? []), figures]);
    }
    const lines = [...methods].map(([method, figures]) => [
      measured[kind],
      method,
      said(kind, figures),
      String(figures.length),
    ]);
    return own.some(({ peers }) => peers === null)
      ? [...lines, [measured[kind], "methods in Python", "not run", "0"]]
      : lines;
  });
  return {
    title: "Beside customary methods",
    about: `The same movies, drawn as above (fronts at 12 to 50 nm/s, half of them with a bright boundary, 0.5 % noise; carbon up to 0.3 of the step beside crystals), given to methods that are in use, as they come. ${
      names.length > 0
        ? `Run with ${names.map(([name, version]) => `${name} ${version}`).join(", ")}${python?.["sep"] === null ? "; sep was not found, and was not run" : ""}.`
        : "Python with numpy, scipy and scikit-image was not found, and their methods were not run (IONOSCOPE_PYTHON names one)."
    } A crystal counts as found where an area shares half of their joint area; other areas of 1 um^2 and more are extra.${
      failed.length > 0
        ? ` ${failed.length} draws failed, the first with seed ${failed[0]!.seed}: ${failed[0]!.why}.`
        : ""
    }`,
    columns: ["measured", "method", "result", "movies"],
    rows,
  };
}

function said(kind: Kind, figures: readonly Said["figures"][]): string {
  const of = (name: string): number[] => figures.flatMap((one) => (typeof one[name] === "number" ? [one[name]] : []));
  const most = (values: readonly number[]): number => Math.max(...values);
  const sum = (name: string): number => of(name).reduce((total, value) => total + value, 0);
  if (kind === "registration") {
    const rms = of("rms_px");
    return `${median(rms).toFixed(4)}, ${most(rms).toFixed(4)}`;
  }
  if (kind === "outlines") {
    return `${sum("found")} of ${sum("crystals")}, ${sum("extra")} extra, ${median(of("iou")).toFixed(3)}, ${quantile(of("iou"), 0).toFixed(3)}`;
  }
  const bias = of("bias").map(Math.abs);
  const scatter = of("scatter");
  if (bias.length === 0) return "none";
  return `${median(bias).toFixed(2)}, ${median(scatter).toFixed(2)}; ${most(bias).toFixed(2)}, ${most(scatter).toFixed(2)}`;
}
