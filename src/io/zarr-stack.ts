/** A Zarr array as frames: which of its axes are time, channel, slice and image, and which frames lack chunks. */
import { FormatError } from "../model/errors.js";
import type { Dtype, FramePlace, Samples } from "../model/movie.js";
import type { FolderSource } from "./bytes.js";
import { frameList } from "./frame-times.js";
import { maxFrames } from "./tiff-index.js";
import { said, type ZarrArray } from "./zarr-metadata.js";
import { openPlanes } from "./zarr-planes.js";

/** Numbers of an array's axes; null where it has none of a kind. */
export interface StackAxes {
  readonly t: number | null;
  readonly c: number | null;
  readonly z: number | null;
  readonly y: number;
  readonly x: number;
}

/** The frames of an array, in the order of time, then slice, then channel. */
export interface ZarrStack {
  readonly width: number;
  readonly height: number;
  readonly dtype: Dtype;
  readonly frames: number;
  readonly times: number;
  readonly channels: number;
  /** Place of each frame, where they do not simply follow each other in time. */
  readonly planes?: readonly FramePlace[];
  /** The moment of a frame, counted from 0. */
  momentOf(frame: number): number;
  /** Frames that lack chunks which others have. */
  readonly incomplete: readonly number[];
  read(index: number, into: Samples, signal?: AbortSignal): Promise<void>;
  readonly warnings: readonly string[];
}

/**
 * The frames of an array at a path below a folder. Axes that are not named must be of length 1.
 * Throws FormatError where they are not, and where the array is larger than any movie.
 */
export async function openStack(
  folder: FolderSource,
  path: string,
  array: ZarrArray,
  axes: StackAxes,
): Promise<ZarrStack> {
  const { shape } = array;
  const wrong = (what: string): FormatError => new FormatError(`${folder.name}: ${what}`, { path: folder.name });
  const used = new Set([axes.t, axes.c, axes.z, axes.y, axes.x]);
  const other = shape.findIndex((size, axis) => size > 1 && !used.has(axis));
  if (other >= 0) {
    throw wrong(
      `axis ${other} of its shape ${said(shape)} is none of time, channel, z, y and x. Save one place along it as an array of its own.`,
    );
  }
  const sizeOf = (axis: number | null): number => (axis === null ? 1 : shape[axis]!);
  const [times, slices, channels] = [sizeOf(axes.t), sizeOf(axes.z), sizeOf(axes.c)];
  const frames = times * slices * channels;
  if (frames > maxFrames) throw wrong(`its shape ${said(shape)} is larger than any movie. Save it again.`);
  const planes = await openPlanes(folder, path, array, axes);
  const placeOf = (frame: number): FramePlace => ({
    image: 0,
    channel: frame % channels,
    slice: Math.floor(frame / channels) % slices,
    time: Math.floor(frame / (channels * slices)),
  });
  const coordinatesOf = (frame: number): number[] => {
    const { time, slice, channel } = placeOf(frame);
    return shape.map((_, axis) => (axis === axes.t ? time : axis === axes.z ? slice : axis === axes.c ? channel : 0));
  };
  const warnings = [...planes.warnings];
  const incomplete = missingChunks(frames, (frame) => planes.present(coordinatesOf(frame)), {
    all: planes.chunksOfPlane,
    fill: array.fill,
    warnings,
  });
  return {
    width: planes.width,
    height: planes.height,
    dtype: planes.dtype,
    frames,
    times,
    channels,
    ...(channels * slices === 1 ? {} : { planes: Array.from({ length: frames }, (_, frame) => placeOf(frame)) }),
    momentOf: (frame) => placeOf(frame).time,
    incomplete,
    warnings,
    async read(index, into, signal) {
      if (!(index >= 0 && index < frames)) throw new RangeError(`frame ${index} of ${frames}`);
      if (into.length !== planes.width * planes.height) {
        throw new RangeError(`an array of ${into.length} for ${planes.width * planes.height}`);
      }
      await planes.read(coordinatesOf(index), into, signal);
    },
  };
}

/**
 * Frames that have fewer chunks than the fullest one. Writers may leave out a chunk that holds nothing but the fill
 * value, so what no frame has is taken for that; what others have was lost, or is still to come.
 */
function missingChunks(
  frames: number,
  present: (frame: number) => number | null,
  { all, fill, warnings }: { readonly all: number; readonly fill: number; readonly warnings: string[] },
): number[] {
  const counts = new Int32Array(frames);
  let most = 0;
  let unknown = 0;
  for (let frame = 0; frame < frames; frame++) {
    const count = present(frame);
    counts[frame] = count ?? -1;
    if (count === null) unknown++;
    else most = Math.max(most, count);
  }
  if (unknown > 0) {
    warnings.push(
      `its chunks are too many to be looked for at once: a missing one among the last ${unknown} frames ends the reading.`,
    );
  }
  if (most === 0) {
    if (unknown === 0) warnings.push(`not one of its chunks is there: every sample is read as the fill value ${fill}.`);
    return [];
  }
  if (most < all) {
    warnings.push(
      `every frame lacks ${most === all - 1 ? "one" : `${all - most} or more`} of its ${all} chunks: samples there are read as the fill value ${fill}.`,
    );
  }
  const incomplete = [...counts.keys()].filter((frame) => counts[frame]! >= 0 && counts[frame]! < most);
  if (incomplete.length > 0) {
    const without = incomplete.filter((frame) => counts[frame] === 0).length;
    const whole = without === incomplete.length ? "all chunks" : without === 0 ? "some chunks" : "chunks";
    warnings.push(
      `${whole} of ${frameList(incomplete)} of ${frames} are missing: they are read as the fill value ${fill}, and an analysis leaves them out. Copy the whole folder again.`,
    );
  }
  return incomplete;
}
