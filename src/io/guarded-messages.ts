/** What crosses between the reader's thread and the caller: calls, movies without their functions, errors whole. */
import { FormatError, ParameterError } from "../model/errors.js";
import type { CyclingFile, OtherFile } from "../model/cycling.js";
import type { Dataset, MovieFile } from "../model/movie.js";
import type { OpenOptions } from "./open.js";

/** What may be asked of the reader's thread. Movies are named by the number under which they were opened. */
export type Call =
  | { readonly what: "open"; readonly name: string; readonly options: OpenOptions }
  | { readonly what: "movie"; readonly name: string; readonly options: OpenOptions }
  | { readonly what: "cycling"; readonly names: readonly string[]; readonly options: OpenOptions }
  | { readonly what: "dataset"; readonly movie: number }
  | { readonly what: "read"; readonly movie: number; readonly index: number; readonly into: SharedArrayBuffer }
  | { readonly what: "close"; readonly movie: number };

/** A movie's facts; its frames are asked for by its number. */
export interface ToldMovie {
  readonly number: number;
  readonly facts: Omit<MovieFile, "read" | "close" | "dataset">;
  readonly dataset?: Omit<Dataset, "open">;
}

/** What comes back. */
export type Answer =
  | { readonly kind: "movie"; readonly movie: ToldMovie }
  | { readonly kind: "cycling"; readonly cycling: CyclingFile }
  | { readonly kind: "other"; readonly other: OtherFile }
  | { readonly kind: "done" };

/** An answer or what went wrong. */
export type Reply = { readonly answer: Answer } | { readonly error: ToldError };

/** An error as it crosses. */
export interface ToldError {
  readonly kind: "format" | "parameter" | "failed" | "other";
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
  readonly path?: string;
  readonly offset?: number;
  readonly parameter?: string;
  readonly value?: unknown;
}

/** Takes an error apart. A decoder that ran out of memory or left its bounds has failed on the file. */
export function tellError(error: unknown): ToldError {
  if (!(error instanceof Error)) return { kind: "failed", name: "Error", message: String(error) };
  const { name, message, stack } = error;
  if (error instanceof FormatError) {
    const { path, offset } = error;
    return {
      kind: "format",
      name,
      message,
      ...(path === undefined ? {} : { path }),
      ...(offset === undefined ? {} : { offset }),
    };
  }
  if (error instanceof ParameterError) {
    return { kind: "parameter", name, message, parameter: error.parameter, value: plain(error.value) };
  }
  const failed =
    error instanceof WebAssembly.RuntimeError ||
    /allocation failed|invalid (typed )?array|out of memory/i.test(message);
  return { kind: failed ? "failed" : "other", name, message, ...(stack === undefined ? {} : { stack }) };
}

function plain(value: unknown): unknown {
  try {
    return structuredClone(value);
  } catch {
    return String(value);
  }
}

/** The error again, of the same kind; `file` is the one that was read. */
export function errorOf(told: ToldError, file: string): Error {
  const { kind, message, path, offset, parameter, value } = told;
  if (kind === "format") {
    return new FormatError(message, {
      ...(path === undefined ? {} : { path }),
      ...(offset === undefined ? {} : { offset }),
    });
  }
  if (kind === "parameter") return new ParameterError(message, { parameter: parameter ?? "", value });
  if (kind === "failed") return decoderFailed(file, message);
  const error = new Error(message);
  error.name = told.name;
  if (told.stack !== undefined) error.stack = told.stack;
  return error;
}

/** The refusal of a file on which a decoder broke. */
export function decoderFailed(file: string, reason: string): FormatError {
  const short = reason.split("\n")[0]!.slice(0, 160);
  return new FormatError(`${file}: its decoder failed on it (${short}). Copy it again, or export it anew.`, {
    path: file,
  });
}
