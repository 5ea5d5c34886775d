/**
 * DEFLATE (RFC 1951) from a source of bytes, a piece at a time: bounded, stoppable between pieces, used up to a cut,
 * and it tells where the packed data end, which gzip with several members needs.
 *
 * A block is 1 bit "last", 2 bits kind (0 stored, 1 fixed codes, 2 own codes), then its data; bits fill a byte from
 * the lowest. Codes are canonical Huffman codes of up to 15 bits, their highest bit first.
 */
import { FormatError } from "../model/errors.js";
import type { ByteSource } from "./bytes.js";

const WINDOW = 32_768;
const LONGEST_MATCH = 258;
/** Bytes of a piece, but for its overlap with what was before. */
const PIECE_BYTES = 1 << 20;
const INPUT_BYTES = 1 << 16;
/** Zero bytes behind the input, so that bits may be asked for past its end. */
const PAD = 8;
/** More than the codes of a block can take (about 300 bytes), and than a symbol does. */
const AHEAD_BYTES = 512;

const order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
const lengthBase = [
  3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258,
];
const lengthExtra = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
const distanceBase = [
  1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145,
  8193, 12289, 16385, 24577,
];
const distanceExtra = [
  0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13,
];

/** How packed data ended. */
export interface InflateEnd {
  /** Offset of the first byte behind them. */
  readonly end: number;
  /** False where the source ended before they did. */
  readonly whole: boolean;
}

/** Memory to work in, to be handed on where many small streams follow each other. */
export interface InflateRoom {
  readonly input: Uint8Array;
  readonly output: Uint8Array;
}

/** Room for one stream at a time: about 1.1 MiB. */
export function inflateRoom(): InflateRoom {
  return {
    input: new Uint8Array(INPUT_BYTES + PAD),
    output: new Uint8Array(WINDOW + PIECE_BYTES + LONGEST_MATCH),
  };
}

/**
 * The bytes packed between `from` and `to` of a source, in pieces of at most 1.1 MiB, each a copy. Nothing
 * is read ahead of what is asked for: who has enough stops. Throws FormatError with the offset where the packed data
 * are corrupt; data that are cut give what is before the cut.
 */
