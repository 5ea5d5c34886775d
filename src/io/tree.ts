/**
 * Findings as a tree of small files: `findings/fronts/0/arrival_s.npy`, `findings/kinetics/0/kinetics.json`.
 *
 * The tree is the folder on disk and the address anywhere else; nothing else knows how findings are written.
 * Arrays become .npy beside one .json that holds the rest; raw crops are not written.
 */
import type { Findings } from "../model/experiment.js";
import { encodeNpy, type NpyArray } from "./npy-write.js";

/** One small file: its path with forward slashes, and its bytes. */
export interface TreeFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** Findings as files below `findings/`. Maps are height x width; curves have one entry a frame or sample. */
export function* findingsTree(findings: Findings): Generator<TreeFile> {
  for (const particle of findings.particles ?? []) yield* record(`particles/${particle.id}`, particle);
  if (findings.drift !== undefined) yield* record("drift", findings.drift);
  if (findings.motion) yield* record("motion", findings.motion);
  if (findings.noise !== undefined) yield json("noise", findings.noise);
  for (const face of findings.faces ?? []) yield json(`faces/${face.particle}`, face);
  for (const trace of findings.traces ?? []) yield* record(`traces/${trace.particle}`, trace);
  for (const evenness of findings.evenness ?? []) {
    const { time_s, unevenness, expected } = evenness;
    const rows = new Float64Array(3 * time_s.length);
    rows.set(time_s);
    rows.set(unevenness, time_s.length);
    rows.set(expected, 2 * time_s.length);
    yield { path: `findings/optics/${evenness.particle}/evenness.npy`, bytes: encodeNpy(rows, [3, time_s.length]) };
  }
  for (const [index, optics] of (findings.optics ?? []).entries()) yield json(`optics/${index}`, optics);
  for (const [index, transition] of (findings.transitions ?? []).entries()) {
    yield json(`transitions/${index}`, transition);
  }
  for (const [index, one] of (findings.shiftShares ?? []).entries()) {
    yield* record(`shift/${index}`, one, [one.height, one.width]);
  }
  for (const [index, front] of (findings.fronts ?? []).entries()) {
    yield* record(`fronts/${index}`, front, [front.height, front.width]);
  }
  for (const [index, kinetics] of (findings.kinetics ?? []).entries()) {
    const { phaseFraction, cRate, ...rest } = kinetics;
    yield json(`kinetics/${index}`, rest);
    yield* record(`kinetics/${index}/phase_fraction`, phaseFraction);
    if (cRate !== null) yield* record(`kinetics/${index}/c_rate`, cRate);
  }
  for (const [index, one] of (findings.kymographs ?? []).entries()) {
    yield* record(`kymographs/${index}`, one, [one.time_s.length, one.distance_um.length]);
  }
  for (const [index, mechanism] of (findings.mechanisms ?? []).entries()) {
    yield json(`mechanisms/${index}`, mechanism);
  }
  for (const [index, repeat] of (findings.repeats ?? []).entries()) yield json(`repeats/${index}`, repeat);
  for (const [index, spread] of (findings.spreads ?? []).entries()) yield json(`spreads/${index}`, spread);
  for (const [index, domains] of (findings.domains ?? []).entries()) {
    yield* record(`domains/${index}`, domains, [domains.height, domains.width]);
  }
  for (const [index, regime] of (findings.regime ?? []).entries()) yield json(`regime/${index}`, regime);
  for (const [index, finding] of (findings.controls ?? []).entries()) yield json(`controls/${index}`, finding);
}

function* record(at: string, value: object, shape?: readonly number[]): Generator<TreeFile> {
  const rest: Record<string, unknown> = {};
  for (const [key, field] of Object.entries(value)) {
    if (ArrayBuffer.isView(field)) {
      const array = field as NpyArray;
      const size = shape?.reduce((product, n) => product * n, 1);
      const fits = size === array.length ? shape : undefined;
      yield { path: `findings/${at}/${key}.npy`, bytes: encodeNpy(array, fits ?? [array.length]) };
    } else rest[key] = field;
  }
  if (Object.keys(rest).length > 0) yield json(at, rest);
}

function json(at: string, value: object): TreeFile {
  return { path: `findings/${at}.json`, bytes: new TextEncoder().encode(`${jsonText(value)}\n`) };
}

/** JSON in which a number that is not finite is null. */
export function jsonText(value: unknown): string {
  return JSON.stringify(
    value,
    (_, field: unknown) => (typeof field === "number" && !Number.isFinite(field) ? null : field),
    2,
  );
}
