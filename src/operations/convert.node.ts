/** `convert`: any movie to OME-TIFF or OME-Zarr, any cycling to the Battery Data Format, outlines from one form to another. */
import { createHash } from "node:crypto";
import { lstat, mkdir } from "node:fs/promises";
import path from "node:path";
import { encodeBdf, encodeBdfParquet } from "../io/bdf.js";
import { littleEndianBytes } from "../io/byte-order.js";
import { writeOmeTiff } from "../io/ome-tiff-write.js";
import { inOmeZarrOrder, writeOmeZarr } from "../io/ome-zarr-write.js";
import { writeThroughSink } from "../io/sink.node.js";
import { completeFrames, seriesNote, type SeriesChoice } from "../io/time-series.js";
import { frameBuffer } from "../io/views.js";
import type { CyclingFile } from "../model/cycling.js";
import { FormatError, ParameterError } from "../model/errors.js";
import type { MovieFile, Samples } from "../model/movie.js";
import { openOptions, readRecord } from "./files.node.js";
import { draftFolder } from "./folder.node.js";
import { kindOfPath } from "./inspect.node.js";
import { openMovies } from "./movies.node.js";
import { holdsOutlines, readOutlines, writeOutlines } from "./outlines.node.js";

/** What the user states of the files, and how the work is watched. */
export interface ConvertOptions extends SeriesChoice {
  readonly pixelSize_um?: number | null;
  readonly interval_s?: number | null;
  /** Size in px of a label image, where the outlines do not tell it. */
  readonly width?: number | null;
  readonly height?: number | null;
  readonly dataset?: string | null;
  readonly potentiostatRows?: string | null;
  /** Read the result back and compare it; true as a rule. */
  readonly check?: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((stage: "write" | "check", done: number, total: number) => void) | undefined;
}

/** What was written. */
export interface Converted {
  readonly kind: "movie" | "cycling" | "outlines";
  readonly output: string;
  /** "ome-tiff" | "ome-zarr" | "bdf-csv" | "bdf-parquet" | "geojson" ... */
  readonly format: string;
  /** Frames, rows or outlines. */
  readonly count: number;
  /** Whether it was read back and is the same. */
  readonly checked: boolean;
  readonly warnings: readonly string[];
}

const kindWords = { movie: "a movie", cycling: "a cycler's record", other: "neither movie nor record" } as const;

type MovieTarget = "ome-tiff" | "ome-zarr";
type CyclingTarget = "bdf-csv" | "bdf-parquet";

const movieTargets: readonly (readonly [RegExp, MovieTarget])[] = [
  [/\.tiff?$/i, "ome-tiff"],
  [/\.zarr$/i, "ome-zarr"],
];
const cyclingTargets: readonly (readonly [RegExp, CyclingTarget])[] = [
  [/\.csv$/i, "bdf-csv"],
  [/\.parquet$/i, "bdf-parquet"],
];

/**
 * Converts what the inputs hold to the form that the output's name asks for; several movies or cycler's files are
 * joined first. The output appears whole or not at all, and is read back and compared unless told otherwise.
 *
 * Throws ParameterError where the output is there already or its name tells no form, FormatError as readers do and
 * where what is read back differs, and the signal's reason when stopped.
 */
export async function convert(
  inputs: readonly string[],
  output: string,
  options: ConvertOptions = {},
): Promise<Converted> {
  if (inputs.length === 0) {
    throw new ParameterError("convert needs what to convert and where to: convert IN OUT.", {
      parameter: "in",
      value: inputs,
    });
  }
  if ((await lstat(output).catch(() => null)) !== null) {
    throw new ParameterError(`${output} is there already. Give another name, or remove it first.`, {
      parameter: "out",
      value: output,
    });
  }
  await mkdir(path.dirname(path.resolve(output)), { recursive: true });
  const onlyOutlines = /\.(roi|zip|(geo)?json)$/i.test(output);
  if (onlyOutlines || (inputs.length === 1 && (await holdsOutlines(inputs[0]!)))) {
    return convertOutlines(inputs, output, options);
  }
  // A file may hold a movie and a record: the output's name tells which is wanted.
  const wantsRecord = cyclingTargets.find(([name]) => name.test(output));
  if (wantsRecord !== undefined) return convertCycling(inputs, output, wantsRecord[1], options);
  const kinds = await Promise.all(inputs.map(kindOfPath));
  const other = kinds.findIndex((kind) => kind !== kinds[0]);
  if (other >= 0) {
    throw new ParameterError(
      `${inputs[0]} is ${kindWords[kinds[0]!]} and ${inputs[other]} is ${kindWords[kinds[other]!]}. Convert them apart.`,
      { parameter: "in", value: inputs },
    );
  }
  const movieTarget = movieTargets.find(([name]) => name.test(output));
  if (kinds[0] === "movie" && movieTarget !== undefined) return convertMovie(inputs, output, movieTarget[1], options);
  const [what, names] =
    kinds[0] === "movie" ? ["a movie", ".ome.tif or .ome.zarr"] : ["a cycler's record", ".bdf.csv or .bdf.parquet"];
  throw new ParameterError(`${output} tells no form that ${what} is written in. Let its name end in ${names}.`, {
    parameter: "out",
    value: output,
  });
}

