/** Measurements on one particle or one window, as tasks that a thread can be given: plain data in, plain data out. */
import { measureDomains } from "../analysis/domains.js";
import { explainFront } from "../analysis/explained.js";
import { mapFront } from "../analysis/fronts.js";
import { measureKinetics } from "../analysis/kinetics.js";
import { kymograph } from "../analysis/kymograph.js";
import { classifyMechanism } from "../analysis/mechanisms.js";
import { shiftShare } from "../analysis/shift-share.js";
import { findTransitions } from "../analysis/transitions.js";
import type { FrontMap, Transition } from "../model/experiment.js";
import type { Stack } from "../model/movie.js";

/** Options of a function that takes them last. */
export type Last<F extends (...given: never[]) => unknown> = Parameters<F> extends [...unknown[], infer O] ? O : never;

/** A window and the frames about it. */
export interface Seen {
  readonly stack: Stack;
  readonly transition: Transition;
}

export const tasks = {
  windows: (given: {
    readonly stack: Stack;
    readonly mask: Uint8Array;
    readonly options: Last<typeof findTransitions>;
  }) => findTransitions(given.stack, given.mask, given.options),

  share: ({ stack, transition, options }: Seen & { readonly options: Last<typeof shiftShare> }) =>
    shiftShare(stack, transition, options),

  front({ stack, transition, options }: Seen & { readonly options: Last<typeof mapFront> }): FrontMap | null {
    const map = mapFront(stack, transition, options);
    return map === null ? null : { ...map, explained_by: explainFront(stack, map, options.psf_um) };
  },

  kinetics: ({ front, options }: { readonly front: FrontMap; readonly options: Last<typeof measureKinetics> }) =>
    measureKinetics(front, options),

  kymograph: ({ stack, transition, options }: Seen & { readonly options: Last<typeof kymograph> }) =>
    kymograph(stack, transition, options),

  mechanism: ({ front, psf_um }: { readonly front: FrontMap; readonly psf_um: number }) =>
    classifyMechanism(front, { psf_um }),

  domains: ({ stack, options }: { readonly stack: Stack; readonly options: Last<typeof measureDomains> }) =>
    measureDomains(stack, options),
};

export type Tasks = typeof tasks;
export type TaskName = keyof Tasks;
export type Given<Name extends TaskName> = Parameters<Tasks[Name]>[0];
export type Done<Name extends TaskName> = ReturnType<Tasks[Name]>;

/** Does a task somewhere. */
export type DoTask = <Name extends TaskName>(
  name: Name,
  given: Given<Name>,
  signal?: AbortSignal | undefined,
) => Promise<Done<Name>>;

/** Does a task in this thread. */
export const doHere: DoTask = <Name extends TaskName>(name: Name, given: Given<Name>): Promise<Done<Name>> => {
  const task = tasks[name] as (of: Given<Name>) => Done<Name>;
  return Promise.resolve(task(given));
};
