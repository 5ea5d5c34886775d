/** Opens what a recipe's source names on this machine. */
import { readFile, stat } from "node:fs/promises";
import path from "node:path";
import type { Source } from "../io/bytes.js";
import { openPath } from "../io/bytes.node.js";
import { openMoviePath, readCyclingSources, type GuardOptions } from "../io/guarded.node.js";
import type { CyclingFile } from "../model/cycling.js";
import { FormatError, ParameterError } from "../model/errors.js";
import type { Experiment, SkippedFrames } from "../model/experiment.js";
import { assembleExperiment } from "./experiment.js";
import { type Hashing, startHashing } from "./hash.node.js";
import { openMovies } from "./movies.node.js";
import { moviesOf, type FilesParams } from "./sources.js";

/** An experiment with the files it came from; `close` lets them go. */
export interface OpenedExperiment {
  readonly experiment: Experiment;
  /** Fingerprints of the files, taken as they are read. */
  readonly hashing: Hashing;
  close(): Promise<void>;
}

/**
 * Opens movie, cycler's files and dark frame read-only and makes the experiment.
 * Throws FormatError and ParameterError as their readers do.
 */
export async function openExperiment(params: FilesParams, signal?: AbortSignal): Promise<OpenedExperiment> {
  const opened: { close(): Promise<void> }[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(opened.map((thing) => thing.close().catch(() => undefined)));
  };
  try {
    const movies = await openMovies(moviesOf(params), params, openOptions(params, signal));
    opened.push(movies);
    const cycling = params.cycling.length === 0 ? null : await readRecord(params.cycling, openOptions(params, signal));
    let dark = null;
    if (typeof params.blackLevel === "string") {
      dark = await openMoviePath(params.blackLevel, { signal });
      opened.push(dark);
    }
    const experiment = await assembleExperiment({ movie: movies.movie, cycling, dark }, params);
    const named = [
      ...movies.inputs.map(({ name, files }) => ({ role: "movie" as const, name, files })),
      ...params.cycling.map((name) => ({ role: "cycling" as const, name, files: [name] })),
      ...(typeof params.blackLevel === "string"
        ? [{ role: "dark" as const, name: params.blackLevel, files: [params.blackLevel] }]
        : []),
    ];
    const movieFiles = movies.inputs.flatMap(({ files }) => files);
    const sizes = await Promise.all(movieFiles.map((file) => stat(file).then(({ size }) => size)));
    const hashing = startHashing(
      named,
      sizes.reduce((sum, size) => sum + size, 0),
      signal,
    );
    opened.push({ close: () => Promise.resolve(hashing.stop()) });
    return { experiment, hashing, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** What a source's parameters say of files that do not say it themselves. */
export function openOptions(
  { dataset, potentiostatRows }: Partial<Pick<FilesParams, "dataset" | "potentiostatRows">>,
  signal?: AbortSignal,
): GuardOptions {
  return {
    ...(typeof dataset === "string" ? { dataset } : {}),
    ...(typeof potentiostatRows === "string"
      ? { potentiostatRows: potentiostatRows.split(",").map((row) => row.trim()) }
      : {}),
    signal,
  };
}

/** Cycler's files, or folders of them, as one record. Throws as `readCycling` does. */
export async function readRecord(names: readonly string[], options: GuardOptions = {}): Promise<CyclingFile> {
  const sources: Source[] = [];
  try {
    for (const name of names) sources.push(await openPath(name));
    return await readCyclingSources(sources, options);
  } finally {
    await Promise.all(sources.map((source) => source.close()));
  }
}

/**
 * Frames to leave out, from a text file: one stretch a line, `first,last,because` or `frame,because`.
 * A header line and lines that begin with # are passed over. Throws FormatError with the line that is wrong.
 */
export async function readSkipFile(name: string): Promise<SkippedFrames[]> {
  const text = await readFile(name, "utf8").catch((cause: unknown) => {
    throw new FormatError(`${name}: cannot be read. Check the path.`, { path: name, cause });
  });
  const stretches: SkippedFrames[] = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === "" || line.startsWith("#") || (index === 0 && /^\s*"?(first|frame)/i.test(line))) continue;
    const match = /^\s*(\d+)\s*(?:[,;\t]\s*(\d+)\s*)?[,;\t]\s*"?(.*?)"?\s*$/.exec(line);
    const because = match?.[3] ?? "";
    if (match === null || because === "") {
      throw new FormatError(
        `${name}: line ${index + 1} is "${line.trim()}". Write first,last,because or frame,because, with a reason.`,
        { path: name },
      );
    }
    const first = Number(match[1]);
    const last = match[2] === undefined ? first : Number(match[2]);
    if (last < first) {
      throw new ParameterError(`${name}: line ${index + 1} ends at ${last} before it begins at ${first}. Swap them.`, {
        parameter: "skip",
        value: line,
      });
    }
    stretches.push({ first, last, because });
  }
  return stretches;
}

/** Paths of a recipe's source made relative to a folder, or absolute from one; forward slashes when relative. */
export function movePaths(params: FilesParams, move: (name: string) => string): FilesParams {
  return {
    ...params,
    movie: typeof params.movie === "string" ? move(params.movie) : params.movie.map(move),
    cycling: params.cycling.map(move),
    blackLevel: typeof params.blackLevel === "string" ? move(params.blackLevel) : params.blackLevel,
  };
}

/** A path relative to a folder, with forward slashes; absolute where it lies on another drive. */
export function relativePath(folder: string, name: string): string {
  const relative = path.relative(folder, path.resolve(name));
  return path.isAbsolute(relative) ? path.resolve(name) : relative.split(path.sep).join("/");
}