async function convertMovie(
  inputs: readonly string[],
  output: string,
  format: MovieTarget,
  options: ConvertOptions,
): Promise<Converted> {
  const { position, channel, slice } = options;
  const chosen = [position, channel, slice].some((value) => value !== undefined && value !== null);
  const opened = await openMovies(
    inputs,
    chosen ? { position, channel, slice } : "all",
    openOptions(options, options.signal),
  );
  try {
    const movie = completeFrames(stated(opened.movie, options));
    if ((movie.samplesPerPixel ?? 1) > 1) {
      throw new FormatError(`${movie.name}: frames are in colour, which are not converted. Export the movie as grey.`, {
        path: movie.name,
      });
    }
    await movieWriters[format](movie, output, options);
    const note = movie.planes === undefined ? null : seriesNote(movie.planes);
    return {
      kind: "movie",
      output,
      format,
      count: movie.frames,
      checked: options.check !== false,
      // All series are kept: which one an analysis would take is no matter here.
      warnings: movie.warnings.filter((warning) => warning !== note),
    };
  } finally {
    await opened.close();
  }
}

/** How a movie is written in each form, and read back before it gets its name. */
const movieWriters: Readonly<Record<MovieTarget, MovieWriter>> = {
  async "ome-tiff"(movie, output, options) {
    const digest = createHash("sha256");
    await writeThroughSink(
      output,
      async (sink) => {
        const frames = framesOf(movie, digest, options, "write");
        await writeOmeTiff({ ...movie, frameCount: movie.frames, frames, sink });
      },
      (draft) => compareMovie(movie, digest.digest("hex"), draft, options),
    );
  },
  async "ome-zarr"(movie, output, options) {
    const ordered = inOmeZarrOrder(movie);
    const digest = createHash("sha256");
    const draft = await draftFolder(output, "zarr.json");
    try {
      await writeOmeZarr(ordered, draft, {
        ...(options.signal === undefined ? {} : { signal: options.signal }),
        onFrame(done, frames, samples) {
          digest.update(littleEndianBytes(samples));
          options.onProgress?.("write", done, frames);
        },
      });
      await compareMovie(ordered, digest.digest("hex"), draft.path, options);
      await draft.commit();
    } catch (error) {
      await draft.discard();
      throw error;
    }
  },
};

type MovieWriter = (movie: MovieFile, output: string, options: ConvertOptions) => Promise<void>;

/** The movie with what the user states over what the file tells. */
function stated(movie: MovieFile, { pixelSize_um, interval_s }: ConvertOptions): MovieFile {
  for (const [parameter, value] of Object.entries({ pixelSize_um, interval_s })) {
    if (value === undefined || value === null || (value > 0 && Number.isFinite(value))) continue;
    throw new ParameterError(`${parameter} is ${value}. Give a number above 0.`, { parameter, value });
  }
  return {
    ...movie,
    ...(typeof pixelSize_um === "number" ? { pixelSize_um, pixelSizeSource: "flag" } : {}),
    ...(typeof interval_s === "number"
      ? {
          time_s: Float64Array.from(
            { length: movie.frames },
            (_, frame) => interval_s * (movie.planes?.[frame]?.time ?? frame),
          ),
          timeSource: "flag",
        }
      : {}),
  };
}

