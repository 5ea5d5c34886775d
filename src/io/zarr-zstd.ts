/**
 * One Zstandard frame, bounded before it is unpacked: the unpacking is numcodecs' (WebAssembly).
 *
 *     u32 LE 0xFD2FB528, u8 descriptor: top 2 bits size of the content size (0, 2, 4, 8 bytes), 32 single segment
 *     (then 0 is 1 byte), 4 checksum, low 2 bits size of the dictionary's number (0, 1, 2, 4);
 *     u8 window (none where single segment), dictionary, content size (of 2 bytes: less 256)
 *     blocks: u24 LE: 1 last, then 2 bits kind (0 stored, 1 one byte repeated, 2 packed), 21 bits length
 *
 * Source: RFC 8878.
 */

const magic = 0xfd2fb528;
const maxBlockBytes = 1 << 17;
/** What a frame that does not tell its size may unpack to at most, beside twice what is expected. */
const spareBytes = 1 << 24;

/** Unpacks a frame that must hold exactly `expected` bytes. Throws where it claims more, or is damaged. */
export async function unpackZstd(input: Uint8Array, expected: number): Promise<Uint8Array> {
  checkZstd(input, expected, true);
  const { default: Zstd } = await import("numcodecs/zstd");
  const output = await new Zstd(1).decode(input);
  if (output.length !== expected) {
    throw new RangeError(`its Zstandard data unpack to ${output.length} bytes, not ${expected}`);
  }
  return output;
}

/** The same where the length is known only to be `limit` at most. */
export async function unpackZstdUpTo(input: Uint8Array, limit: number): Promise<Uint8Array> {
  checkZstd(input, limit, false);
  const { default: Zstd } = await import("numcodecs/zstd");
  return new Zstd(1).decode(input);
}

function checkZstd(input: Uint8Array, size: number, exact: boolean): void {
  const view = new DataView(input.buffer, input.byteOffset, input.byteLength);
  const cut = (): RangeError => new RangeError(`its Zstandard frame is cut off after ${input.length} bytes`);
  if (input.length < 6) throw cut();
  if (view.getUint32(0, true) !== magic) throw new RangeError("it does not begin as a Zstandard frame does");
  const descriptor = input[4]!;
  const single = (descriptor & 32) !== 0;
  const sizeBytes = [single ? 1 : 0, 2, 4, 8][descriptor >> 6]!;
  let at = 5 + (single ? 0 : 1) + [0, 1, 2, 4][descriptor & 3]!;
  if (at + sizeBytes > input.length) throw cut();
  if (sizeBytes > 0) {
    const claimed =
      sizeBytes === 1
        ? input[at]!
        : sizeBytes === 2
          ? view.getUint16(at, true) + 256
          : sizeBytes === 4
            ? view.getUint32(at, true)
            : Number(view.getBigUint64(at, true));
    if (exact ? claimed !== size : claimed > size) {
      throw new RangeError(`its Zstandard frame tells ${claimed} bytes, not ${size}`);
    }
  }
  at += sizeBytes;
  let most = 0;
  for (let last = false; !last;) {
    if (at + 3 > input.length) throw cut();
    const header = input[at]! | (input[at + 1]! << 8) | (input[at + 2]! << 16);
    const [kind, length] = [(header >> 1) & 3, header >> 3];
    last = (header & 1) === 1;
    if (kind === 3) throw new RangeError(`its Zstandard block at byte ${at} is of no known kind`);
    at += 3 + (kind === 1 ? 1 : length);
    most += kind === 2 ? maxBlockBytes : length;
    if (most > 2 * size + spareBytes) throw new RangeError(`its Zstandard frame unpacks to more than ${size} bytes`);
  }
  const end = at + ((descriptor & 4) !== 0 ? 4 : 0);
  if (end > input.length) throw cut();
  if (end < input.length) throw new RangeError(`${input.length - end} bytes follow its Zstandard frame`);
}
