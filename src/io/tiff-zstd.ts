/**
 * Zstandard frames undone into an array that never grows, so that a small strip cannot claim more than it holds.
 *
 *     frame: u32 0xFD2FB528, descriptor, window, dictionary, size, blocks, u32 checksum where the descriptor says so
 *     block: u24 = last, type (raw, one byte repeated, compressed), size; compressed: literals, then sequences
 *
 * Checksums are not verified; dictionaries are refused. Source: RFC 8878.
 */

/** Decodes at most `size` bytes. Throws RangeError where the stream is corrupt or needs a dictionary. */
export function decodeZstd(stored: Uint8Array, size: number): Uint8Array {
  const out = new Uint8Array(size);
  const view = new DataView(stored.buffer, stored.byteOffset, stored.byteLength);
  let at = 0;
  let written = 0;
  while (at + 4 <= stored.length && written < size) {
    const magic = view.getUint32(at, true);
    if ((magic & 0xfffffff0) >>> 0 === 0x184d2a50) {
      if (at + 8 > stored.length) throw cutShort();
      at += 8 + view.getUint32(at + 4, true);
      continue;
    }
    if (magic !== 0xfd2fb528) throw new RangeError("not a ZSTD frame");
    const descriptor = byteAt(stored, at + 4);
    if ((descriptor & 8) !== 0) throw new RangeError("a ZSTD frame of an unknown kind");
    if ((descriptor & 3) !== 0) throw new RangeError("a ZSTD frame that needs a dictionary");
    const single = (descriptor & 0x20) !== 0;
    at += 5 + (single ? 0 : 1) + [single ? 1 : 0, 2, 4, 8][descriptor >> 6]!;
    const frame: Frame = { stored, out, start: written, offsets: [1, 4, 8], huffman: null, tables: [null, null, null] };
    for (let last = false; !last;) {
      if (at + 3 > stored.length) throw cutShort();
      const head = stored[at]! | (stored[at + 1]! << 8) | (stored[at + 2]! << 16);
      at += 3;
      last = (head & 1) === 1;
      const type = (head >> 1) & 3;
      const length = head >> 3;
      const held = type === 1 ? 1 : length;
      if (at + held > stored.length) throw cutShort();
      if (type === 3 || (type === 2 && length > largestBlock)) throw new RangeError("a ZSTD block of an unknown kind");
      if (type === 0) {
        const room = Math.min(length, size - written);
        out.set(stored.subarray(at, at + room), written);
        written += room;
      } else if (type === 1) {
        const end = Math.min(size, written + length);
        out.fill(stored[at]!, written, end);
        written = end;
      } else written = compressedBlock(frame, at, at + length, written);
      at += held;
      if (written === size) return out;
    }
    if ((descriptor & 4) !== 0) at += 4;
  }
  return out.subarray(0, written);
}

const largestBlock = 131_072;
const few = 64;

/** What one block leaves to the next. */
interface Frame {
  readonly stored: Uint8Array;
  readonly out: Uint8Array;
  /** Where the frame's content begins: no match reaches back behind it. */
  readonly start: number;
  readonly offsets: [number, number, number];
  huffman: Huffman | null;
  /** Tables of literal lengths, offsets and match lengths. */
  readonly tables: [Fse | null, Fse | null, Fse | null];
}

/** For each state: its symbol, and the bits and base that give the next. */
interface Fse {
  readonly log: number;
  readonly symbols: Uint8Array;
  readonly bits: Uint8Array;
  readonly bases: Uint16Array;
}

/** For each run of `log` bits: the symbol that they begin with and its own number of bits. */
interface Huffman {
  readonly log: number;
  readonly symbols: Uint8Array;
  readonly bits: Uint8Array;
}

function cutShort(): RangeError {
  return new RangeError("a ZSTD frame that is cut off");
}

function byteAt(stored: Uint8Array, at: number): number {
  const byte = stored[at];
  if (byte === undefined) throw cutShort();
  return byte;
}

