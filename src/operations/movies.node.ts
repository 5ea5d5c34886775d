/** From the movies that a user names to one movie: the whole of a set, one series of several, files in sequence. */
import path from "node:path";
import { openMoviePath, type GuardOptions } from "../io/guarded.node.js";
import { joinMovies } from "../io/sequence.js";
import { baseName } from "../io/text.js";
import { timeSeries, type SeriesChoice } from "../io/time-series.js";
import type { MovieFile } from "../model/movie.js";

/** A movie with the files whose bytes it is made of, by the name that the user gave. */
export interface OpenedMovie {
  readonly movie: MovieFile;
  readonly inputs: readonly { readonly name: string; readonly files: readonly string[] }[];
  close(): Promise<void>;
}

/**
 * Opens the movies named as one. A file that is one of a set brings the whole set; of several channels, slices or
 * positions the one chosen is taken (of one movie "all" may be); several movies are joined in sequence.
 * Throws FormatError and ParameterError as their readers do.
 */
export async function openMovies(
  names: readonly string[],
  choice: SeriesChoice | "all" = {},
  options: GuardOptions = {},
): Promise<OpenedMovie> {
  const opened: { close(): Promise<void> }[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(opened.map((thing) => thing.close().catch(() => undefined)));
  };
  try {
    const parts: MovieFile[] = [];
    const inputs: { name: string; files: readonly string[] }[] = [];
    for (const name of names) {
      const file = await openMoviePath(name, options);
      opened.push(file);
      const whole = await wholeOf(file);
      if (whole !== file) opened.push(whole);
      // Several movies follow each other in time alone, so each has to be one series.
      parts.push(choice !== "all" ? timeSeries(whole, choice) : names.length === 1 ? whole : timeSeries(whole));
      const folder = path.dirname(name);
      const files = file.dataset?.files.filter((one) => !file.dataset!.missing.includes(one));
      inputs.push({ name, files: files?.map((one) => path.join(folder, one)) ?? [name] });
    }
    return { movie: joinMovies(parts), inputs, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** All of a set of which one file was named; the file itself where it stands alone. */
async function wholeOf(file: MovieFile): Promise<MovieFile> {
  const { dataset } = file;
  if (dataset === undefined) return file;
  const whole = await dataset.open();
  const missing = dataset.missing.length === 0 ? "" : `, ${dataset.missing.length} of which are missing`;
  const told = `${baseName(file.name)} is one of ${dataset.files.length} files of a set${missing}: all that are there are used, ${whole.frames} frames.`;
  return { ...whole, name: file.name, warnings: [told, ...whole.warnings] };
}
