import * as fc from "fast-check";
import { expect, test } from "vitest";
import { buildRoi } from "../../test/roi-builder.js";
import { buildTiff } from "../../test/tiff-builder.js";
import { FormatError } from "../model/errors.js";
import { memorySource } from "./bytes.js";
import { readOverlay } from "./imagej-overlay.js";

/** A TIFF with regions inside: `info` of 6 bytes, then the overlay's and the selection's regions. */
function tiffWith(overlay: Uint8Array[], selection: Uint8Array[], littleEndian: boolean): Uint8Array {
  const word = (value: number): number[] => {
    const bytes = [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
    return littleEndian ? bytes.reverse() : bytes;
  };
  const kinds: [number, Uint8Array[]][] = [
    [0x696e666f, [new Uint8Array(6)]],
    [0x6f766572, overlay],
    [0x726f6920, selection],
  ];
  const header = [...word(0x494a494a), ...kinds.flatMap(([kind, blocks]) => [...word(kind), ...word(blocks.length)])];
  const blocks = kinds.flatMap(([, list]) => list);
  const data = [...header, ...blocks.flatMap((block) => [...block])];
  while (data.length % 4 !== 0) data.push(0);
  const longs = Array.from({ length: data.length / 4 }, (_, at) => {
    const [a, b, c, d] = data.slice(4 * at, 4 * at + 4) as [number, number, number, number];
    return littleEndian ? (a | (b << 8) | (c << 16) | (d << 24)) >>> 0 : ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
  });
  return buildTiff({
    littleEndian,
    pages: [
      {
        width: 4,
        height: 4,
        bits: 8,
        samples: new Uint8Array(16),
        tags: [
          [50838, 4, [header.length, ...blocks.map(({ length }) => length)]],
          [50839, 4, longs],
        ],
      },
    ],
  });
}

const one = buildRoi({ type: 1, box: [0, 0, 9, 9], name: "one" });
const two = buildRoi({ type: 2, box: [3, 3, 9, 9], name: "two" });
const three = buildRoi({ type: 1, box: [1, 1, 3, 3], name: "three" });

test.each([true, false])("the overlay is read, else the selection (little-endian %s)", async (littleEndian) => {
  const names = async (overlay: Uint8Array[], selection: Uint8Array[]): Promise<(string | null)[]> => {
    const regions = await readOverlay(memorySource("x.tif", tiffWith(overlay, selection, littleEndian)));
    return regions.map(({ name }) => name);
  };
  expect(await names([one, two], [three])).toEqual(["one", "two"]);
  expect(await names([], [three])).toEqual(["three"]);
  expect(await names([], [])).toEqual([]);
});

test("a TIFF with bytes flipped gives regions, none, or a sentence", async () => {
  const bytes = tiffWith([one, two], [three], true);
  const flips = fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(flips, fc.nat(bytes.length), async (changes, end) => {
      const changed = bytes.slice(0, end % 3 === 0 ? end : bytes.length);
      for (const [at, value] of changes) if (at < changed.length) changed[at] = value;
      try {
        await readOverlay(memorySource("x.tif", changed));
      } catch (error) {
        expect(error).toBeInstanceOf(FormatError);
      }
    }),
    { numRuns: 500 },
  );
});