function compressedBlock(frame: Frame, from: number, end: number, writtenBefore: number): number {
  const { out, offsets } = frame;
  const { literals, at: afterLiterals } = readLiterals(frame, from, end);
  let written = writtenBefore;
  let used = 0;
  const put = (count: number): void => {
    if (used + count > literals.length) throw new RangeError("a ZSTD block that uses more literals than it has");
    const room = Math.min(count, out.length - written);
    // A few bytes are moved more quickly one by one.
    if (room > few) out.set(literals.subarray(used, used + room), written);
    else for (let at = 0; at < room; at++) out[written + at] = literals[used + at]!;
    written += room;
    used += count;
  };
  const sequences = readSequenceHead(frame, afterLiterals, end);
  if (sequences !== null) {
    const { count, lengths, places, matches, stream } = sequences;
    let lengthState = stream.read(lengths.log);
    let placeState = stream.read(places.log);
    let matchState = stream.read(matches.log);
    for (let number = 0; number < count && written < out.length; number++) {
      const placeCode = places.symbols[placeState]!;
      const matchCode = matches.symbols[matchState]!;
      const lengthCode = lengths.symbols[lengthState]!;
      if (placeCode > 31 || matchCode > 52 || lengthCode > 35)
        throw new RangeError("a ZSTD code that stands for nothing");
      const place = 2 ** placeCode + stream.read(placeCode);
      const match = matchBases[matchCode]! + stream.read(matchBits[matchCode]!);
      const length = lengthBases[lengthCode]! + stream.read(lengthBits[lengthCode]!);
      put(length);
      if (written === out.length) break;
      const back = matchPlace(offsets, place, length);
      if (back > written - frame.start) throw new RangeError("a ZSTD match that reaches behind its frame");
      const stop = Math.min(out.length, written + match);
      if (stop - written > few && back >= stop - written) {
        out.copyWithin(written, written - back, stop - back);
        written = stop;
      } else while (written < stop) out[written] = out[written++ - back]!;
      if (number + 1 === count) break;
      lengthState = lengths.bases[lengthState]! + stream.read(lengths.bits[lengthState]!);
      matchState = matches.bases[matchState]! + stream.read(matches.bits[matchState]!);
      placeState = places.bases[placeState]! + stream.read(places.bits[placeState]!);
      if (stream.left() < 0) throw cutShort();
    }
  }
  if (written < out.length) put(literals.length - used);
  return written;
}

/** How far back a match lies; small values stand for one of the last three distances. */
function matchPlace(offsets: [number, number, number], value: number, length: number): number {
  const [first, second, third] = offsets;
  if (value > 3) {
    [offsets[0], offsets[1], offsets[2]] = [value - 3, first, second];
    return value - 3;
  }
  const which = value - 1 + (length === 0 ? 1 : 0);
  if (which === 0) return first;
  const found = which === 1 ? second : which === 2 ? third : first - 1;
  if (found <= 0) throw new RangeError("a ZSTD match of no distance");
  [offsets[0], offsets[1]] = [found, first];
  if (which > 1) offsets[2] = second;
  return found;
}

