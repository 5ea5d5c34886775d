/** All groups of draws, in the order of the page; and the seeds that one base seed gives each of them. */
import { random } from "../../src/kernels/random.js";
import { controls, falseFronts } from "./controls.js";
import { arrival } from "./arrival.js";
import { domains } from "./domains.js";
import type { AccuracyGroup } from "./group.js";
import { localisation } from "./localisation.js";
import { kinetics } from "./kinetics.js";
import { mechanisms } from "./mechanisms.js";
import { crowds, outlines } from "./outlines.js";
import { noise } from "./noise.js";
import { registration } from "./registration.js";

/** By the name that `--only` takes. */
export const groups: Readonly<Record<string, AccuracyGroup>> = {
  registration: of(registration),
  noise: of(noise),
  outlines: of(outlines),
  crowds: of(crowds),
  arrival: of(arrival),
  kinetics: of(kinetics),
  localisation: of(localisation),
  domains: of(domains),
  mechanisms: of(mechanisms),
  controls: of(controls),
  "false-fronts": of(falseFronts),
};

/** A group whose draws are not told apart from others' by type: only its own `rows` reads them. */
function of<Draw>(group: AccuracyGroup<Draw>): AccuracyGroup {
  return { ...group, rows: (draws) => group.rows(draws as readonly Draw[]) };
}

/** Seeds of a group's first `count` draws: whole numbers below 2^31, from the base seed and the group's name alone. */
export function seedsOf(base: number, name: string, count: number): number[] {
  let hash = 0x811c9dc5;
  for (const letter of `${base}:${name}`) hash = Math.imul(hash ^ letter.codePointAt(0)!, 0x01000193);
  const from = random(hash);
  return Array.from({ length: count }, () => from.integer(2 ** 31));
}
