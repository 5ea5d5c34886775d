/**
 * A stack of images in HDF5 as a movie: (t, y, x), one frame a block of its dataset.
 *
 * Recordings of operando microscopes keep the stack in /movie and its clock in /camera_timing (operando-hdf5.ts). Of any
 * other file the only dataset of three axes is taken, or the one that the user names.
 */
import { FormatError, ParameterError } from "../model/errors.js";
import type { MovieFile, Samples } from "../model/movie.js";
import { bytesOf, machineIsLittle } from "./byte-order.js";
import type { ByteSource } from "./bytes.js";
import { potentiostatTable } from "./hdf5-potentiostat.js";
import { datasetsInWords, inWords, openHdf5, type Hdf5Dataset, type Hdf5File } from "./hdf5.js";
import { isPlain, toSamples, type SampleType } from "./hdf5-samples.js";
import { cameraTimes, timingPath } from "./operando-hdf5.js";
import { frameBuffer } from "./views.js";

/** What the user states of a file with several datasets. */
export interface DatasetOptions {
  /** Path of the dataset that is the movie: "/entry/data". */
  readonly dataset?: string;
}

/** Bytes of one frame, and of one chunk of a dataset, that are read. */
export const maxFrameBytes = 256 << 20;
const maxFrames = 1 << 24;
/** Where a chunk holds several frames they are read together, up to this size. */
const blockBytes = 128 << 20;
/** An image has at least this many pixels along an edge; smaller arrays are taken for tables unless named. */
const smallestEdge = 16;
/** Data up to this size may lie in the dataset's header, which is read once. */
const compactBytes = 1 << 16;

/** The axes of a stack among those of its dataset; axes of length 1 are passed over. */
interface Stack {
  readonly dataset: Hdf5Dataset;
  readonly type: SampleType;
  /** Axis of time in the dataset; -1 for a single image. */
  readonly timeAxis: number;
  readonly frames: number;
  readonly height: number;
  readonly width: number;
}

/** Whether an HDF5 file holds a movie: /movie, or a stack of images among its datasets. */
export async function holdsHdf5Movie(source: ByteSource, options: DatasetOptions = {}): Promise<boolean> {
  if (options.dataset !== undefined) return true;
  const file = await openHdf5(source);
  try {
    return stacksOf(file).length > 0;
  } finally {
    file.close();
  }
}

/**
 * Opens the movie of an HDF5 file. Frame times come from the camera_timing beside a dataset that is called movie; the pixel size from
 * the attribute `element_size_um` of the dataset (z, y, x), else it is null. Frames past a cut, or never written, are
 * left out with a warning.
 * Throws FormatError where there is no stack, it is packed by a filter that is not there, or it lies in other files;
 * ParameterError where several might be meant.
 */
export async function openHdf5Movie(source: ByteSource, options: DatasetOptions = {}): Promise<MovieFile> {
  const file = await openHdf5(source);
  try {
    return movieOf(file, chooseStack(file, options), source);
  } catch (error) {
    file.close();
    throw error;
  }
}

function movieOf(file: Hdf5File, stack: Stack, source: ByteSource): MovieFile {
  const { dataset, width, height, type } = stack;
  refuseUnread(file, stack);
  const warnings: string[] = [];
  const say = (sentence: string): void => void warnings.push(sentence);
  const isOperando = dataset.path === operandoMovie || hasClock(file, dataset);
  if (!isOperando) {
    say(
      `${dataset.path} is taken as the movie, its axes as ${stack.frames === 1 && stack.timeAxis < 0 ? "" : "t, "}y, x.`,
    );
  }
  if (file.attribute(dataset.path, "MATLAB_class") !== null) {
    say("the file was written by MATLAB, which stores axes in reverse: x and y may be exchanged.");
  }
  if (!file.listedAll)
    say(`the file holds more than ${file.datasets.length} datasets; what lies beyond was not looked at.`);
  const readUnit = unitReader(file, stack);
  if (potentiostatTable(file) !== undefined) {
    say(
      "it holds a potentiostat's record too: name the file once more with --cycling, and its rows with --potentiostat-rows.",
    );
  }
  const frames = lastFrames(file, stack, readUnit, say);
  const pixelSize_um = elementSize_um(file, dataset, say);
  const times = isOperando ? cameraTimes(file, stack.frames, say, dataset.path) : null;
  return {
    name: source.name,
    format: "hdf5",
    width,
    height,
    frames,
    dtype: type.dtype,
    pixelSize_um,
    pixelSizeSource: pixelSize_um === null ? "missing" : `element_size_um of ${dataset.path}`,
    time_s: times?.time_s.slice(0, frames) ?? null,
    timeSource: times?.source ?? "missing",
    frameStamp: "unknown",
    start: null,
    warnings,
    async read(index: number, into: Samples, signal?: AbortSignal): Promise<void> {
      signal?.throwIfAborted();
      if (!(index >= 0 && index < frames)) throw new RangeError(`frame ${index} of ${frames}`);
      if (into.length !== width * height) throw new RangeError(`an array of ${into.length} for ${width * height}`);
      if (!readUnit(index, into)) {
        throw new FormatError(
          `${file.name}: frame ${index} of ${dataset.path} was never written. Leave it out with --skip.`,
          {
            path: file.name,
          },
        );
      }
    },
    async close() {
      file.close();
      await source.close();
    },
  };
}