function readLiterals(frame: Frame, from: number, end: number): { literals: Uint8Array; at: number } {
  const { stored } = frame;
  const head = byteAt(stored, from);
  const type = head & 3;
  const format = (head >> 2) & 3;
  if (type < 2) {
    const bytes = format === 1 ? 2 : format === 3 ? 3 : 1;
    if (from + bytes > end) throw cutShort();
    const size =
      bytes === 1 ? head >> 3 : (head >> 4) + (stored[from + 1]! << 4) + (bytes === 3 ? stored[from + 2]! << 12 : 0);
    const at = from + bytes;
    if (size > largestBlock || at + (type === 0 ? size : 1) > end) throw cutShort();
    if (type === 1) return { literals: new Uint8Array(size).fill(stored[at]!), at: at + 1 };
    return { literals: stored.subarray(at, at + size), at: at + size };
  }
  const bytes = format < 2 ? 3 : format + 2;
  if (from + bytes > end) throw cutShort();
  let held = 0;
  for (let byte = bytes - 1; byte >= 0; byte--) held = held * 256 + stored[from + byte]!;
  const width = [10, 10, 14, 18][format]!;
  const size = Math.floor(held / 16) % 2 ** width;
  const packed = Math.floor(held / (16 * 2 ** width));
  let at = from + bytes;
  const stop = at + packed;
  if (stop > end || size > largestBlock) throw cutShort();
  if (type === 2) {
    const read = readHuffman(stored, at, stop);
    frame.huffman = read.table;
    at = read.at;
  }
  if (frame.huffman === null) throw new RangeError("ZSTD literals without a table");
  const literals = new Uint8Array(size);
  if (format === 0) decodeStream(frame.huffman, stored, at, stop, literals);
  else {
    if (at + 6 > stop) throw cutShort();
    const part = (size + 3) >> 2;
    let start = at + 6;
    for (let number = 0; number < 4; number++) {
      const length = stored[at + 2 * number]! | (stored[at + 2 * number + 1]! << 8);
      const streamEnd = number === 3 ? stop : start + length;
      if (streamEnd > stop || part * number > size) throw cutShort();
      const into = literals.subarray(part * number, number === 3 ? size : Math.min(size, part * (number + 1)));
      decodeStream(frame.huffman, stored, start, streamEnd, into);
      start = streamEnd;
    }
  }
  return { literals, at: stop };
}

function decodeStream(table: Huffman, stored: Uint8Array, from: number, end: number, into: Uint8Array): void {
  const { log, symbols, bits } = table;
  let position = lastBit(stored, from, end);
  for (let at = 0; at < into.length; at++) {
    const index = bitsAt(stored, from, position - log, log);
    into[at] = symbols[index]!;
    position -= bits[index]!;
  }
  if (position !== 0) throw new RangeError("a ZSTD stream of literals of another length");
}

/** The code of literals: weights, in four bits each or coded themselves; the last one is told by the others. */
function readHuffman(stored: Uint8Array, from: number, end: number): { table: Huffman; at: number } {
  const head = byteAt(stored, from);
  const weights: number[] = [];
  let at = from + 1;
  if (head >= 128) {
    const count = head - 127;
    if (at + Math.ceil(count / 2) > end) throw cutShort();
    for (let number = 0; number < count; number++) {
      const byte = stored[at + (number >> 1)]!;
      weights.push(number % 2 === 0 ? byte >> 4 : byte & 15);
    }
    at += Math.ceil(count / 2);
  } else {
    if (at + head > end) throw cutShort();
    const { table, at: after } = readFse(stored, at, at + head, 6, 12);
    const stream = backward(stored, after, at + head);
    const states = [stream.read(table.log), stream.read(table.log)];
    // Two states take turns until one has no bits left to go on from; the other's symbol is the last.
    for (let turn = 0; weights.length < 255; turn = 1 - turn) {
      const state = states[turn]!;
      weights.push(table.symbols[state]!);
      const next = table.bases[state]! + stream.read(table.bits[state]!);
      if (stream.left() < 0) {
        weights.push(table.symbols[states[1 - turn]!]!);
        break;
      }
      states[turn] = next;
    }
    at += head;
  }
  return { table: huffmanTable(weights), at };
}

function huffmanTable(weights: number[]): Huffman {
  const sum = weights.reduce((total, weight) => total + (weight > 0 ? 2 ** (weight - 1) : 0), 0);
  const log = sum === 0 ? 0 : 32 - Math.clz32(sum);
  const left = 2 ** log - sum;
  if (log === 0 || log > 11 || (left & (left - 1)) !== 0 || weights.length > 255) {
    throw new RangeError("a ZSTD table of literals that does not add up");
  }
  const all = [...weights, 32 - Math.clz32(left)];
  const symbols = new Uint8Array(2 ** log);
  const bits = new Uint8Array(2 ** log);
  let at = 0;
  for (let weight = 1; weight <= log; weight++) {
    for (const [symbol, own] of all.entries()) {
      if (own !== weight) continue;
      const next = at + 2 ** (weight - 1);
      symbols.fill(symbol, at, next);
      bits.fill(log + 1 - weight, at, next);
      at = next;
    }
  }
  return { log, symbols, bits };
}