async function* framesOf(
  movie: MovieFile,
  digest: { update(bytes: Uint8Array): unknown },
  { signal, onProgress }: ConvertOptions,
  stage: "write" | "check",
): AsyncGenerator<Samples> {
  const into = frameBuffer(movie);
  for (let frame = 0; frame < movie.frames; frame++) {
    signal?.throwIfAborted();
    await movie.read(frame, into, signal);
    digest.update(littleEndianBytes(into));
    yield into;
    onProgress?.(stage, frame + 1, movie.frames);
  }
}

async function compareMovie(movie: MovieFile, written: string, output: string, options: ConvertOptions): Promise<void> {
  if (options.check === false) return;
  const opened = await openMovies([output], "all");
  try {
    const back = opened.movie;
    const differs = (what: string): FormatError =>
      new FormatError(
        `${output}: ${what} as read back from what was written. Its disk may be failing: convert again.`,
        {
          path: output,
        },
      );
    for (const key of ["frames", "width", "height", "dtype", "pixelSize_um"] as const) {
      if (back[key] !== movie[key]) throw differs(`${key} is ${back[key]}, not ${movie[key]},`);
    }
    for (let frame = 0; frame < movie.frames; frame++) {
      const [wanted_s, found_s] = [movie.time_s?.[frame], back.time_s?.[frame]];
      if (Object.is(wanted_s, found_s) || Math.abs(wanted_s! - found_s!) <= 1e-9 * Math.abs(wanted_s!)) continue;
      throw differs(`the time of frame ${frame} is ${found_s}, not ${wanted_s} s,`);
    }
    const digest = createHash("sha256");
    // oxlint-disable-next-line no-unused-vars
    for await (const _ of framesOf(back, digest, options, "check"));
    if (digest.digest("hex") !== written) throw differs("the pixels are others");
  } finally {
    await opened.close();
  }
}

async function convertOutlines(inputs: readonly string[], output: string, options: ConvertOptions): Promise<Converted> {
  if (inputs.length > 1) {
    throw new ParameterError(`${inputs.length} files of outlines were given. Convert them one by one.`, {
      parameter: "in",
      value: inputs,
    });
  }
  const read = await readOutlines(inputs[0]!, options.signal);
  const { width, height } = options;
  const size =
    typeof width === "number" && typeof height === "number"
      ? { width, height }
      : read.size_px === null
        ? null
        : { width: read.size_px[0], height: read.size_px[1] };
  const lost = await writeOutlines(read.outlines, output, size);
  const back = options.check === false ? null : await readOutlines(output, options.signal);
  if (back !== null && back.outlines.length !== read.outlines.length) {
    lost.push(`${output} holds ${back.outlines.length} outlines of ${read.outlines.length}.`);
  }
  return {
    kind: "outlines",
    output,
    format: back?.format ?? path.extname(output).slice(1),
    count: read.outlines.length,
    checked: back !== null,
    warnings: [...read.warnings, ...lost],
  };
}

async function convertCycling(
  inputs: readonly string[],
  output: string,
  format: CyclingTarget,
  options: ConvertOptions,
): Promise<Converted> {
  const cycling = await readRecord(inputs, openOptions(options, options.signal));
  options.signal?.throwIfAborted();
  const bytes =
    format === "bdf-csv" ? encodeBdf(cycling, cycling.start) : await encodeBdfParquet(cycling, cycling.start);
  await writeThroughSink(
    output,
    (sink) => sink.write(typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes, 0),
    async (draft) => {
      if (options.check !== false) compareCycling(cycling, await readRecord([draft]), output);
    },
  );
  return {
    kind: "cycling",
    output,
    format,
    count: cycling.time_s.length,
    checked: options.check !== false,
    warnings: cycling.warnings,
  };
}

function compareCycling(cycling: CyclingFile, back: CyclingFile, output: string): void {
  const differs = (what: string): FormatError =>
    new FormatError(`${output}: ${what} as read back from what was written. Convert again.`, { path: output });
  if (back.time_s.length !== cycling.time_s.length) {
    throw differs(`${back.time_s.length} rows stand there, not ${cycling.time_s.length},`);
  }
  for (const key of ["time_s", "potential_V", "current_mA"] as const) {
    for (let row = 0; row < cycling.time_s.length; row++) {
      const [wanted, found] = [cycling[key][row]!, back[key][row]!];
      if (Object.is(wanted, found) || Math.abs(wanted - found) <= 1e-12 * Math.abs(wanted)) continue;
      throw differs(`${key} of row ${row} is ${found}, not ${wanted},`);
    }
  }
}
