/** The order of bytes in a sample, the machine's and a file's. */
import type { Samples } from "../model/movie.js";

/** Whether this machine stores the lowest byte first. */
export const machineIsLittle = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** The bytes behind samples, not a copy. */
export function bytesOf(samples: Samples): Uint8Array {
  return new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
}

/** Reverses the bytes of every sample in place. */
export function swapBytes(samples: Samples): void {
  const width = samples.BYTES_PER_ELEMENT;
  const bytes = bytesOf(samples);
  if (width === 2) {
    for (let at = 0; at < bytes.length; at += 2) {
      const first = bytes[at]!;
      bytes[at] = bytes[at + 1]!;
      bytes[at + 1] = first;
    }
  } else if (width > 1) {
    for (let at = 0; at < bytes.length; at += width) bytes.subarray(at, at + width).reverse();
  }
}

/** The bytes of samples with the lowest first; a copy only where the machine stores them otherwise. */
export function littleEndianBytes(samples: Samples): Uint8Array {
  if (machineIsLittle || samples.BYTES_PER_ELEMENT === 1) return bytesOf(samples);
  const swapped = samples.slice();
  swapBytes(swapped);
  return bytesOf(swapped);
}

/** A float16 by its bits. Source: IEEE 754. */
export function halfFloat(bits: number): number {
  const sign = (bits & 0x8000) === 0 ? 1 : -1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}
