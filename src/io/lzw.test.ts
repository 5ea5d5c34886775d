import * as fc from "fast-check";
import { expect, test } from "vitest";
import { decodeLzw } from "./lzw.js";

/** The encoder of TIFF 6.0, section 13: codes are widened one early, the table is cleared when it is full. */
function encodeLzw(bytes: Uint8Array): Uint8Array {
  const out: number[] = [];
  let held = "";
  let bits = 9;
  const put = (code: number): void => void (held += code.toString(2).padStart(bits, "0"));
  let table = new Map<string, number>();
  const clear = (): void => {
    put(256);
    table = new Map(Array.from({ length: 256 }, (_, byte) => [String.fromCharCode(byte), byte]));
    bits = 9;
  };
  clear();
  let word = "";
  let next = 258;
  for (const byte of bytes) {
    const letter = String.fromCharCode(byte);
    if (table.has(word + letter)) {
      word += letter;
      continue;
    }
    put(table.get(word)!);
    table.set(word + letter, next++);
    if (next === 512 || next === 1024 || next === 2048) bits++;
    if (next === 4095) {
      clear();
      next = 258;
    }
    word = letter;
  }
  if (word !== "") {
    put(table.get(word)!);
    next++;
    if (next === 512 || next === 1024 || next === 2048) bits++;
  }
  put(257);
  held = held.padEnd(Math.ceil(held.length / 8) * 8, "0");
  for (let at = 0; at < held.length; at += 8) out.push(Number.parseInt(held.slice(at, at + 8), 2));
  return Uint8Array.from(out);
}

test("what was encoded is decoded, through every width of code and a full table", () => {
  const plain = fc.uint8Array({ maxLength: 3000 });
  const repetitive = fc.array(fc.constantFrom(0, 1, 2), { maxLength: 12_000 }).map((values) => Uint8Array.from(values));
  fc.assert(
    fc.property(fc.oneof(plain, repetitive), (bytes) => {
      expect(decodeLzw(encodeLzw(bytes), bytes.length)).toEqual(bytes);
    }),
    { numRuns: 40 },
  );
  const noise = Uint8Array.from({ length: 60_000 }, (_, at) => (Math.imul(at, 2654435761) >>> 13) & 255);
  expect(decodeLzw(encodeLzw(noise), noise.length)).toEqual(noise);
});

test("whatever the bytes, the output never passes its bound", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 4000 }), fc.integer({ min: 1, max: 500 }), (bytes, size) => {
      // A clear code first, so that the rest is taken for codes.
      bytes[0] = 0x80;
      try {
        expect(decodeLzw(bytes, size).length).toBeLessThanOrEqual(size);
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
      }
    }),
  );
});

test("the form of LZW before 1992 is refused, not decoded into something else", () => {
  expect(() => decodeLzw(Uint8Array.from([0x00, 0x01, 0x42, 0x10]), 4)).toThrow(/before 1992/);
});
