import * as fc from "fast-check";
import { expect, test } from "vitest";
import { packLzf } from "../../test/hdf5-builder.js";
import { chunksOf, copyPart, lzfPipeline, unpackChunk, unpackLzf } from "./hdf5-lzf.js";

const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 700 }),
  fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 3000 }).map((few) => Uint8Array.from(few)),
);

test("what was packed comes back, its repetitions near and far, short and long", () => {
  fc.assert(
    fc.property(bytes, (plain) => {
      const into = new Uint8Array(plain.length);
      unpackLzf(Uint8Array.from(packLzf(plain)), into);
      expect(into).toEqual(plain);
    }),
  );
  // 5 as it is, then 5 repeated 9 + 3 times out of itself; the same 400 bytes from 8192 before.
  const into = new Uint8Array(13);
  unpackLzf(Uint8Array.from([0, 5, 0xe0, 3, 0]), into);
  expect([...into]).toEqual(Array<number>(13).fill(5));
});

test("whatever is packed, nothing is written beyond the chunk", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(300), (packed, length) => {
      try {
        unpackLzf(packed, new Uint8Array(length));
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
      }
    }),
    { numRuns: 1000 },
  );
});

test("a chunk is unshuffled, its checksum passed over, its lowest bytes put first", () => {
  const numbers = Uint16Array.from({ length: 90 }, (_, at) => 300 * at);
  const plain = new Uint8Array(numbers.buffer);
  for (const shuffled of [false, true]) {
    for (const littleEndian of [false, true]) {
      const ranks = [0, 1].map((rank) => plain.filter((_, at) => at % 2 === (littleEndian ? rank : 1 - rank)));
      const stored = Uint8Array.from(
        shuffled ? [...ranks[0]!, ...ranks[1]!] : [...ranks[0]!].flatMap((byte, at) => [byte, ranks[1]![at]!]),
      );
      for (const summed of [false, true]) {
        const packed = Uint8Array.from([...packLzf(stored), ...(summed ? [1, 2, 3, 4] : [])]);
        const size = { chunk: plain.length, element: 2, littleEndian };
        expect(unpackChunk(packed, { shuffled, summed }, size)).toEqual(plain);
      }
    }
  }
  expect(lzfPipeline([2, 32000, 3])).toEqual({ shuffled: true, summed: true });
  for (const other of [[2], [1, 32000], [32000, 2], [3, 32000]]) expect(lzfPipeline(other)).toBeNull();
});

test("a box of an array is put together from the chunks that it touches", () => {
  const axis = fc.record({
    size: fc.integer({ min: 1, max: 7 }),
    chunk: fc.integer({ min: 1, max: 5 }),
    a: fc.nat(),
    b: fc.nat(),
  });
  fc.assert(
    fc.property(fc.array(axis, { minLength: 1, maxLength: 4 }), (axes) => {
      const chunks = axes.map(({ chunk }) => chunk);
      const offset = axes.map(({ size, a }) => a % size);
      const count = axes.map(({ size, b }, at) => 1 + (b % (size - offset[at]!)));
      const valueAt = (place: readonly number[]): number => place.reduce((sum, value) => sum * 11 + value, 0) % 251;
      const filled = (from: readonly number[], size: readonly number[]): Uint8Array => {
        let places: number[][] = [[]];
        for (const [at, length] of size.entries()) {
          places = places.flatMap((place) => Array.from({ length }, (_, step) => [...place, from[at]! + step]));
        }
        return Uint8Array.from(places, valueAt);
      };
      const whole = new Uint8Array(count.reduce((product, length) => product * length, 1));
      for (const { origin, part } of chunksOf({ offset, count }, chunks)) {
        const box = { offset: origin, count: chunks };
        copyPart(part, { bytes: filled(origin, chunks), box }, { bytes: whole, box: { offset, count } }, 1);
      }
      expect(whole).toEqual(filled(offset, count));
    }),
  );
});
