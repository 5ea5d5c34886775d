/** What is measured of one frame at a glance: its light, its limits, and a small image of it. */
import { quantileInPlace } from "../kernels/stats.js";
import type { MovieFile, Samples } from "../model/movie.js";

/** One frame's light, in stored values. */
export interface FrameLight {
  readonly frame: number;
  readonly mean: number;
  readonly min: number;
  readonly max: number;
  /** 1st, 50th and 99th percentile of about 65,000 pixels. */
  readonly p1: number;
  readonly p50: number;
  readonly p99: number;
  /** Share of samples at `max`, and within 1 % of the range below it. */
  readonly atMax: number;
  readonly belowMax: number;
  /** Share of samples at 0. */
  readonly atZero: number;
  /** The same for frames with the same samples, different for others but for chance. */
  readonly print: string;
}

/** Pixels whose percentiles stand for a frame's. */
const PERCENTILE_PIXELS = 65_536;

/** Measures the samples of a frame; NaN is passed over. */
export function frameLight(frame: number, samples: Samples): FrameLight {
  let [min, max, sum, known, zeros] = [Infinity, -Infinity, 0, 0, 0];
  for (let at = 0; at < samples.length; at++) {
    const value = samples[at]!;
    if (value !== value) continue;
    if (value < min) min = value;
    if (value > max) max = value;
    if (value === 0) zeros++;
    sum += value;
    known++;
  }
  const stride = oddStride(samples.length / PERCENTILE_PIXELS);
  const some = new Float64Array(Math.ceil(samples.length / stride));
  let count = 0;
  for (let at = 0; at < samples.length; at += stride) {
    const value = samples[at]!;
    if (value - value === 0) some[count++] = value;
  }
  // The kernel orders what it is given, so percentiles follow each other in place.
  const [p1, p50, p99] = [0.01, 0.5, 0.99].map((part) => quantileInPlace(some, count, part)) as [
    number,
    number,
    number,
  ];
  const below = max - Math.max(1, 0.01 * (max - min));
  let [top, near] = [0, 0];
  for (let at = 0; at < samples.length; at++) {
    const value = samples[at]!;
    if (value === max) top++;
    else if (value >= below) near++;
  }
  const none = known === 0;
  return {
    frame,
    mean: none ? NaN : sum / known,
    min: none ? NaN : min,
    max: none ? NaN : max,
    p1,
    p50,
    p99,
    atMax: none ? 0 : top / known,
    belowMax: none ? 0 : near / known,
    atZero: none ? 0 : zeros / known,
    print: printOf(samples),
  };
}

/** A stride that shares no factor of 2 with a row's length, so that all columns are seen. */
function oddStride(stride: number): number {
  return Math.max(1, 2 * Math.floor(stride / 2) + 1);
}

function printOf(samples: Samples): string {
  const { buffer, byteOffset, byteLength } = samples;
  const words = byteOffset % 4 === 0 ? new Uint32Array(buffer, byteOffset, byteLength >> 2) : null;
  const bytes = new Uint8Array(buffer, byteOffset, byteLength);
  let [a, b] = [0x811c9dc5, 0x9e3779b9];
  const take = (word: number): void => {
    a = Math.imul(a ^ word, 0x01000193);
    b = Math.imul(b + word, 0x85ebca6b);
    b ^= b >>> 13;
  };
  if (words !== null) for (let at = 0; at < words.length; at++) take(words[at]!);
  for (let at = words === null ? 0 : 4 * words.length; at < bytes.length; at++) take(bytes[at]!);
  return `${(a >>> 0).toString(16)}-${(b >>> 0).toString(16)}`;
}

/** A frame made small: means of square cells of `cell_px` px. */
export interface SmallImage {
  readonly width: number;
  readonly height: number;
  readonly cell_px: number;
  readonly data: Float32Array;
}

/** Makes a frame at most `most` px wide and high; of a colour frame the mean of its colours. */
export function smallImage(
  samples: Samples,
  { width, height, samplesPerPixel = 1 }: Pick<MovieFile, "width" | "height" | "samplesPerPixel">,
  most: number,
): SmallImage {
  const cell_px = Math.max(1, Math.ceil(Math.max(width, height) / most));
  const columns = Math.max(1, Math.floor(width / cell_px));
  const rows = Math.max(1, Math.floor(height / cell_px));
  const data = new Float32Array(columns * rows);
  const line = new Float64Array(columns);
  const across = Math.min(width, columns * cell_px);
  for (let row = 0; row < rows; row++) {
    line.fill(0);
    const end = Math.min(height, (row + 1) * cell_px);
    for (let y = row * cell_px; y < end; y++) {
      for (let x = 0, at = y * width * samplesPerPixel; x < across; x++, at += samplesPerPixel) {
        const column = Math.floor(x / cell_px);
        line[column] = line[column]! + greyAt(samples, at, samplesPerPixel);
      }
    }
    const pixels = (end - row * cell_px) * Math.min(cell_px, width);
    for (let column = 0; column < columns; column++) data[row * columns + column] = line[column]! / pixels;
  }
  return { width: columns, height: rows, cell_px, data };
}

/** The middle of a frame at full resolution, at most `most` px wide and high. */
export function middleOf(
  samples: Samples,
  { width, height, samplesPerPixel = 1 }: Pick<MovieFile, "width" | "height" | "samplesPerPixel">,
  most: number,
): { readonly width: number; readonly height: number; readonly data: Float32Array } {
  const columns = Math.min(width, most);
  const rows = Math.min(height, most);
  const left = Math.floor((width - columns) / 2);
  const top = Math.floor((height - rows) / 2);
  const data = new Float32Array(columns * rows);
  for (let y = 0, into = 0; y < rows; y++) {
    const from = ((top + y) * width + left) * samplesPerPixel;
    for (let x = 0; x < columns; x++, into++) data[into] = greyAt(samples, from + x * samplesPerPixel, samplesPerPixel);
  }
  return { width: columns, height: rows, data };
}

/** Grey of a pixel: the mean of three colours; of grey with transparency the grey. */
function greyAt(samples: Samples, at: number, samplesPerPixel: number): number {
  return samplesPerPixel < 3 ? samples[at]! : (samples[at]! + samples[at + 1]! + samples[at + 2]!) / 3;
}