export async function* inflated(
  source: ByteSource,
  from: number,
  to: number,
  room: InflateRoom = inflateRoom(),
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, InflateEnd> {
  const { input, output } = room;
  const state: State = { input, output, bit: 0, filled: 0, at: 0, begin: 0, last: false };
  let base = from;
  const refill = async (): Promise<void> => {
    const used = state.bit >>> 3;
    input.copyWithin(0, used, state.filled);
    base += used;
    state.filled -= used;
    state.bit &= 7;
    const room_bytes = Math.max(0, Math.min(INPUT_BYTES - state.filled, to - base - state.filled));
    const into = input.subarray(state.filled, state.filled + room_bytes);
    const got = room_bytes === 0 ? 0 : await source.read(base + state.filled, into, signal);
    state.filled += got;
    state.last = got < room_bytes || base + state.filled >= to;
    input.fill(0, state.filled, state.filled + PAD);
  };
  const corrupt = (what: string): FormatError => {
    const offset = base + (state.bit >>> 3);
    return new FormatError(
      `${source.name}: the packed data are damaged at byte ${offset} (${what}). Copy the file again or unpack it elsewhere.`,
      { path: source.name, offset },
    );
  };
  const near = (): boolean => !state.last && (state.bit >>> 3) + AHEAD_BYTES > state.filled;
  const isCut = (): boolean => state.bit > 8 * state.filled;

  for (let final = false; !final;) {
    if (near()) await refill();
    final = takeBits(state, 1) === 1;
    const kind = takeBits(state, 2);
    if (isCut()) return yield* rest(state, to);
    if (kind === 0) {
      state.bit = (state.bit + 7) & ~7;
      const length = takeBits(state, 16);
      const check = takeBits(state, 16);
      if (isCut()) return yield* rest(state, to);
      if ((length ^ check) !== 0xffff) throw corrupt("the length of a stored block contradicts its complement");
      for (let left = length; left > 0;) {
        if (state.bit >>> 3 >= state.filled && !state.last) await refill();
        const at = state.bit >>> 3;
        const free = WINDOW + PIECE_BYTES - state.at;
        if (free <= 0) {
          yield piece(state);
          continue;
        }
        const count = Math.min(left, state.filled - at, free);
        if (count <= 0) return yield* rest(state, to);
        output.set(input.subarray(at, at + count), state.at);
        state.at += count;
        state.bit += 8 * count;
        left -= count;
      }
      continue;
    }
    if (kind === 3) throw corrupt("a block of an unknown kind");
    const codes = kind === 1 ? fixedCodes() : ownCodes(state);
    if (isCut() || (codes === null && state.bit + 16 > 8 * state.filled)) return yield* rest(state, to);
    if (codes === null) throw corrupt("a block's codes are impossible");
    for (let why: Pause = "input"; why !== "block";) {
      why = decodeBlock(state, codes);
      if (why === "cut") return yield* rest(state, to);
      if (why === "input") await refill();
      else if (why === "output") yield piece(state);
      else if (why === "corrupt") throw corrupt("no such code or distance");
    }
  }
  const end = base + ((state.bit + 7) >>> 3);
  if (state.at > state.begin) yield piece(state);
  return { end, whole: true };
}

interface State {
  readonly input: Uint8Array;
  readonly output: Uint8Array;
  /** Place in the input, in bits. */
  bit: number;
  /** Bytes of the input that are the file's. */
  filled: number;
  /** Place in the output; what is before `begin` has been given away. */
  at: number;
  begin: number;
  /** Whether nothing follows the input. */
  last: boolean;
}

/** Hands out what is new and keeps the window that later matches may point into. */
function piece(state: State): Uint8Array {
  const { output, begin, at } = state;
  const given = output.slice(begin, at);
  const keep = Math.min(at, WINDOW);
  output.copyWithin(0, at - keep, at);
  state.at = keep;
  state.begin = keep;
  return given;
}

function* rest(state: State, end: number): Generator<Uint8Array, InflateEnd> {
  if (state.at > state.begin) yield piece(state);
  return { end, whole: false };
}

/** The next bits, at most 16, the first the lowest. */
function takeBits(state: State, count: number): number {
  const value = bitsAt(state.input, state.bit) & ((1 << count) - 1);
  state.bit += count;
  return value;
}

/** At least 25 bits from a place. */
function bitsAt(input: Uint8Array, bit: number): number {
  const at = bit >>> 3;
  return (input[at]! | (input[at + 1]! << 8) | (input[at + 2]! << 16) | (input[at + 3]! << 24)) >>> (bit & 7);
}

interface Code {
  /** By the next `bits` bits: symbol << 4 | its length; 0 where no symbol has this code. */
  readonly table: Uint16Array;
  readonly bits: number;
}

interface Codes {
  readonly literal: Code;
  readonly distance: Code;
}

/** The table of a canonical code; null where more symbols have a code than there are codes. */
function codeOf(lengths: Uint8Array): Code | null {
  const count = new Uint16Array(16);
  for (const length of lengths) count[length]!++;
  count[0] = 0;
  const next = new Uint16Array(16);
  let code = 0;
  let bits = 0;
  for (let length = 1; length <= 15; length++) {
    code = (code + count[length - 1]!) << 1;
    if (code + count[length]! > 1 << length) return null;
    next[length] = code;
    if (count[length]! > 0) bits = length;
  }
  const table = new Uint16Array(1 << bits);
  for (const [symbol, length] of lengths.entries()) {
    if (length === 0) continue;
    const first = reversed(next[length]!++, length);
    for (let at = first; at < table.length; at += 1 << length) table[at] = (symbol << 4) | length;
  }
  return { table, bits };
}

function reversed(code: number, length: number): number {
  let mirror = 0;
  for (let bit = 0; bit < length; bit++) mirror |= ((code >>> bit) & 1) << (length - 1 - bit);
  return mirror;
}

let fixed: Codes | null = null;

function fixedCodes(): Codes {
  if (fixed === null) {
    const lengths = new Uint8Array(288).fill(8);
    lengths.fill(9, 144, 256);
    lengths.fill(7, 256, 280);
    fixed = { literal: codeOf(lengths)!, distance: codeOf(new Uint8Array(30).fill(5))! };
  }
  return fixed;
}

/** The codes at the head of a block; null where they are impossible. A cut shows in the place of the state. */
function ownCodes(state: State): Codes | null {
  const literals = takeBits(state, 5) + 257;
  const distances = takeBits(state, 5) + 1;
  const helpers = takeBits(state, 4) + 4;
  const helperLengths = new Uint8Array(19);
  for (const symbol of order.slice(0, helpers)) helperLengths[symbol] = takeBits(state, 3);
  const helper = codeOf(helperLengths);
  if (helper === null) return null;
  const lengths = new Uint8Array(literals + distances);
  for (let at = 0; at < lengths.length;) {
    const entry = helper.table[bitsAt(state.input, state.bit) & ((1 << helper.bits) - 1)]!;
    if (entry === 0) return null;
    state.bit += entry & 15;
    const symbol = entry >>> 4;
    if (symbol < 16) {
      lengths[at++] = symbol;
      continue;
    }
    if (symbol === 16 && at === 0) return null;
    const value = symbol === 16 ? lengths[at - 1]! : 0;
    const times =
      symbol === 16 ? 3 + takeBits(state, 2) : symbol === 17 ? 3 + takeBits(state, 3) : 11 + takeBits(state, 7);
    if (at + times > lengths.length) return null;
    lengths.fill(value, at, at + times);
    at += times;
  }
  const literal = codeOf(lengths.subarray(0, literals));
  const distance = codeOf(lengths.subarray(literals));
  return literal === null || distance === null ? null : { literal, distance };
}

/** Why decoding paused: more input is wanted, the output is full, the block is done. */
type Pause = "input" | "output" | "block" | "cut" | "corrupt";

function decodeBlock(state: State, { literal, distance }: Codes): Pause {
  const { input, output, filled, last } = state;
  const { table } = literal;
  const mask = (1 << literal.bits) - 1;
  const distanceTable = distance.table;
  const distanceMask = (1 << distance.bits) - 1;
  const full = WINDOW + PIECE_BYTES;
  const stop = 8 * (last ? filled : filled - AHEAD_BYTES);
  let { bit, at } = state;
  let why: Pause = "block";
  for (;;) {
    if (at >= full) {
      why = "output";
      break;
    }
    if (bit >= stop && !last) {
      why = "input";
      break;
    }
    let word = bitsAt(input, bit);
    const entry = table[word & mask]!;
    const width = entry & 15;
    let next = bit + width;
    if (next > 8 * filled || (entry === 0 && bit + 15 > 8 * filled)) {
      why = "cut";
      break;
    }
    if (entry === 0) {
      why = "corrupt";
      break;
    }
    const symbol = entry >>> 4;
    if (symbol < 256) {
      output[at++] = symbol;
      bit = next;
      continue;
    }
    if (symbol === 256) {
      bit = next;
      break;
    }
    if (symbol > 285) {
      why = "corrupt";
      break;
    }
    const extra = lengthExtra[symbol - 257]!;
    const length = lengthBase[symbol - 257]! + ((word >>> width) & ((1 << extra) - 1));
    next += extra;
    word = bitsAt(input, next);
    const far = distanceTable[word & distanceMask]!;
    const farSymbol = far >>> 4;
    if (far === 0 || farSymbol > 29) {
      why = next + 15 > 8 * filled ? "cut" : "corrupt";
      break;
    }
    next += far & 15;
    const farExtra = distanceExtra[farSymbol]!;
    const back = distanceBase[farSymbol]! + (bitsAt(input, next) & ((1 << farExtra) - 1));
    next += farExtra;
    if (next > 8 * filled) {
      why = "cut";
      break;
    }
    if (back > at) {
      why = "corrupt";
      break;
    }
    if (back === 1) output.fill(output[at - 1]!, at, at + length);
    else for (let to = at, end = at + length; to < end; to++) output[to] = output[to - back]!;
    at += length;
    bit = next;
  }
  state.bit = bit;
  state.at = at;
  return why;
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
