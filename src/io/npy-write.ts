/** NumPy's .npy, version 1.0, written: little-endian, C order. */

const descriptors = new Map<string, string>([
  ["Float32Array", "<f4"],
  ["Float64Array", "<f8"],
  ["Uint8Array", "|u1"],
  ["Int8Array", "|i1"],
  ["Uint16Array", "<u2"],
  ["Int16Array", "<i2"],
  ["Uint32Array", "<u4"],
  ["Int32Array", "<i4"],
]);

/** A typed array that .npy can hold. */
export type NpyArray =
  Float32Array | Float64Array | Uint8Array | Int8Array | Uint16Array | Int16Array | Uint32Array | Int32Array;

/** The bytes of a .npy file that holds `data` in the given shape. Throws RangeError when the shape does not fit. */
export function encodeNpy(data: NpyArray, shape: readonly number[] = [data.length]): Uint8Array {
  const size = shape.reduce((product, n) => product * n, 1);
  if (size !== data.length) throw new RangeError(`shape ${shape.join(" x ")} does not hold ${data.length} samples`);
  const descriptor = descriptors.get(data.constructor.name);
  if (descriptor === undefined) throw new RangeError(`${data.constructor.name} has no .npy type`);
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
  const text = `{'descr': '${descriptor}', 'fortran_order': False, 'shape': ${tuple}, }`;
  // Magic, version and length are 10 bytes; header and newline are padded to a multiple of 64.
  const padded = Math.ceil((10 + text.length + 1) / 64) * 64 - 10;
  const bytes = new Uint8Array(10 + padded + data.byteLength);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, padded & 255, padded >> 8]);
  bytes.set(new TextEncoder().encode(text.padEnd(padded - 1) + "\n"), 10);
  bytes.set(littleEndian(data), 10 + padded);
  return bytes;
}

function littleEndian(data: NpyArray): Uint8Array {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  if (new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 || data.BYTES_PER_ELEMENT === 1) return bytes;
  const swapped = Uint8Array.from(bytes);
  const width = data.BYTES_PER_ELEMENT;
  for (let at = 0; at < swapped.length; at += width) swapped.subarray(at, at + width).reverse();
  return swapped;
}