interface Sequences {
  readonly count: number;
  readonly lengths: Fse;
  readonly places: Fse;
  readonly matches: Fse;
  readonly stream: Backward;
}

function readSequenceHead(frame: Frame, from: number, end: number): Sequences | null {
  const { stored, tables } = frame;
  if (from >= end) throw cutShort();
  const head = stored[from]!;
  if (head === 0) return null;
  const bytes = head < 128 ? 1 : head < 255 ? 2 : 3;
  let at = from + bytes;
  if (at >= end) throw cutShort();
  const count =
    bytes === 1
      ? head
      : bytes === 2
        ? ((head - 128) << 8) + stored[from + 1]!
        : stored[from + 1]! + (stored[from + 2]! << 8) + 0x7f00;
  const modes = stored[at++]!;
  const found = codes.map(({ largest, symbols, usual }, which): Fse => {
    const mode = (modes >> (6 - 2 * which)) & 3;
    if (mode === 0) return (tables[which] = usual());
    if (mode === 1) {
      if (at >= end) throw cutShort();
      const symbol = stored[at++]!;
      return (tables[which] = {
        log: 0,
        symbols: Uint8Array.of(symbol),
        bits: Uint8Array.of(0),
        bases: Uint16Array.of(0),
      });
    }
    if (mode === 2) {
      const read = readFse(stored, at, end, largest, symbols);
      at = read.at;
      return (tables[which] = read.table);
    }
    const before = tables[which];
    if (before == null) throw new RangeError("a ZSTD block that repeats a table that was not there");
    return before;
  });
  const [lengths, places, matches] = found as [Fse, Fse, Fse];
  return { count, lengths, places, matches, stream: backward(stored, at, end) };
}

/** A table of probabilities, each in as many bits as what is left of the whole needs; a zero is followed by how many more. */
function readFse(
  stored: Uint8Array,
  from: number,
  end: number,
  largest: number,
  symbols: number,
): { table: Fse; at: number } {
  let position = 8 * from;
  const read = (count: number): number => {
    let value = 0;
    for (let bit = 0; bit < count; bit++, position++) {
      value |= (((stored[position >> 3] ?? 0) >> (position & 7)) & 1) << bit;
    }
    if (position > 8 * end) throw cutShort();
    return value;
  };
  const log = read(4) + 5;
  if (log > largest) throw new RangeError("a ZSTD table that is too large");
  const shares: number[] = [];
  for (let left = 2 ** log; left > 0;) {
    if (shares.length > symbols) throw new RangeError("a ZSTD table of too many codes");
    const bits = 32 - Math.clz32(left + 1);
    const low = 2 ** (bits - 1) - 1;
    const fewer = 2 ** bits - 2 - left;
    let value = read(bits - 1);
    if (value >= fewer) {
      value |= read(1) << (bits - 1);
      if (value > low) value -= fewer;
    }
    const share = value - 1;
    shares.push(share);
    left -= Math.abs(share);
    if (share !== 0) continue;
    for (let more = 3; more === 3;) {
      more = read(2);
      for (let zero = 0; zero < more; zero++) shares.push(0);
      if (shares.length > symbols + 3) throw new RangeError("a ZSTD table of too many codes");
    }
  }
  return { table: fseTable(shares, log), at: (position + 7) >> 3 };
}

