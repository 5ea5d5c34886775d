import * as fc from "fast-check";
import { expect, test } from "vitest";
import { pack } from "../../test/zarr-builder.js";
import { crc32c, mostPackedBytes, packings, unpack, type Packing } from "./zarr-codecs.js";

/** Bytes as images have them: smooth with noise in some places, random or constant in others. */
function imageBytes(seed: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = seed >>> 0 || 1;
  for (let at = 0; at < length; at++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const kind = ((at >> 9) + seed) % 3;
    bytes[at] = kind === 0 ? state >>> 24 : kind === 1 ? (at >> 3) & 255 : 7;
  }
  return bytes;
}

/** Whether bytes are the same; a matcher takes seconds for as many. */
function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}

test("CRC-32C of the nine digits is the one that is published", () => {
  expect(crc32c(new TextEncoder().encode("123456789"))).toBe(0xe3069283);
  expect(crc32c(new Uint8Array())).toBe(0);
});

test("every packing, and two of them on top of each other, gives back the bytes", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 1e6 }),
      fc.integer({ min: 1, max: 20_000 }),
      fc.array(fc.constantFrom(...packings), { maxLength: 2 }),
      async (seed, length, packing) => {
        const bytes = imageBytes(seed, length);
        let packed = bytes;
        for (const kind of packing) packed = new Uint8Array(await pack(kind, packed));
        expect(same(await unpack(packing, packed, length), bytes)).toBe(true);
        await expect(unpack(packing, packed, length + 1)).rejects.toThrow();
        await expect(unpack(packing, packed, length - 1)).rejects.toThrow();
      },
    ),
    { numRuns: 40 },
  );
});

test("Blosc's packers and shuffles are undone, whatever the sample's size", async () => {
  const { default: Blosc } = await import("numcodecs/blosc");
  for (const packer of ["lz4", "lz4hc", "blosclz", "zlib", "zstd"] as const) {
    for (const shuffle of [Blosc.NOSHUFFLE, Blosc.SHUFFLE, Blosc.BITSHUFFLE]) {
      for (const length of [1, 100, 8192, 70_001]) {
        const bytes = imageBytes(length, length);
        const packed = await new Blosc(5, packer, shuffle, 4096).encode(bytes);
        expect(same(await unpack(["blosc"], packed, length), bytes), `${packer} ${shuffle} ${length}`).toBe(true);
      }
    }
  }
  const snappy = await new Blosc(5, "snappy", Blosc.NOSHUFFLE, 0).encode(new Uint8Array(5000));
  await expect(unpack(["blosc"], snappy, 5000)).rejects.toThrow(/Snappy, which is not read/);
});

test("samples of two bytes come back from their shuffled planes", async () => {
  const samples = Uint16Array.from({ length: 800 }, (_, at) => 1000 + 3 * at);
  const bytes = new Uint8Array(samples.buffer);
  // One block, not split, stored as it is after shuffling: flags 1 (bytes) or 4 (bits), 16, LZ4.
  for (const bits of [false, true]) {
    const packed = new Uint8Array(16 + 4 + 4 + bytes.length);
    const view = new DataView(packed.buffer);
    packed.set([2, 1, (bits ? 4 : 1) | 16 | (1 << 5), 2]);
    view.setUint32(4, bytes.length, true);
    view.setUint32(8, bytes.length, true);
    view.setUint32(12, packed.length, true);
    view.setInt32(16, 20, true);
    view.setInt32(20, bytes.length, true);
    for (const [at, sample] of samples.entries()) {
      for (let bit = 0; bit < 16; bit++) {
        const value = (sample >> bit) & 1;
        if (bits) packed[24 + bit * (samples.length / 8) + (at >> 3)]! |= value << (at & 7);
        else packed[24 + (bit >> 3) * samples.length + at]! |= value << (bit & 7);
      }
    }
    expect(await unpack(["blosc"], packed, bytes.length)).toEqual(bytes);
  }
});

test("a checksum that does not fit is named with both values", async () => {
  const packed = await pack("crc32c", imageBytes(5, 100));
  packed[50]! ^= 1;
  await expect(unpack(["crc32c"], packed, 100)).rejects.toThrow(/CRC-32C is [0-9a-f]{8} but [0-9a-f]{8} was stored/);
});

test("what claims more than is expected is refused before it is unpacked", async () => {
  const zeros = new Uint8Array(1 << 22);
  for (const kind of ["gzip", "zlib", "zstd", "lz4", "blosc"] as const) {
    const bomb = await pack(kind, zeros);
    expect(bomb.length).toBeLessThan(1 << 16);
    await expect(unpack([kind], bomb, 1000), kind).rejects.toThrow();
  }
  // Zstandard without its size: blocks of one repeated byte, 128 KiB each for four bytes.
  const frame = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58];
  const blocks = Array.from({ length: 1000 }, (_, at) => {
    const header = (at === 999 ? 1 : 0) | (1 << 1) | ((1 << 17) << 3);
    return [header & 255, (header >> 8) & 255, (header >> 16) & 255, 0];
  });
  const unsized = Uint8Array.from([...frame, ...blocks.flat()]);
  await expect(unpack(["zstd"], unsized, 1000)).rejects.toThrow(/unpacks to more than 1000 bytes/);
});

test("a Zstandard frame that does not tell its size is read", async () => {
  // One stored block of five bytes.
  const frame = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58, 1 | (5 << 3), 0, 0, 1, 2, 3, 4, 5];
  expect(await unpack(["zstd"], Uint8Array.from(frame), 5)).toEqual(Uint8Array.from([1, 2, 3, 4, 5]));
});

test("damage and cuts give an error or bytes of the right length, and nothing hangs", async () => {
  const kinds: readonly Packing[] = ["gzip", "zlib", "zstd", "lz4", "blosc", "crc32c"];
  const whole = new Map<Packing, Uint8Array>();
  for (const kind of kinds) whole.set(kind, await pack(kind, imageBytes(3, 3000)));
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...kinds),
      fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 6 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      async (kind, changes, share) => {
        const packed = whole.get(kind)!.slice();
        for (const [at, value] of changes) packed[at % packed.length] = value;
        const cut = share < 0.5 ? packed.subarray(0, Math.floor(2 * share * packed.length)) : packed;
        const start = performance.now();
        const bytes = await unpack([kind], cut, 3000).catch((error: unknown) => {
          expect(error).toBeInstanceOf(Error);
          return null;
        });
        if (bytes !== null) expect(bytes.length).toBe(3000);
        expect(performance.now() - start).toBeLessThan(1000);
      },
    ),
    { numRuns: 600 },
  );
  expect(mostPackedBytes(0)).toBeGreaterThan(0);
});
