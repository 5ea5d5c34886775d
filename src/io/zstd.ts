/**
 * Zstandard, bounded before it is unpacked: the unpacking is numcodecs' (WebAssembly), a frame at a time.
 *
 *     frames, one after another, each
 *     u32 LE 0xFD2FB528, u8 descriptor: top 2 bits size of the content size (0, 2, 4, 8 bytes), 32 single segment
 *     (then 0 is 1 byte), 4 checksum, low 2 bits size of the dictionary's number (0, 1, 2, 4);
 *     u8 window (none where single segment): 5 bits exponent above 10, 3 bits eighths; dictionary; content size (of 2
 *     bytes: less 256)
 *     blocks: u24 LE: 1 last, then 2 bits kind (0 stored, 1 one byte repeated, 2 packed), 21 bits length; u32 checksum
 *     or, to be skipped, u32 LE 0x184D2A50 to 5F, u32 LE length and so many bytes
 *
 * Source: RFC 8878.
 */

const magic = 0xfd2fb528;
const skippedMagic = 0x184d2a50;
const maxBlockBytes = 1 << 17;
/** Beside twice what is expected, frames that do not tell their size may unpack to so many bytes. */
const spareBytes = 1 << 24;
/** Frames in a row, those to be skipped among them. */
const maxFrames = 10_000;

/**
 * Unpacks frames that must hold exactly `expected` bytes. Throws RangeError where they claim more, are damaged (their
 * checksum is looked at), cut off or followed by other bytes, need a dictionary, or are more than 10,000. A frame that
 * does not tell its size may take as much again and 16 MiB, and zstd's window: 128 MiB at most.
 */
export async function unpackZstd(input: Uint8Array, expected: number): Promise<Uint8Array> {
  const output = await unpackFrames(input, expected, expected, Infinity);
  if (output.length !== expected) {
    throw new RangeError(`its Zstandard data unpack to ${output.length} bytes, not ${expected}`);
  }
  return output;
}

/** The same where the length is known only to be `limit` at most. */
export async function unpackZstdUpTo(input: Uint8Array, limit: number): Promise<Uint8Array> {
  return unpackFrames(input, limit, limit, Infinity);
}

/**
 * The first `size` bytes, or fewer where the frames hold less: what follows them is not looked at. Frames may unpack to
 * twice that and 16 MiB. Throws as unpackZstd.
 */
export async function unpackZstdBeginning(input: Uint8Array, size: number): Promise<Uint8Array> {
  return (await unpackFrames(input, size, mostUnsized(size), size)).subarray(0, size);
}

function mostUnsized(size: number): number {
  return 2 * size + spareBytes;
}

/** Frames up to the end, or until they gave `enough`; those that tell their size give `limit` bytes at most. */
async function unpackFrames(input: Uint8Array, size: number, limit: number, enough: number): Promise<Uint8Array> {
  const { default: Zstd } = await import("numcodecs/zstd");
  const zstd = new Zstd();
  const parts: Uint8Array[] = [];
  let total = 0;
  let at = 0;
  for (let number = 0; at < input.length || number === 0; number++) {
    if (number === maxFrames) throw new RangeError(`it has more than ${maxFrames} Zstandard frames`);
    const frame = frameAt(input, at);
    if (frame.claimed !== null && frame.claimed > limit - total) {
      throw new RangeError(`its Zstandard frame tells ${total + frame.claimed} bytes, not ${size}`);
    }
    if (frame.claimed === null && frame.most > mostUnsized(size) - total) {
      throw new RangeError(`its Zstandard frame unpacks to more than ${size} bytes`);
    }
    if (!frame.isSkipped) {
      const part = await zstd.decode(input.subarray(at, frame.end)).catch((cause: unknown) => {
        const why = cause instanceof Error ? cause.message.replace(/^.*zstd codec error: /, "") : String(cause);
        throw new RangeError(`its Zstandard frame cannot be unpacked: ${why}`, { cause });
      });
      parts.push(part);
      total += part.length;
    }
    at = frame.end;
    if (total >= enough) break;
  }
  if (parts.length === 1) return parts[0]!;
  const output = new Uint8Array(total);
  let written = 0;
  for (const part of parts) {
    output.set(part, written);
    written += part.length;
  }
  return output;
}

interface Frame {
  readonly end: number;
  readonly isSkipped: boolean;
  /** Bytes it unpacks to, as it tells itself; null where it does not. */
  readonly claimed: number | null;
  /** Bytes that its blocks can unpack to. */
  readonly most: number;
}

/** The frame at a place, walked from block to block. */
function frameAt(input: Uint8Array, start: number): Frame {
  const view = new DataView(input.buffer, input.byteOffset, input.byteLength);
  const left = input.length - start;
  const cut = (): RangeError => new RangeError(`its Zstandard frame is cut off after ${input.length} bytes`);
  const first = left < 4 ? null : view.getUint32(start, true);
  if (first !== null && (first & ~15) >>> 0 === skippedMagic) {
    const end = left < 8 ? Infinity : start + 8 + view.getUint32(start + 4, true);
    if (end > input.length) throw cut();
    return { end, isSkipped: true, claimed: 0, most: 0 };
  }
  if (first !== magic) {
    if (start > 0) throw new RangeError(`${left} bytes follow its Zstandard frame`);
    throw first === null ? cut() : new RangeError("it does not begin as a Zstandard frame does");
  }
  if (left < 6) throw cut();
  const [descriptor, window] = [input[start + 4]!, input[start + 5]!];
  if ((descriptor & 3) !== 0) throw new RangeError("its Zstandard frame needs a dictionary, which it does not hold");
  const isSingle = (descriptor & 32) !== 0;
  const sizeBytes = [isSingle ? 1 : 0, 2, 4, 8][descriptor >> 6]!;
  let at = start + 5 + (isSingle ? 0 : 1);
  if (at + sizeBytes > input.length) throw cut();
  const claimed = sizeBytes === 0 ? null : contentSize(view, at, sizeBytes);
  const blockBytes = isSingle ? maxBlockBytes : Math.min(maxBlockBytes, 2 ** (7 + (window >> 3)) * (8 + (window & 7)));
  at += sizeBytes;
  let most = 0;
  for (let last = false; !last;) {
    if (at + 3 > input.length) throw cut();
    const header = input[at]! | (input[at + 1]! << 8) | (input[at + 2]! << 16);
    const [kind, length] = [(header >> 1) & 3, header >> 3];
    last = (header & 1) === 1;
    if (kind === 3) throw new RangeError(`its Zstandard block at byte ${at} is of no known kind`);
    at += 3 + (kind === 1 ? 1 : length);
    most += kind === 2 ? blockBytes : length;
  }
  const end = at + ((descriptor & 4) !== 0 ? 4 : 0);
  if (end > input.length) throw cut();
  return { end, isSkipped: false, claimed, most };
}

function contentSize(view: DataView, at: number, bytes: number): number {
  if (bytes === 1) return view.getUint8(at);
  if (bytes === 2) return view.getUint16(at, true) + 256;
  return bytes === 4 ? view.getUint32(at, true) : Number(view.getBigUint64(at, true));
}