const operandoMovie = "/movie";

/** Whether a movie lies in a group as an operando recording does at the root, its clock beside it. */
function hasClock(file: Hdf5File, { path }: Hdf5Dataset): boolean {
  const clock = timingPath(path);
  return path.endsWith("/movie") && (file.find(clock) !== undefined || file.unreadable.has(clock));
}

function chooseStack(file: Hdf5File, { dataset: named }: DatasetOptions): Stack {
  const { name } = file;
  if (named !== undefined) {
    const dataset = file.find(named);
    const stack = dataset === undefined ? null : stackOf(dataset, 1);
    if (stack !== null) return stack;
    const what = dataset === undefined ? `holds no dataset ${named}` : `${inWords(dataset)} is no stack of images`;
    throw new ParameterError(`${name}: ${what}. It holds ${datasetsInWords(file)}: name one of (t, y, x).`, {
      parameter: "dataset",
      value: named,
    });
  }
  const stacks = stacksOf(file);
  const [only, ...others] = stacks;
  if (only === undefined) {
    throw new FormatError(
      `${name}: holds no stack of images, only ${datasetsInWords(file)}. Export the movie as (t, y, x).`,
      {
        path: name,
      },
    );
  }
  if (others.length > 0) {
    throw new ParameterError(
      `${name}: holds ${stacks.length} stacks: ${stacks
        .slice(0, 8)
        .map(({ dataset }) => inWords(dataset))
        .join(", ")}${stacks.length > 8 ? ", ..." : ""}. Name the movie with --dataset PATH.`,
      { parameter: "dataset", value: null },
    );
  }
  return only;
}

/** The stacks that may be meant: /movie alone where it is one, else all. */
function stacksOf(file: Hdf5File): Stack[] {
  const stacks = file.datasets.flatMap((dataset) => stackOf(dataset, smallestEdge) ?? []);
  const movie = stacks.find(({ dataset }) => dataset.path === operandoMovie);
  return movie === undefined ? stacks.filter(({ dataset }) => dataset.shape.length >= 3) : [movie];
}

function stackOf(dataset: Hdf5Dataset, edge: number): Stack | null {
  const { shape, type } = dataset;
  if (type === null || shape.length < 2) return null;
  const long = shape.flatMap((size, axis) => (size === 1 ? [] : [axis]));
  const image = long.length < 2 ? [shape.length - 2, shape.length - 1] : long.slice(-2);
  if (long.length > 3) return null;
  const timeAxis = long.length === 3 ? long[0]! : -1;
  const [height, width] = image.map((axis) => shape[axis]!) as [number, number];
  const frames = timeAxis < 0 ? 1 : shape[timeAxis]!;
  const longest = 65_536;
  const fits =
    height >= edge && width >= edge && height <= longest && width <= longest && frames >= 1 && frames <= maxFrames;
  return fits ? { dataset, type, timeAxis, frames, height, width } : null;
}

function refuseUnread(file: Hdf5File, { dataset, width, height }: Stack): void {
  const refuse = (what: string): never => {
    throw new FormatError(`${file.name}: ${what}`, { path: file.name });
  };
  const filters = file.unreadFilters(dataset);
  if (filters.length > 0) {
    refuse(
      `${dataset.path} is packed by ${filters.join(" and ")}, which is not read. Repack a copy: h5repack -f GZIP=1 IN OUT.`,
    );
  }
  if (dataset.elsewhere.length > 0) {
    refuse(
      `${dataset.path} only refers to other files (${dataset.elsewhere[0]}). Name the file that holds the frames.`,
    );
  }
  if (dataset.chunks === null && width * height * dataset.bytes > file.size) {
    refuse(`${dataset.path} has frames of ${width} x ${height}, more than the whole file holds. Copy it again.`);
  }
  const chunk = (dataset.chunks ?? [1]).reduce((product, size) => product * size, dataset.bytes);
  const largest = Math.max(chunk, width * height * dataset.bytes);
  if (largest > maxFrameBytes) {
    const size = `${Math.ceil(largest / 2 ** 20)} MiB`;
    refuse(
      `${dataset.path} has ${chunk === largest ? "chunks" : "frames"} of ${size}; up to ${maxFrameBytes / 2 ** 20} are read. Repack it.`,
    );
  }
}

