/** What the threads of a pool do; see pool.node.ts. */
import {
  type Ground,
  type LaidFrame,
  type Layer,
  layFrames,
  newLayer,
  releaseLayer,
  type Wanted,
} from "../analysis/laid-frames.js";
import type { Sight } from "../analysis/registration.js";
import { doHere, type Given, type TaskName } from "./tasks.js";

/** Does a task by its name. */
export function task<Name extends TaskName>({ name, given }: { readonly name: Name; readonly given: Given<Name> }) {
  return doHere(name, given);
}

let held: { readonly id: number; readonly layer: Layer } | null = null;

/** Lays frames on a ground; arrays for one sight are kept from call to call. */
export function lay({
  id,
  sight,
  ground,
  frames,
  guess,
}: {
  /** Tells this sight from others. */
  readonly id: number;
  readonly sight: Sight;
  readonly ground: Ground;
  readonly frames: readonly Wanted[];
  readonly guess: readonly [number, number];
}): (LaidFrame | null)[] {
  if (held?.id !== id) {
    if (held !== null) releaseLayer(held.layer);
    held = { id, layer: newLayer(sight) };
  }
  return layFrames(held.layer, ground, frames, guess);
}
