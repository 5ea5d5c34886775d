/**
 * OME-Zarr 0.5 (Zarr version 3) written frame by frame, one resolution, as many small files below a folder:
 *
 *     zarr.json            group: multiscales with the axes t, [c, z,] y, x; the attribute `ionoscope`
 *     0/zarr.json          the array
 *     0/c/<t>/.../0/0      chunks of whole frames of one channel and slice, 6 MiB at most where a frame is less
 *     time_s/zarr.json, time_s/c/0    the time of each frame
 *
 * Where the pixel size or the times are unknown, the scale along these axes is 1 and has no unit, which says nothing.
 * The standard's scale of time is the median interval; the exact times stand in `time_s` (ome-zarr.ts tells how).
 * Metadata come first, so that a folder whose writing was cut off tells which frames are missing.
 * Source: ngff.openmicroscopy.org/0.5; Zarr core 3.0 (zarr-specs.readthedocs.io).
 */
import { ParameterError } from "../model/errors.js";
import type { FramePlace, MovieFile, Samples } from "../model/movie.js";
import { bytesOf, littleEndianBytes } from "./byte-order.js";
import { frameList } from "./frame-times.js";
import { ownKey, ownVersion } from "./ome-zarr.js";
import { select } from "./time-series.js";
import { frameBuffer } from "./views.js";

/** Where the files go, by their paths below a folder, with forward slashes. */
export interface FolderSink {
  write(path: string, bytes: Uint8Array): Promise<void>;
}

/** How a movie is written. */
export interface OmeZarrOptions {
  /** "zstd" of level 1, the default, or not at all, which reads faster and is larger. */
  readonly compression?: "zstd" | "none";
  /** Told after each frame: how many were read, how many there are, and the frame's samples, good until it returns. */
  onFrame?(done: number, frames: number, samples: Samples): void;
  readonly signal?: AbortSignal;
}

const chunkBytes = 6 * 2 ** 20;
/** Chunks that fill at one time, those of all channels and slices. */
const heldBytes = 2 ** 26;

/**
 * The movie with its frames in the order in which OME-Zarr has them: time, then slice, then channel. Moments at the
 * end whose channels or slices are not all there are left out, with a warning.
 *
 * Throws ParameterError for a movie in colour, for one of several stage positions (`position`) and for one with frames
 * missing in between (`channel`).
 */
export function inOmeZarrOrder(movie: MovieFile): MovieFile {
  if ((movie.samplesPerPixel ?? 1) > 1) {
    throw new ParameterError(`${movie.name}: frames are in colour, which are not written. Export the movie as grey.`, {
      parameter: "movie",
      value: movie.name,
    });
  }
  const { planes } = movie;
  if (planes === undefined) return movie;
  if (planes.some(({ image }) => image !== planes[0]!.image)) {
    throw new ParameterError(`${movie.name} holds several stage positions. Choose one with --position.`, {
      parameter: "position",
      value: null,
    });
  }
  const ordered = [...planes.keys()].sort((a, b) => inOrder(planes[a]!, planes[b]!));
  const perMoment = valuesOf(planes, "channel").length * valuesOf(planes, "slice").length;
  const counts = new Map<number, number>();
  for (const { time } of planes) counts.set(time, (counts.get(time) ?? 0) + 1);
  const times = valuesOf(planes, "time");
  let whole = times.length;
  while (whole > 0 && counts.get(times[whole - 1]!)! < perMoment) whole--;
  const lacking = times.slice(0, whole).find((time) => counts.get(time) !== perMoment);
  const twice = ordered.some((frame, at) => at > 0 && inOrder(planes[frame]!, planes[ordered[at - 1]!]!) === 0);
  if (whole === 0 || lacking !== undefined || twice) {
    throw new ParameterError(
      `${movie.name}: ${twice ? "some places hold two frames" : `moment ${lacking ?? times[0]} does not hold all ${perMoment} of its channels and slices`}. Choose with --channel and --slice.`,
      { parameter: "channel", value: null },
    );
  }
  const kept = ordered.slice(0, whole * perMoment);
  const chosen = select(movie, kept);
  const left = ordered.slice(kept.length).sort((a, b) => a - b);
  if (left.length === 0) return chosen;
  const warning = `${frameList(left)} of ${movie.frames} left out: their moments do not hold all channels and slices.`;
  return { ...chosen, warnings: [...movie.warnings, warning] };
}

