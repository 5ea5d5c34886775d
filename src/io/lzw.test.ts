import * as fc from "fast-check";
import { expect, test } from "vitest";
import { encodeLzw } from "../../test/tiff-builder.js";
import { decodeLzw } from "./lzw.js";

test("what was encoded is decoded, through every width of code and a full table, of the old form and the new", () => {
  const plain = fc.uint8Array({ maxLength: 3000 });
  const repetitive = fc.array(fc.constantFrom(0, 1, 2), { maxLength: 12_000 }).map((values) => Uint8Array.from(values));
  fc.assert(
    fc.property(fc.oneof(plain, repetitive), fc.boolean(), (bytes, old) => {
      expect(decodeLzw(encodeLzw(bytes, old), bytes.length)).toEqual(bytes);
    }),
    { numRuns: 40 },
  );
  const noise = Uint8Array.from({ length: 60_000 }, (_, at) => (Math.imul(at, 2654435761) >>> 13) & 255);
  for (const old of [false, true]) expect(decodeLzw(encodeLzw(noise, old), noise.length)).toEqual(noise);
});

test("whatever the bytes, the output never passes its bound", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 4000 }), fc.integer({ min: 1, max: 500 }), (bytes, size) => {
      // A clear code first, so that the rest is taken for codes of the new form or the old.
      if (size % 2 === 0) bytes[0] = 0x80;
      else bytes.set([0, 1].slice(0, bytes.length));
      try {
        expect(decodeLzw(bytes, size).length).toBeLessThanOrEqual(size);
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
      }
    }),
  );
});
