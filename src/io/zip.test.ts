import * as fc from "fast-check";
import { deflateSync, zipSync, type Zippable } from "fflate";
import { expect, test } from "vitest";
import { FormatError } from "../model/errors.js";
import { memorySource, type ByteSource } from "./bytes.js";
import { crc32, inflated } from "./zip-inflate.js";
import { readZipDirectory, readZipEntry, zipDataOffset } from "./zip.js";

const letters = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Bytes between noise and repetition, from a seed. */
function drawn(length: number, seed: number, repeats: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = seed >>> 0 || 1;
  const next = (): number => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0);
  for (let at = 0; at < length;) {
    const from = next() % (at + 1);
    if (next() % 100 < repeats && at > 0) {
      const count = Math.min(length - at, 1 + (next() % 400));
      for (let k = 0; k < count; k++) bytes[at + k] = bytes[from + k]!;
      at += count;
    } else bytes[at++] = next() >>> 24;
  }
  return bytes;
}

async function whole(packed: Uint8Array): Promise<{ bytes: Uint8Array; end: number; whole: boolean }> {
  const pieces: Uint8Array[] = [];
  const stream = inflated(memorySource("packed", packed), 0, packed.length);
  for (;;) {
    const next = await stream.next();
    if (next.done === true) return { bytes: Uint8Array.from(pieces.flatMap((piece) => [...piece])), ...next.value };
    pieces.push(next.value);
  }
}

test("what another program deflates comes back, and the end of the packed data is told", async () => {
  const draw = fc.tuple(
    fc.integer({ min: 0, max: 60_000 }),
    fc.integer(),
    fc.integer({ min: 0, max: 100 }),
    fc.constantFrom<0 | 1 | 6 | 9>(0, 1, 6, 9),
  );
  await fc.assert(
    fc.asyncProperty(draw, async ([length, seed, repeats, level]) => {
      const bytes = drawn(length, seed, repeats);
      const packed = deflateSync(bytes, { level });
      const followed = new Uint8Array(packed.length + 9).fill(0xff);
      followed.set(packed);
      const back = await whole(followed);
      expect(Buffer.compare(back.bytes, bytes)).toBe(0);
      expect([back.end, back.whole]).toEqual([packed.length, true]);
    }),
    { numRuns: 30 },
  );
});

test("matches reach back over the border of two pieces; stored blocks are longer than a piece", async () => {
  for (const level of [0, 6] as const) {
    const bytes = drawn(2_500_000, 7, level === 0 ? 0 : 60);
    const pieces: Uint8Array[] = [];
    const packed = deflateSync(bytes, { level });
    for await (const piece of inflated(memorySource("packed", packed), 0, packed.length)) {
      expect(piece.length).toBeLessThan(1.1 * (1 << 20));
      pieces.push(piece);
    }
    expect(Buffer.compare(Buffer.concat(pieces), bytes)).toBe(0);
  }
});

test("packed data that are cut give a beginning of what was packed, at any cut", async () => {
  const bytes = drawn(3000, 3, 40);
  for (const level of [0, 1, 9] as const) {
    const packed = deflateSync(bytes, { level });
    let before = 0;
    for (let cut = 0; cut < packed.length; cut += 7) {
      const back = await whole(packed.subarray(0, cut));
      expect(back.whole).toBe(false);
      expect(back.bytes.length).toBeGreaterThanOrEqual(before);
      expect(Buffer.compare(back.bytes, bytes.subarray(0, back.bytes.length))).toBe(0);
      before = back.bytes.length;
    }
    expect(before).toBeGreaterThan(2000);
  }
});