function fseTable(shares: readonly number[], log: number): Fse {
  const size = 2 ** log;
  const symbols = new Uint8Array(size);
  const bits = new Uint8Array(size);
  const bases = new Uint16Array(size);
  const next = new Uint16Array(shares.length);
  let high = size;
  for (const [symbol, share] of shares.entries()) {
    next[symbol] = Math.abs(share);
    if (share === -1) symbols[--high] = symbol;
  }
  const step = (size >> 1) + (size >> 3) + 3;
  let at = 0;
  for (const [symbol, share] of shares.entries()) {
    for (let count = 0; count < share; count++) {
      symbols[at] = symbol;
      do at = (at + step) & (size - 1);
      while (at >= high);
    }
  }
  for (let state = 0; state < size; state++) {
    const value = next[symbols[state]!]!++;
    bits[state] = log - (31 - Math.clz32(value));
    bases[state] = (value << bits[state]!) - size;
  }
  return { log, symbols, bits, bases };
}

/** Bits read from the end of a stretch to its beginning, highest first; zeros before its beginning. */
interface Backward {
  read(count: number): number;
  /** Bits not yet read; negative where more were read than there are. */
  left(): number;
}

function backward(stored: Uint8Array, from: number, end: number): Backward {
  let position = lastBit(stored, from, end);
  const read = (count: number): number => {
    if (count > 24) return read(count - 16) * 65_536 + read(16);
    position -= count;
    return bitsAt(stored, from, position, count);
  };
  return { read, left: () => position };
}

/** Bits of a stretch before the one that marks its end, the highest that is set. */
function lastBit(stored: Uint8Array, from: number, end: number): number {
  const last = end > from ? stored[end - 1]! : 0;
  if (last === 0) throw new RangeError("a ZSTD stream without an end");
  return 8 * (end - from - 1) + (31 - Math.clz32(last));
}

/** At most 24 bits from a place in a stretch on, lowest first. */
function bitsAt(stored: Uint8Array, from: number, start: number, count: number): number {
  if (start < 0) {
    const there = count + start;
    return there <= 0 ? 0 : bitsAt(stored, from, 0, there) << -start;
  }
  const byte = from + (start >> 3);
  if (byte + 4 <= stored.length) {
    const word = stored[byte]! | (stored[byte + 1]! << 8) | (stored[byte + 2]! << 16) | (stored[byte + 3]! << 24);
    return (word >>> (start & 7)) & ((1 << count) - 1);
  }
  let word = 0;
  for (let more = 0; byte + more < stored.length; more++) word |= stored[byte + more]! << (8 * more);
  return (word >>> (start & 7)) & ((1 << count) - 1);
}

/** Codes that stand for 0, 1, 2 ... up to `plain`, then for ranges of so many bits each. */
function ranges(first: number, plain: number, bits: readonly number[]): { bases: number[]; bits: number[] } {
  const all = [...Array<number>(plain).fill(0), ...bits];
  let base = first;
  return { bits: all, bases: all.map((width) => (base += 2 ** width) - 2 ** width) };
}

const { bases: lengthBases, bits: lengthBits } = ranges(
  0,
  16,
  [1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16],
);
const { bases: matchBases, bits: matchBits } = ranges(
  3,
  32,
  [1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16],
);

function once(shares: readonly number[], log: number): () => Fse {
  let made: Fse | null = null;
  return () => (made ??= fseTable(shares, log));
}

/** Literal lengths, offsets, match lengths: the largest table of each, its codes, and the table where none is told. */
const codes = [
  {
    largest: 9,
    symbols: 36,
    usual: once(
      [4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1, -1, -1, -1, -1],
      6,
    ),
  },
  {
    largest: 8,
    symbols: 32,
    usual: once([1, 1, 1, 1, 1, 1, 2, 2, 2, ...Array<number>(15).fill(1), -1, -1, -1, -1, -1], 5),
  },
  {
    largest: 9,
    symbols: 53,
    usual: once([1, 4, 3, 2, 2, 2, 2, 2, 2, ...Array<number>(37).fill(1), -1, -1, -1, -1, -1, -1, -1], 6),
  },
] as const;
