/** Small TIFFs for tests, in any layout, made from pixels that are known. */
import { zlibSync } from "fflate";
import { memorySource, type ByteSource } from "../src/io/bytes.js";
import type { Samples } from "../src/model/movie.js";

/** A page: samples row by row, or plane by plane where `separate`. */
export interface PageSpec {
  readonly width: number;
  readonly height: number;
  readonly samples: ArrayLike<number>;
  readonly bits: number;
  /** 1 unsigned, 2 signed, 3 float; the tag is left out for 1. */
  readonly format?: number;
  readonly samplesPerPixel?: number;
  readonly separate?: boolean;
  readonly photometric?: number;
  readonly rowsPerStrip?: number;
  readonly tile?: readonly [width: number, height: number];
  readonly compression?: 1 | 5 | 8 | 32773 | 32946 | 50000;
  /** LZW of the form before 1992. */
  readonly oldLzw?: boolean;
  readonly predictor?: 1 | 2 | 3;
  readonly fillOrder?: 1 | 2;
  readonly description?: string;
  /** More tags: their numbers as u32, a rational as [numerator, denominator] of type 5. */
  readonly tags?: readonly (readonly [tag: number, type: 3 | 4 | 5, values: readonly number[]])[];
}

export interface FileSpec {
  readonly pages: readonly PageSpec[];
  readonly littleEndian?: boolean;
  readonly big?: boolean;
  /** Number of the page that the last one points to; absent for an end. */
  readonly loopTo?: number;
  /** All directories behind all pixels, as ImageJ writes them. */
  readonly directoriesLast?: boolean;
  /** Only the first page's directory, the pixels of all. */
  readonly singleDirectory?: boolean;
  /** No StripByteCounts. */
  readonly withoutLengths?: boolean;
}

type Tag = readonly [tag: number, type: number, values: readonly number[] | Uint8Array];

/** The bytes of a file as it is specified. */
export function buildTiff(spec: FileSpec): Uint8Array {
  const { pages, littleEndian = true, big = false } = spec;
  const out: number[] = [];
  const number = (value: number, bytes: number): number[] => {
    const parts = Array.from({ length: bytes }, (_, at) => Math.floor(value / 2 ** (8 * at)) % 256);
    return littleEndian ? parts : parts.reverse();
  };
  const set = (at: number, value: number): void => void out.splice(at, big ? 8 : 4, ...number(value, big ? 8 : 4));
  out.push(...(littleEndian ? [0x49, 0x49] : [0x4d, 0x4d]), ...number(big ? 43 : 42, 2));
  if (big) out.push(...number(8, 2), 0, 0);
  let pointer = out.length;
  out.push(...number(0, big ? 8 : 4));

  const directoryAt: number[] = [];
  const writeDirectory = (tags: Tag[]): void => {
    const sizes: Record<number, number> = { 2: 1, 3: 2, 4: 4, 5: 8, 16: 8 };
    const room = big ? 8 : 4;
    const placed = tags
      .sort((a, b) => a[0] - b[0])
      .map(([tag, type, values]) => {
        const bytes =
          values instanceof Uint8Array
            ? [...values]
            : type === 5
              ? [...values].flatMap((value) => number(value, 4))
              : [...values].flatMap((value) => number(value, sizes[type]!));
        const count = type === 5 ? values.length / 2 : values.length;
        if (bytes.length <= room)
          return { tag, type, count, inline: [...bytes, ...Array(room - bytes.length).fill(0)] };
        if (out.length % 2 === 1) out.push(0);
        const at = out.length;
        for (const byte of bytes) out.push(byte);
        return { tag, type, count, inline: number(at, room) };
      });
    if (out.length % 2 === 1) out.push(0);
    set(pointer, out.length);
    directoryAt.push(out.length);
    out.push(...number(placed.length, big ? 8 : 2));
    for (const { tag, type, count, inline } of placed) {
      out.push(...number(tag, 2), ...number(type, 2), ...number(count, big ? 8 : 4), ...inline);
    }
    pointer = out.length;
    out.push(...number(0, big ? 8 : 4));
  };

  const waiting: Tag[][] = [];
  for (const page of pages) {
    const offsets: number[] = [];
    const lengths: number[] = [];
    for (const block of blocksOf(page, littleEndian)) {
      offsets.push(out.length);
      lengths.push(block.length);
      for (const byte of block) out.push(byte);
    }
    const tags = tagsOf(page, offsets, lengths, spec);
    if (spec.directoriesLast === true || spec.singleDirectory === true) waiting.push(tags);
    else writeDirectory(tags);
  }
  for (const tags of spec.singleDirectory === true ? waiting.slice(0, 1) : waiting) writeDirectory(tags);
  if (spec.loopTo !== undefined) set(pointer, directoryAt[spec.loopTo]!);
  return Uint8Array.from(out);
}