function inOrder(a: FramePlace, b: FramePlace): number {
  return a.time - b.time || a.slice - b.slice || a.channel - b.channel;
}

function valuesOf(planes: readonly FramePlace[], axis: "time" | "slice" | "channel"): number[] {
  return [...new Set(planes.map((place) => place[axis]))].sort((a, b) => a - b);
}

/**
 * Writes the movie, put into the order of `inOmeZarrOrder`, to files of its sink, and gives their number and bytes.
 * Frames are read one after another. Throws what `inOmeZarrOrder` and the movie throw.
 */
export async function writeOmeZarr(
  given: MovieFile,
  sink: FolderSink,
  options: OmeZarrOptions = {},
): Promise<{ readonly files: number; readonly bytes: number }> {
  const movie = inOmeZarrOrder(given);
  const written = { files: 0, bytes: 0 };
  const write = async (path: string, bytes: Uint8Array): Promise<void> => {
    options.signal?.throwIfAborted();
    await sink.write(path, bytes);
    written.files++;
    written.bytes += bytes.length;
  };
  const grid = gridOf(movie);
  await write("zarr.json", json(groupOf(movie, grid)));
  await write("0/zarr.json", json(arrayOf(movie, grid, options)));
  if (movie.time_s !== null) {
    await write("time_s/zarr.json", json(timesArray(movie.frames)));
    await write("time_s/c/0", littleEndianBytes(movie.time_s));
  }
  await writeChunks(movie, grid, options, write);
  return written;
}

/** How frames lie along the axes of the array. */
interface Grid {
  readonly times: number;
  readonly channels: number;
  readonly slices: number;
  /** Moments in a chunk. */
  readonly together: number;
}

function gridOf(movie: MovieFile): Grid {
  const channels = movie.planes === undefined ? 1 : valuesOf(movie.planes, "channel").length;
  const slices = movie.planes === undefined ? 1 : valuesOf(movie.planes, "slice").length;
  const times = movie.frames / (channels * slices);
  const frameBytes = frameBuffer(movie).byteLength;
  const fitting = Math.min(chunkBytes / frameBytes, heldBytes / (frameBytes * channels * slices), times);
  return { times, channels, slices, together: Math.max(1, Math.floor(fitting)) };
}

/** What stands for each axis, of those that the array has. */
function alongAxes<T>({ channels, slices }: Grid, each: Record<"t" | "c" | "z" | "y" | "x", T>): T[] {
  return [each.t, ...(channels > 1 ? [each.c] : []), ...(slices > 1 ? [each.z] : []), each.y, each.x];
}

function groupOf(movie: MovieFile, grid: Grid): object {
  const { pixelSize_um, time_s, planes, dtype } = movie;
  const interval_s = time_s === null ? null : medianInterval(time_s, grid.channels * grid.slices);
  const space = pixelSize_um === null ? {} : { unit: "micrometer" };
  const axes = alongAxes<object>(grid, {
    t: { name: "t", type: "time", ...(interval_s === null ? {} : { unit: "second" }) },
    c: { name: "c", type: "channel" },
    z: { name: "z", type: "space" },
    y: { name: "y", type: "space", ...space },
    x: { name: "x", type: "space", ...space },
  });
  const side = pixelSize_um ?? 1;
  const scale = alongAxes(grid, { t: interval_s ?? 1, c: 1, z: 1, y: side, x: side });
  const numbers = planes === undefined ? [0] : valuesOf(planes, "channel");
  const names = numbers.map((number) => movie.channelNames?.[number]);
  // The standard wants a colour and a window of display for each channel; these show all there is, in grey.
  const floating = dtype.startsWith("float");
  const bits = 8 * frameBuffer({ width: 1, height: 1, dtype }).BYTES_PER_ELEMENT;
  const min = dtype.startsWith("int") ? -(2 ** (bits - 1)) : 0;
  const max = floating ? 1 : min + 2 ** bits - 1;
  const window = { min, max, start: min, end: max };
  const channels = names.map((label) => ({ label, color: "FFFFFF", active: true, window }));
  return {
    zarr_format: 3,
    node_type: "group",
    attributes: {
      ome: {
        version: "0.5",
        multiscales: [
          { name: "movie", axes, datasets: [{ path: "0", coordinateTransformations: [{ type: "scale", scale }] }] },
        ],
        ...(names.every((name) => name !== undefined) ? { omero: { channels } } : {}),
      },
      [ownKey]: {
        version: ownVersion,
        times: time_s === null ? null : "time_s",
        frameStamp: movie.frameStamp,
        start: movie.start,
        source: { format: movie.format, timeSource: movie.timeSource },
      },
    },
  };
}

