/** Bytes of a decoded strip or tile as samples: byte order, predictors, and bit depths that are no whole bytes. */
import type { Samples } from "../model/movie.js";
import { halfFloat, machineIsLittle, swapBytes } from "./byte-order.js";
import { rowBytes, type PageLayout } from "./tiff-page.js";

/** Samples in the machine's own order, each row as long as the block is wide. */
export function samplesOf(layout: PageLayout, bytes: Uint8Array, littleEndian: boolean): Samples {
  const { bitsPerSample: bits, predictor } = layout;
  const perRow = layout.blockWidth * (layout.separate ? 1 : layout.samplesPerPixel);
  const stride = layout.separate ? 1 : layout.samplesPerPixel;
  if (predictor === 3) {
    // The bytes of a row stand sorted by rank, highest first, whatever the file's order.
    return toStandard(layout, gatherFloats(bytes, perRow, stride, bits / 8));
  }
  if (bits % 8 !== 0 || bits === 24) return unpack(layout, bytes, perRow, littleEndian);
  // A copy, since a typed array must begin at a multiple of its size.
  const raw = rawArray(bits, bytes);
  if (littleEndian !== machineIsLittle) swapBytes(raw);
  if (predictor === 2) {
    if (bits === 64) sumRows(new BigUint64Array(raw.buffer), perRow, stride);
    else sumRows(raw, perRow, stride);
  }
  return toStandard(layout, raw);
}

/** Predictor 2 undone: every sample but a row's first is the difference from the one before, whatever its type. */
function sumRows(raw: Unsigned | BigUint64Array, perRow: number, stride: number): void {
  const values = raw as Unsigned;
  for (let row = 0; row < raw.length; row += perRow) {
    for (let at = row + stride; at < row + perRow; at++) values[at]! += values[at - stride]!;
  }
}

type Unsigned = Uint8Array | Uint16Array | Uint32Array | Float64Array;

function rawArray(bits: number, bytes: Uint8Array): Unsigned {
  const { buffer } = bytes.slice();
  if (bits === 8) return new Uint8Array(buffer);
  if (bits === 16) return new Uint16Array(buffer);
  return bits === 32 ? new Uint32Array(buffer) : new Float64Array(buffer);
}

/** The same bits seen as the layout's own type; half floats become float32. */
function toStandard(layout: PageLayout, raw: Unsigned): Samples {
  if (layout.sampleFormat === "float") {
    if (layout.bitsPerSample === 16) return Float32Array.from(raw as Uint16Array, halfFloat);
    return layout.bitsPerSample === 64 ? raw : new Float32Array(raw.buffer);
  }
  if (layout.sampleFormat === "uint") return raw;
  if (layout.bitsPerSample === 8) return new Int8Array(raw.buffer);
  return layout.bitsPerSample === 16 ? new Int16Array(raw.buffer) : new Int32Array(raw.buffer);
}

/** Predictor 3 undone: bytes summed along the row, then put together again (Adobe, TIFF Technical Note 3). */
function gatherFloats(bytes: Uint8Array, perRow: number, stride: number, width: number): Unsigned {
  const whole = new Uint8Array(bytes.length);
  const rowLength = perRow * width;
  for (let row = 0; row < bytes.length; row += rowLength) {
    for (let at = row + stride; at < row + rowLength; at++) bytes[at]! += bytes[at - stride]!;
    for (let index = 0; index < perRow; index++) {
      for (let rank = 0; rank < width; rank++) {
        const place = machineIsLittle ? width - 1 - rank : rank;
        whole[row + index * width + place] = bytes[row + rank * perRow + index]!;
      }
    }
  }
  return rawArray(width * 8, whole);
}

/** Samples of any bit depth, highest bit first, each row begun at a byte; 24 bits in the file's byte order. */
function unpack(layout: PageLayout, bytes: Uint8Array, perRow: number, littleEndian: boolean): Samples {
  const { bitsPerSample: bits } = layout;
  const length = rowBytes(layout);
  const rows = Math.floor(bytes.length / length);
  const size = perRow * rows;
  const signed = layout.sampleFormat === "int";
  const samples = bits < 8 ? new Uint8Array(size) : bits < 16 ? new Uint16Array(size) : new Uint32Array(size);
  const sign = 2 ** (bits - 1);
  for (let row = 0; row < rows; row++) {
    let at = row * length;
    let held = 0;
    let value = 0;
    for (let index = 0; index < perRow; index++) {
      if (bits === 24) {
        const [low, high] = littleEndian ? [at, at + 2] : [at + 2, at];
        value = bytes[low]! + bytes[at + 1]! * 256 + bytes[high]! * 65536;
        at += 3;
      } else {
        let left = bits;
        value = 0;
        while (left > 0) {
          const take = Math.min(left, 8 - held);
          value = value * 2 ** take + ((bytes[at]! >> (8 - held - take)) & (2 ** take - 1));
          held += take;
          left -= take;
          if (held === 8) {
            held = 0;
            at++;
          }
        }
      }
      samples[row * perRow + index] = signed && value >= sign ? value - 2 * sign : value;
    }
  }
  if (!signed) return samples;
  if (bits < 8) return new Int8Array(samples.buffer);
  return bits < 16 ? new Int16Array(samples.buffer) : new Int32Array(samples.buffer);
}