/** A file as a source. */
export function tiffSource(spec: FileSpec, name = "movie.tif"): ByteSource {
  return memorySource(name, buildTiff(spec));
}

function tagsOf(page: PageSpec, offsets: number[], lengths: number[], spec: FileSpec): Tag[] {
  const { samplesPerPixel = 1, format = 1, compression = 1, predictor = 1 } = page;
  const each = (value: number): number[] => Array<number>(samplesPerPixel).fill(value);
  const long = spec.big === true ? 16 : 4;
  const tags: Tag[] = [
    [256, 4, [page.width]],
    [257, 4, [page.height]],
    [258, 3, each(page.bits)],
    [259, 3, [compression]],
    [262, 3, [page.photometric ?? 1]],
    [277, 3, [samplesPerPixel]],
    ...(page.tile === undefined
      ? ([
          [273, long, offsets],
          [278, 4, [page.rowsPerStrip ?? page.height]],
        ] as Tag[])
      : ([
          [322, 4, [page.tile[0]]],
          [323, 4, [page.tile[1]]],
          [324, long, offsets],
        ] as Tag[])),
    ...(page.tags ?? []).map(([tag, type, values]): Tag => [tag, type, values]),
  ];
  if (spec.withoutLengths !== true) tags.push([page.tile === undefined ? 279 : 325, long, lengths]);
  if (format !== 1) tags.push([339, 3, each(format)]);
  if (page.separate === true) tags.push([284, 3, [2]]);
  if (predictor !== 1) tags.push([317, 3, [predictor]]);
  if (page.fillOrder === 2) tags.push([266, 3, [2]]);
  if (page.description !== undefined) {
    tags.push([270, 2, new Uint8Array([...new TextEncoder().encode(page.description), 0])]);
  }
  return tags;
}

function* blocksOf(page: PageSpec, littleEndian: boolean): Generator<Uint8Array> {
  const { width, height, samplesPerPixel = 1, separate = false } = page;
  const planes = separate ? samplesPerPixel : 1;
  const perPixel = separate ? 1 : samplesPerPixel;
  const [blockWidth, blockHeight] = page.tile ?? [width, page.rowsPerStrip ?? height];
  for (let plane = 0; plane < planes; plane++) {
    for (let y0 = 0; y0 < height; y0 += blockHeight) {
      for (let x0 = 0; x0 < width; x0 += blockWidth) {
        const rows: number[][] = [];
        const count = page.tile === undefined ? Math.min(blockHeight, height - y0) : blockHeight;
        for (let y = y0; y < y0 + count; y++) {
          const row: number[] = [];
          for (let x = x0; x < x0 + blockWidth; x++) {
            for (let sample = 0; sample < perPixel; sample++) {
              const inside = x < width && y < height;
              const at = plane * width * height + (y * width + x) * perPixel + sample;
              row.push(inside ? page.samples[at]! : 0);
            }
          }
          rows.push(row);
        }
        yield encodeBlock(page, rows, perPixel, littleEndian);
      }
    }
  }
}

