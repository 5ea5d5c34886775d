/** What an operation is: a name, parameters with their words, what it takes, what it gives, and the function that does it. */
import type { z } from "zod";
import type { Hire } from "../analysis/crew.js";
import type { MakeStore } from "../analysis/raw-store.js";
import type { DoTask } from "./tasks.js";
import type { Experiment, Findings } from "../model/experiment.js";

/** Everything a step may take: the experiment and what earlier steps have found. */
export type River = { readonly experiment: Experiment } & Required<Findings>;

/** What a step is told beside its parameters. */
export interface Context {
  readonly signal?: AbortSignal | undefined;
  /** Called as work is done; `total` is 0 where it is not known. */
  readonly progress: (done: number, total: number) => void;
  /** A sentence for the user, kept in the summary and the report. */
  readonly warn: (sentence: string) => void;
  /** Ground that crops will keep around outlines, so that whoever sees every frame may cut them. */
  readonly ring_um?: number | undefined;
  /** Where the work is done. */
  readonly workshop?: Workshop | undefined;
}

/** Who works, and where large things are laid; by default this thread and memory. */
export interface Workshop {
  readonly hire?: Hire | undefined;
  readonly store?: MakeStore | undefined;
  readonly doTask?: DoTask | undefined;
  /** Tasks that may be at work at once. */
  readonly hands?: number | undefined;
}

/** One step of the river. */
export interface Operation<
  Name extends string = string,
  Params extends z.ZodObject = z.ZodObject,
  Takes extends keyof River = keyof River,
  Gives extends keyof Findings = keyof Findings,
> {
  readonly name: Name;
  /** One sentence. */
  readonly summary: string;
  /** Each parameter with a default and a description; a number with a dimension bears its unit in its name. */
  readonly params: Params;
  readonly takes: readonly Takes[];
  readonly gives: readonly Gives[];
  /** Throws ParameterError for parameters that the schema lets pass and that make no sense together. */
  readonly check?: (params: z.infer<Params>) => void;
  readonly run: (
    river: Pick<River, Takes>,
    params: z.infer<Params>,
    context: Context,
  ) => Pick<Required<Findings>, Gives> | Promise<Pick<Required<Findings>, Gives>>;
}

/**
 * Declares an operation. The compiler refuses one that reads what it does not take or gives what it does not promise.
 */
export function operation<
  const Name extends string,
  Params extends z.ZodObject,
  const Takes extends keyof River,
  const Gives extends keyof Findings,
>(declared: Operation<Name, Params, Takes, Gives>): Operation<Name, Params, Takes, Gives> {
  return declared;
}
