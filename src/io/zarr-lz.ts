/**
 * LZ4 blocks and BloscLZ, the two byte codes that Zarr chunks are mostly packed with.
 *
 * Both repeat what was written before. LZ4: token (high 4 bits literals, low 4 bits match - 4; 15 goes on in bytes
 * of 255), literals, u16 LE distance. BloscLZ: a control byte below 32 is literals + 1; else its top 3 bits are
 * match - 2 (7 goes on in bytes of 255), its low 5 bits and the next byte the distance - 1, beyond 8191 in two more.
 *
 * Neither has a checksum: the output must come out at exactly the length that is expected.
 * Sources: lz4_Block_format.md of the LZ4 project; c-blosc, README_CHUNK_FORMAT and blosclz.
 */

/** Unpacks an LZ4 block into `output`. Throws RangeError where it does not fill it exactly. */
export function unpackLz4(input: Uint8Array, output: Uint8Array): void {
  let from = 0;
  let to = 0;
  const long = (length: number): number => {
    for (let more = 255; more === 255; length += more) {
      if (from >= input.length) throw damaged("LZ4", from);
      more = input[from++]!;
    }
    return length;
  };
  while (from < input.length) {
    const token = input[from++]!;
    let literals = token >> 4;
    if (literals === 15) literals = long(literals);
    if (literals > input.length - from || literals > output.length - to) throw damaged("LZ4", from);
    if (literals > 32) output.set(input.subarray(from, from + literals), to);
    else for (let at = 0; at < literals; at++) output[to + at] = input[from + at]!;
    from += literals;
    to += literals;
    // The last sequence is literals alone.
    if (from === input.length) break;
    if (input.length - from < 2) throw damaged("LZ4", from);
    const distance = input[from]! | (input[from + 1]! << 8);
    from += 2;
    let length = token & 15;
    if (length === 15) length = long(length);
    length += 4;
    if (distance === 0 || distance > to || length > output.length - to) throw damaged("LZ4", from);
    repeat(output, to, distance, length);
    to += length;
  }
  if (to !== output.length) throw damaged("LZ4", from);
}

/** Unpacks a BloscLZ stream into `output`. Throws RangeError where it does not fill it exactly. */
export function unpackBloscLz(input: Uint8Array, output: Uint8Array): void {
  if (input.length === 0) throw damaged("BloscLZ", 0);
  let from = 1;
  let to = 0;
  let control = input[0]! & 31;
  for (;;) {
    if (control >= 32) {
      let length = (control >> 5) + 2;
      let distance = (control & 31) << 8;
      if (length === 9) {
        for (let more = 255; more === 255; length += more) {
          if (from >= input.length) throw damaged("BloscLZ", from);
          more = input[from++]!;
        }
      }
      if (from >= input.length) throw damaged("BloscLZ", from);
      const low = input[from++]!;
      distance += low;
      if (low === 255 && distance === 8191) {
        if (input.length - from < 2) throw damaged("BloscLZ", from);
        distance += (input[from]! << 8) | input[from + 1]!;
        from += 2;
      }
      distance += 1;
      if (distance > to || length > output.length - to) throw damaged("BloscLZ", from);
      repeat(output, to, distance, length);
      to += length;
    } else {
      const literals = control + 1;
      if (literals > input.length - from || literals > output.length - to) throw damaged("BloscLZ", from);
      for (let at = 0; at < literals; at++) output[to + at] = input[from + at]!;
      from += literals;
      to += literals;
    }
    if (from >= input.length) break;
    control = input[from++]!;
  }
  if (to !== output.length) throw damaged("BloscLZ", from);
}

function repeat(output: Uint8Array, to: number, distance: number, length: number): void {
  if (distance === 1) output.fill(output[to - 1]!, to, to + length);
  else if (distance >= length && length > 32) output.copyWithin(to, to - distance, to - distance + length);
  else for (let at = 0; at < length; at++) output[to + at] = output[to - distance + at]!;
}

function damaged(what: string, at: number): RangeError {
  return new RangeError(`its ${what} data are damaged at byte ${at}`);
}