/** The median of the steps from one moment to the next; null where no two moments have a time, or time stands still. */
function medianInterval(time_s: Float64Array, perMoment: number): number | null {
  const steps: number[] = [];
  for (let frame = perMoment; frame < time_s.length; frame += perMoment) {
    const step_s = time_s[frame]! - time_s[frame - perMoment]!;
    if (step_s > 0 && Number.isFinite(step_s)) steps.push(step_s);
  }
  return steps.sort((a, b) => a - b)[steps.length >> 1] ?? null;
}

function arrayOf({ width, height, dtype }: MovieFile, grid: Grid, { compression }: OmeZarrOptions): object {
  const { times, channels, slices, together } = grid;
  return {
    ...arrayNode(
      alongAxes(grid, { t: times, c: channels, z: slices, y: height, x: width }),
      alongAxes(grid, { t: together, c: 1, z: 1, y: height, x: width }),
      dtype,
      0,
      compression === "none" ? [] : [{ name: "zstd", configuration: { level: 1, checksum: false } }],
    ),
    dimension_names: alongAxes(grid, { t: "t", c: "c", z: "z", y: "y", x: "x" }),
  };
}

function timesArray(frames: number): object {
  return arrayNode([frames], [frames], "float64", "NaN", []);
}

function arrayNode(
  shape: readonly number[],
  chunk: readonly number[],
  dtype: string,
  fill: number | string,
  packing: readonly object[],
): object {
  return {
    zarr_format: 3,
    node_type: "array",
    shape,
    data_type: dtype,
    chunk_grid: { name: "regular", configuration: { chunk_shape: chunk } },
    chunk_key_encoding: { name: "default", configuration: { separator: "/" } },
    fill_value: fill,
    codecs: [{ name: "bytes", configuration: { endian: "little" } }, ...packing],
    attributes: {},
  };
}

async function writeChunks(
  movie: MovieFile,
  grid: Grid,
  options: OmeZarrOptions,
  write: (path: string, bytes: Uint8Array) => Promise<void>,
): Promise<void> {
  const { times, channels, slices, together } = grid;
  const zstd = options.compression === "none" ? null : new (await import("numcodecs/zstd")).default(1);
  const pixels = movie.width * movie.height;
  // One chunk of each channel and slice fills at a time; where it holds one frame, one is enough for all.
  const filling = Array.from({ length: together === 1 ? 1 : channels * slices }, () =>
    frameBuffer({ width: movie.width, height: together * movie.height, dtype: movie.dtype }),
  );
  const flush = async (first: number, channel: number, slice: number, samples: Samples): Promise<void> => {
    const key = alongAxes(grid, { t: first / together, c: channel, z: slice, y: 0, x: 0 });
    const bytes = littleEndianBytes(samples);
    await write(`0/c/${key.join("/")}`, zstd === null ? bytes.slice() : await zstd.encode(bytes));
  };
  for (let first = 0; first < times; first += together) {
    const moments = Math.min(together, times - first);
    for (const samples of filling) if (moments < together) bytesOf(samples).fill(0);
    for (let at = 0; at < moments; at++) {
      for (let plane = 0; plane < channels * slices; plane++) {
        options.signal?.throwIfAborted();
        const frame = (first + at) * channels * slices + plane;
        const chunk = filling[together === 1 ? 0 : plane]!;
        const samples = chunk.subarray(at * pixels, (at + 1) * pixels);
        await movie.read(frame, samples, options.signal);
        options.onFrame?.(frame + 1, movie.frames, samples);
        if (at === moments - 1) await flush(first, plane % channels, Math.floor(plane / channels), chunk);
      }
    }
  }
}

function json(value: object): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`);
}