test("what cannot be unpacked is refused with the place from which on it cannot", async () => {
  // Two stored blocks, then one of the kind that does not exist.
  const bytes = drawn(40_000, 9, 20);
  const stored = [0, bytes.length & 255, bytes.length >> 8, ~bytes.length & 255, (~bytes.length >> 8) & 255];
  const broken = Uint8Array.from([...stored, ...bytes, ...stored, ...bytes, 7, 0, 0, 0]);
  const given: Uint8Array[] = [];
  const read = async (): Promise<void> => {
    for await (const piece of inflated(memorySource("packed", broken), 0, broken.length)) given.push(piece);
  };
  await expect(read()).rejects.toThrow(/^packed: the packed data are damaged within \d+ bytes from byte 80010 on/);
  expect(Buffer.compare(Buffer.concat(given), bytes)).toBe(0);
  await expect(whole(Uint8Array.of(1, 200, 1, 200, 1, 5, 5, 5))).rejects.toThrow(/from byte 0 on \(.*contradicts its/);
});

test("little is unpacked beyond what is asked for, and nothing is read that is not", async () => {
  const packed = deflateSync(new Uint8Array(50_000_000), { level: 9 });
  let read_bytes = 0;
  const memory = memorySource("packed", packed);
  const source: ByteSource = {
    ...memory,
    read: (offset, into) => {
      read_bytes += into.length;
      return memory.read(offset, into);
    },
  };
  for await (const piece of inflated(source, 0, packed.length)) {
    expect(piece.length).toBeLessThanOrEqual(1 << 20);
    break;
  }
  expect(read_bytes).toBeLessThanOrEqual(1 << 13);
});

test("damaged data give a result or a sentence, never anything else", async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer(), fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 5 }), async (seed, flips) => {
      const packed = deflateSync(drawn(2000, seed, 50));
      for (const [at, value] of flips) packed[at % packed.length] = value;
      await expectSentence(() => whole(packed));
    }),
  );
});

test("an archive's entries are listed and read: stored and deflated, names in UTF-8, bytes before the archive", async () => {
  const files: Zippable = {
    "data/run.txt": [letters("time,voltage\n"), { level: 9 }],
    "µ.bin": [drawn(5000, 1, 30), { level: 0 }],
    empty: new Uint8Array(),
  };
  const zip = zipSync(files);
  for (const before of [0, 100]) {
    const bytes = new Uint8Array(before + zip.length);
    bytes.set(zip, before);
    const source = memorySource("a.zip", bytes);
    const entries = (await readZipDirectory(source))!;
    expect(entries.map(({ name, size }) => [name, size])).toEqual([
      ["data/run.txt", 13],
      ["µ.bin", 5000],
      ["empty", 0],
    ]);
    for (const entry of entries) {
      const [content] = [files[entry.name]!].flat() as [Uint8Array];
      expect(Buffer.compare(await readZipEntry(source, entry, 5000), content)).toBe(0);
    }
  }
});

test("zip64: sizes, offsets and counts that do not fit into 32 bits stand in longer fields", async () => {
  const source = memorySource("long.zip", zip64("run.txt", letters("hello")));
  const [entry] = (await readZipDirectory(source))!;
  expect(entry).toMatchObject({ name: "run.txt", size: 5, packedSize: 5, offset: 0 });
  expect(new TextDecoder().decode(await readZipEntry(source, entry!, 5))).toBe("hello");
});

test("what is no archive, or ends before its directory, has none", async () => {
  const zip = zipSync({ a: letters("aaaa") });
  expect(await readZipDirectory(memorySource("a", letters("time,voltage\n0,3.9\n")))).toBeNull();
  expect(await readZipDirectory(memorySource("a", new Uint8Array()))).toBeNull();
  expect(await readZipDirectory(memorySource("a", zip.subarray(0, zip.length - 30)))).toBeNull();
});

test("an entry is refused by name: encrypted, another method, too large, a wrong claim, a wrong checksum, a cut", async () => {
  const zip = zipSync({ "a.txt": letters("hello hello hello hello") });
  const directory = zip.length - 22 - 51;
  const changed = async (at: number, value: number, max = 1000): Promise<unknown> => {
    const bytes = zip.slice();
    bytes[at] = value;
    const source = memorySource("a.zip", bytes);
    const [entry] = (await readZipDirectory(source))!;
    return readZipEntry(source, entry!, max);
  };
  await expect(changed(directory + 8, 1)).rejects.toThrow(/a\.zip: a\.txt in the archive is encrypted/);
  await expect(changed(directory + 10, 9)).rejects.toThrow(/packed by Deflate64/);
  await expect(changed(directory + 10, 77)).rejects.toThrow(/packed by method 77/);
  await expect(changed(directory, 0x50, 22)).rejects.toThrow(/has 23 bytes, more than 22/);
  await expect(changed(directory + 24, 5)).rejects.toThrow(/gives more than the 5 bytes/);
  await expect(changed(directory + 24, 99)).rejects.toThrow(/gives 23 of the 99 bytes/);
  await expect(changed(directory + 26, 99)).rejects.toThrow(/more than Deflate can pack/);
  await expect(changed(directory + 16, 0)).rejects.toThrow(/CRC-32/);
  await expect(changed(directory + 22, 9)).rejects.toThrow(/the file ends after/);
  await expect(changed(0, 0)).rejects.toThrow(/no header where the directory says/);
});