function encodeBlock(page: PageSpec, rows: number[][], stride: number, littleEndian: boolean): Uint8Array {
  const { bits, format = 1, predictor = 1, compression = 1 } = page;
  const bytes: number[] = [];
  for (const row of rows) {
    if (bits % 8 !== 0) bytes.push(...packedBits(row, bits));
    else if (predictor === 3) bytes.push(...sortedDifferences(row, bits, stride));
    else {
      const whole = wholeBytes(row, bits, format, littleEndian);
      if (predictor === 2) differences(whole, bits, stride, littleEndian);
      bytes.push(...whole);
    }
  }
  let block: Uint8Array = Uint8Array.from(bytes);
  if (compression === 5) block = encodeLzw(block, page.oldLzw === true);
  if (compression === 8 || compression === 32946) block = zlibSync(block);
  if (compression === 32773) block = packBits(block);
  if (compression === 50000) block = storedZstd(block);
  return page.fillOrder === 2 ? block.map(mirror) : block;
}

function wholeBytes(values: readonly number[], bits: number, format: number, littleEndian: boolean): Uint8Array {
  const view = new DataView(new ArrayBuffer((values.length * bits) / 8));
  for (const [index, value] of values.entries()) {
    const at = (index * bits) / 8;
    if (format === 3) {
      if (bits === 64) view.setFloat64(at, value, littleEndian);
      else if (bits === 32) view.setFloat32(at, value, littleEndian);
      else view.setUint16(at, halfBits(value), littleEndian);
    } else if (bits === 8) view.setUint8(at, value);
    else if (bits === 16) view.setUint16(at, value, littleEndian);
    else if (bits === 24) {
      view.setUint16(at + (littleEndian ? 0 : 1), value & 0xffff, littleEndian);
      view.setUint8(at + (littleEndian ? 2 : 0), value >>> 16);
    } else view.setUint32(at, value, littleEndian);
  }
  return new Uint8Array(view.buffer);
}

/** Half precision of a value that has it: a multiple of 1/1024 between -2048 and 2048, few digits. */
function halfBits(value: number): number {
  if (value === 0) return Object.is(value, -0) ? 0x8000 : 0;
  const exponent = Math.max(-14, Math.floor(Math.log2(Math.abs(value))));
  const fraction = Math.round((Math.abs(value) / 2 ** exponent) * 1024);
  const biased = fraction < 1024 ? 0 : exponent + 15;
  return (value < 0 ? 0x8000 : 0) + biased * 1024 + (fraction & 1023);
}

/** Every sample of a row but the first as its difference from the one before, in integers of its width. */
function differences(row: Uint8Array, bits: number, stride: number, littleEndian: boolean): void {
  const view = new DataView(row.buffer, row.byteOffset, row.byteLength);
  const width = bits / 8;
  const get = (at: number): bigint => {
    const bytes = Array.from({ length: width }, (_, byte) => view.getUint8(at + byte));
    return (littleEndian ? bytes.reverse() : bytes).reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
  };
  const set = (at: number, value: bigint): void => {
    for (let byte = 0; byte < width; byte++) {
      view.setUint8(at + (littleEndian ? byte : width - 1 - byte), Number((value >> BigInt(8 * byte)) & 255n));
    }
  };
  for (let at = row.length - width; at >= stride * width; at -= width) {
    set(at, BigInt.asUintN(bits, get(at) - get(at - stride * width)));
  }
}

/** Predictor 3: the bytes of a row's floats by rank, highest first, then each as its difference from the one before. */
function sortedDifferences(row: readonly number[], bits: number, stride: number): Uint8Array {
  const width = bits / 8;
  const whole = wholeBytes(row, bits, 3, false);
  const sorted = Uint8Array.from(whole, (_, at) => whole[(at % row.length) * width + Math.floor(at / row.length)]!);
  return sorted.map((byte, at) => (at < stride ? byte : byte - sorted[at - stride]!));
}