/** Reads a frame into samples; false where the file holds none of its data, which the library would fill up. */
type UnitReader = (index: number, into: Samples) => boolean;

function unitReader(file: Hdf5File, { dataset, type, timeAxis, frames, width, height }: Stack): UnitReader {
  const frameBytes = width * height * dataset.bytes;
  const together = dataset.chunks === null || timeAxis < 0 ? 1 : dataset.chunks[timeAxis]!;
  const thick = Math.max(1, Math.min(together, frames, Math.floor(blockBytes / frameBytes)));
  const maybeInHeader = dataset.chunks === null && frames * frameBytes <= compactBytes;
  const load = (first: number, count: number, into: Uint8Array): boolean => {
    const offset = dataset.shape.map((_, axis) => (axis === timeAxis ? first : 0));
    const counts = dataset.shape.map((size, axis) => (axis === timeAxis ? count : size));
    file.readBlock(dataset, offset, counts, into);
    // Headers and index may have been read too, which can be longer than a frame; once more, and only data are.
    return maybeInHeader || !isEven(into) || file.readBlock(dataset, offset, counts, into) > 0;
  };
  let held: { first: number; bytes: Uint8Array; written: boolean } | null = null;
  return (index, into) => {
    if (thick === 1 && isPlain(type) && machineIsLittle) return load(index, 1, bytesOf(into));
    if (held === null || index < held.first || index >= held.first + held.bytes.length / frameBytes) {
      const first = index - (index % thick);
      const count = Math.min(thick, frames - first);
      const bytes = held?.bytes.length === count * frameBytes ? held.bytes : new Uint8Array(count * frameBytes);
      held = null;
      held = { first, bytes, written: load(first, count, bytes) };
    }
    const at = (index - held.first) * frameBytes;
    if (!toSamples(held.bytes.subarray(at, at + frameBytes), type, into)) {
      throw new FormatError(`${file.name}: frame ${index} has values beyond 2^53. Save it as float64 or uint32.`, {
        path: file.name,
      });
    }
    return held.written;
  };
}

/** Whether all bytes repeat the first eight: the look of a fill value. */
function isEven(bytes: Uint8Array): boolean {
  for (let at = 8; at < bytes.length; at++) if (bytes[at] !== bytes[at - 8]) return false;
  return true;
}

/** Frames up to the last that is there: a file may be cut, or its writer may have stopped before the end. */
function lastFrames(file: Hdf5File, stack: Stack, read: UnitReader, say: (sentence: string) => void): number {
  const into = frameBuffer({ width: stack.width, height: stack.height, dtype: stack.type.dtype });
  let written = true;
  const there = (index: number): boolean => {
    try {
      written = read(index, into);
      return written;
    } catch (error) {
      if (file.missingBytes === 0) throw error;
      return false;
    }
  };
  const { frames } = stack;
  const cut = `the file is cut off: ${file.missingBytes} bytes are missing at its end`;
  if (there(frames - 1)) {
    if (file.missingBytes > 0) say(`${cut}; the last frame of the movie lies before them.`);
    return frames;
  }
  // A block that failed once is not asked for again: the library would give what it had made room for.
  if (frames === 1 || !there(0)) {
    const what = written ? cut : "its frames were never written";
    throw new FormatError(`${file.name}: ${what}, and no frame of ${stack.dataset.path} can be read. Copy it again.`, {
      path: file.name,
    });
  }
  let first = 0;
  let beyond = frames - 1;
  while (beyond - first > 1) {
    const middle = (first + beyond) >> 1;
    if (there(middle)) first = middle;
    else beyond = middle;
  }
  const why = file.missingBytes > 0 ? cut : "the last frames were never written";
  say(`${why}; ${frames - beyond} of ${frames} frames are missing, the first ${beyond} are used.`);
  return beyond;
}

/** Pixel size by the attribute that image programs write beside a stack: (z, y, x) in um. */
function elementSize_um(file: Hdf5File, { path }: Hdf5Dataset, say: (sentence: string) => void): number | null {
  const sizes = file.attribute(path, "element_size_um");
  if (sizes === null || typeof sizes === "string" || sizes.length < 2) return null;
  const [y, x] = sizes.slice(-2) as [number, number];
  if (!(x > 0 && y > 0 && x < 1e4)) return null;
  if (Math.abs(y - x) > 1e-3 * x) {
    say(`pixels are ${x} x ${y} um (element_size_um), not square; the pixel size is left open.`);
    return null;
  }
  return x;
}