test("a directory that contradicts itself is refused", async () => {
  const zip = zipSync({ a: letters("aaaa"), b: letters("bbbb") });
  const end = zip.length - 22;
  const changed = async (at: number, value: number): Promise<unknown> => {
    const bytes = zip.slice();
    bytes[at] = value;
    return readZipDirectory(memorySource("a.zip", bytes));
  };
  await expect(changed(end + 10, 3)).rejects.toThrow(/says 3 entries and holds 2/);
  await expect(changed(end + 15, 0x10)).rejects.toThrow(/more than 67108864/);
  await expect(changed(end + 18, 0x70)).rejects.toThrow(/outside the file/);
});

test("archives with bytes flipped or cut anywhere give a result or a sentence", async () => {
  const zip = zipSync({ a: drawn(300, 5, 50), b: letters("bbbb") });
  const read = async (bytes: Uint8Array): Promise<void> => {
    const source = memorySource("a.zip", bytes);
    for (const entry of (await readZipDirectory(source)) ?? []) {
      await expectSentence(() => zipDataOffset(source, entry));
      await expectSentence(() => readZipEntry(source, entry, 10_000));
    }
  };
  for (let cut = 0; cut < zip.length; cut++) await expectSentence(() => read(zip.subarray(0, cut)));
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }), async (flips) => {
      const bytes = zip.slice();
      for (const [at, value] of flips) bytes[at % bytes.length] = value;
      await expectSentence(() => read(bytes));
    }),
    { numRuns: 300 },
  );
});

async function expectSentence(work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    expect(error).toBeInstanceOf(FormatError);
  }
}

/** One stored entry whose sizes, offset and count stand in zip64 fields alone. */
function zip64(name: string, content: Uint8Array): Uint8Array {
  const bytes: number[] = [];
  const put = (width: number, value: number): void => {
    for (let at = 0; at < width; at++) bytes.push(Math.floor(value / 2 ** (8 * at)) & 255);
  };
  const fields = (...pairs: [width: number, value: number][]): void => pairs.forEach((pair) => put(...pair));
  const full = 0xffffffff;
  const crc = crc32(content);
  fields([4, 0x04034b50], [2, 45], [2, 0], [2, 0], [4, 0], [4, crc], [4, full], [4, full], [2, name.length], [2, 20]);
  bytes.push(...letters(name));
  fields([2, 1], [2, 16], [8, content.length], [8, content.length]);
  bytes.push(...content);
  const directory = bytes.length;
  fields([4, 0x02014b50], [2, 45], [2, 45], [2, 0], [2, 0], [4, 0], [4, crc], [4, full], [4, full]);
  fields([2, name.length], [2, 28], [2, 0], [2, 0], [2, 0], [4, 0], [4, full]);
  bytes.push(...letters(name));
  fields([2, 1], [2, 24], [8, content.length], [8, content.length], [8, 0]);
  const record = bytes.length;
  fields([4, 0x06064b50], [8, 44], [2, 45], [2, 45], [4, 0], [4, 0], [8, 1], [8, 1], [8, record - directory]);
  fields([8, directory], [4, 0x07064b50], [4, 0], [8, record], [4, 1]);
  fields([4, 0x06054b50], [2, 0], [2, 0], [2, 0xffff], [2, 0xffff], [4, full], [4, full], [2, 0]);
  return Uint8Array.from(bytes);
}