/** A frame of blocks as they are, and of one byte repeated where a block is that. */
function storedZstd(bytes: Uint8Array): Uint8Array {
  const out = [0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0, 0, 0, 0];
  for (let byte = 0; byte < 4; byte++) out[5 + byte] = (bytes.length >>> (8 * byte)) & 255;
  const blockBytes = 500;
  for (let from = 0; from === 0 || from < bytes.length; from += blockBytes) {
    const block = bytes.subarray(from, from + blockBytes);
    const same = block.length > 0 && block.every((byte) => byte === block[0]);
    const head = (from + blockBytes >= bytes.length ? 1 : 0) + (same ? 2 : 0) + block.length * 8;
    out.push(head & 255, (head >> 8) & 255, head >> 16, ...(same ? block.subarray(0, 1) : block));
  }
  return Uint8Array.from(out);
}

/**
 * The encoder of TIFF 6.0, section 13: codes are widened one early, the table is cleared when it is full; or that of
 * before 1992, which begins at the lowest bit and widens when the codes are full.
 */
export function encodeLzw(bytes: Uint8Array, old = false): Uint8Array {
  const out: number[] = [];
  let held = 0;
  let heldBits = 0;
  let bits = 9;
  const put = (code: number): void => {
    held = old ? held | (code << heldBits) : (held << bits) | code;
    heldBits += bits;
    while (heldBits >= 8) {
      out.push(old ? held & 255 : (held >> (heldBits - 8)) & 255);
      heldBits -= 8;
      held = old ? held >> 8 : held & ((1 << heldBits) - 1);
    }
  };
  const late = old ? 1 : 0;
  const widen = (next: number): void => {
    if (next - late === 512 || next - late === 1024 || next - late === 2048) bits++;
  };
  let table = new Map<number, number>();
  put(256);
  let word = -1;
  let next = 258;
  for (const byte of bytes) {
    const known = word < 0 ? byte : table.get(word * 256 + byte);
    if (known !== undefined) {
      word = known;
      continue;
    }
    put(word);
    table.set(word * 256 + byte, next++);
    widen(next);
    if (next === 4095) {
      put(256);
      table = new Map();
      bits = 9;
      next = 258;
    }
    word = byte;
  }
  if (word >= 0) {
    put(word);
    widen(++next);
  }
  put(257);
  if (heldBits > 0) out.push(old ? held & 255 : (held << (8 - heldBits)) & 255);
  return Uint8Array.from(out);
}

function packedBits(values: number[], bits: number): number[] {
  const text = values.map((value) => (value < 0 ? value + 2 ** bits : value).toString(2).padStart(bits, "0")).join("");
  const padded = text.padEnd(Math.ceil(text.length / 8) * 8, "0");
  return Array.from({ length: padded.length / 8 }, (_, at) => Number.parseInt(padded.slice(8 * at, 8 * at + 8), 2));
}

/** PackBits with runs where there are any. */
function packBits(bytes: Uint8Array): Uint8Array {
  const out: number[] = [];
  for (let at = 0; at < bytes.length;) {
    let run = 1;
    while (run < 128 && bytes[at + run] === bytes[at]) run++;
    if (run > 1) {
      out.push(257 - run, bytes[at]!);
      at += run;
      continue;
    }
    let plain = 1;
    while (plain < 128 && at + plain < bytes.length && bytes[at + plain] !== bytes[at + plain - 1]) plain++;
    out.push(plain - 1, ...bytes.subarray(at, at + plain));
    at += plain;
  }
  return Uint8Array.from(out);
}

function mirror(byte: number): number {
  return Number.parseInt(byte.toString(2).padStart(8, "0").split("").reverse().join(""), 2);
}

/** The array type that a reader is to use for samples of a page. */
export function samplesFor(bits: number, format: number, length: number): Samples {
  if (format === 3) return bits === 64 ? new Float64Array(length) : new Float32Array(length);
  if (bits <= 8) return format === 2 ? new Int8Array(length) : new Uint8Array(length);
  if (bits <= 16) return format === 2 ? new Int16Array(length) : new Uint16Array(length);
  return format === 2 ? new Int32Array(length) : new Uint32Array(length);
}
