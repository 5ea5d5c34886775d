/**
 * DEFLATE (RFC 1951) from a source of bytes, a piece at a time: bounded, stoppable between pieces, used up to a cut,
 * and it tells where the packed data end, which gzip with several members needs. The unpacking is fflate's.
 *
 * Two things fflate tells no caller: where the packed data ended, and the beginning of a stored block that is not
 * whole. Both stand in its stream's state, which its own Gunzip goes by and which is read here, too; package.json
 * names the one version of fflate that this is tried with.
 */
import { Inflate } from "fflate";
import { FormatError } from "../model/errors.js";
import type { ByteSource } from "./bytes.js";

/** Given to fflate at a time. As DEFLATE unpacks to 1032 times as much at most, what comes out at once is below 9 MB. */
const PUSHED_BYTES = 1 << 13;
const READ_BYTES = 1 << 16;
const PIECE_BYTES = 1 << 20;

/** How packed data ended. */
export interface InflateEnd {
  /** Offset of the first byte behind them. */
  readonly end: number;
  /** False where the source ended before they did. */
  readonly whole: boolean;
}

/** The state of fflate's Inflate between two pieces. */
interface InflateState {
  /** Bytes that are not used up. */
  readonly p: Uint8Array;
  /** p: bits of these that are; f: whether the last block has begun; l: the codes of a block that has not ended. */
  readonly s: { readonly p?: number; readonly f?: number; readonly l?: unknown };
}

/**
 * The bytes packed between `from` and `to` of a source, in pieces of at most 1 MiB, which are the caller's. At most
 * 64 KiB are read, and 9 MB unpacked, ahead of what is asked for: who has enough stops. Throws FormatError with the
 * offset from which on the packed data are corrupt. fflate lets some corrupt data pass (codes that are impossible, most
 * stored blocks whose length contradicts its complement); those show in the checksum, which is for the caller to
 * compare. Data that are cut give what is before the cut.
 */
export async function* inflated(
  source: ByteSource,
  from: number,
  to: number,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, InflateEnd> {
  let unpacked: Uint8Array = new Uint8Array();
  const stream = new Inflate((bytes) => void (unpacked = bytes));
  const state = stream as unknown as InflateState;
  let at = from;
  for (let wanted = PUSHED_BYTES, isLast = false; !isLast; wanted = READ_BYTES) {
    const room = new Uint8Array(Math.max(0, Math.min(wanted, to - at)));
    const got = room.length === 0 ? 0 : await source.read(at, room, signal);
    isLast = got < room.length || at + got >= to;
    for (let used = 0; used < got; used += PUSHED_BYTES) {
      const pushed = room.subarray(used, Math.min(used + PUSHED_BYTES, got));
      at += pushed.length;
      try {
        stream.push(pushed);
      } catch (cause) {
        if (!(cause instanceof Error && "code" in cause)) throw cause;
        throw corrupt(source, at, state, cause.message, cause);
      }
      yield* pieces(unpacked);
      if (state.s.f && !state.s.l) return { end: at - state.p.length + Math.ceil((state.s.p ?? 0) / 8), whole: true };
    }
  }
  const rest = heldBack(state);
  if (rest === null) throw corrupt(source, at, state, "the length of a stored block contradicts its complement");
  yield* pieces(rest);
  return { end: to, whole: false };
}

function* pieces(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) yield bytes.subarray(at, at + PIECE_BYTES);
}

function corrupt(source: ByteSource, at: number, { p, s }: InflateState, why: string, cause?: unknown): FormatError {
  const length = p.length - ((s.p ?? 0) >> 3);
  const offset = at - length;
  return new FormatError(
    `${source.name}: the packed data are damaged within ${length} bytes from byte ${offset} on (${why}). Copy the file again or unpack it elsewhere.`,
    { path: source.name, offset, cause },
  );
}

/**
 * The beginning of a stored block (bit "last", 2 bits 0, from the next byte on u16 length, u16 complement) that was
 * cut; null where its length contradicts its complement.
 */
function heldBack({ p, s }: InflateState): Uint8Array | null {
  const bit = s.p ?? 0;
  const u16 = (at: number): number => (p[at] ?? 0) | ((p[at + 1] ?? 0) << 8);
  const at = (bit + 3 + 7) >> 3;
  if (s.l || ((u16(bit >> 3) >> ((bit & 7) + 1)) & 3) !== 0 || at + 4 > p.length) return new Uint8Array();
  return (u16(at) ^ u16(at + 2)) === 0xffff ? p.slice(at + 4, at + 4 + u16(at)) : null;
}

let crcTable: Uint32Array | null = null;

/** CRC-32 of zip and gzip (ISO 3309, reversed polynomial 0xEDB88320) over pieces: give the value so far to go on. */
export function crc32(bytes: Uint8Array, before = 0): number {
  crcTable ??= Uint32Array.from({ length: 256 }, (_, value) => {
    let rest = value;
    for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? (rest >>> 1) ^ 0xedb88320 : rest >>> 1;
    return rest;
  });
  let crc = ~before;
  for (let at = 0; at < bytes.length; at++) crc = crcTable[(crc ^ bytes[at]!) & 255]! ^ (crc >>> 8);
  return ~crc >>> 0;
}
