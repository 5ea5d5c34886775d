import * as fc from "fast-check";
import { zipSync } from "fflate";
import { describe, expect, test } from "vitest";
import { buildRoi, type RoiSpec } from "../../test/roi-builder.js";
import { polygonArea, polygonCentroid } from "../kernels/polygon.js";
import { FormatError, ParameterError } from "../model/errors.js";
import type { DrawnOutline } from "../model/particle.js";
import { memorySource } from "./bytes.js";
import { decodeRoi, encodeRoi, type RoiArea } from "./imagej-roi.js";
import { encodeRoiSet, readRoiSet } from "./imagej-roi-set.js";

const square = [
  [0, 0],
  [20, 0],
  [20, 30],
  [0, 30],
] as const;

function area(spec: RoiSpec): RoiArea {
  const region = decodeRoi(buildRoi(spec), "cell.roi");
  if (region.kind !== "area") throw new Error(`${region.what} is no area`);
  return region;
}

const outline = fc.record({
  outline_px: fc.array(
    fc.tuple(fc.double({ min: -100, max: 8000, noNaN: true }), fc.double({ min: -100, max: 8000, noNaN: true })),
    { minLength: 3, maxLength: 40 },
  ),
  name: fc.option(fc.string({ minLength: 1, maxLength: 20 })),
  frame: fc.option(fc.nat(10_000)),
});

describe("a region's corners are ImageJ's less half a pixel", () => {
  test.each([
    ["polygon", 0],
    ["freehand area", 7],
    ["traced area", 8],
  ])("a %s of whole pixels counts from left and top", (_, type) => {
    const { rings_px, name } = area({ type, box: [5, 10, 35, 30], corners: square, name: "crystal µ" });
    expect(rings_px).toEqual([
      [
        [9.5, 4.5],
        [29.5, 4.5],
        [29.5, 34.5],
        [9.5, 34.5],
      ],
    ]);
    expect(name).toBe("crystal µ");
  });

  test("sub-pixel corners are absolute, and used from version 222 on", () => {
    const subPixel = square.map(([x, y]) => [x + 10.25, y + 5.75] as const);
    const spec = { type: 0, box: [5, 10, 35, 30], corners: square, subPixel } as const;
    expect(area(spec).rings_px[0]![0]).toEqual([9.75, 5.25]);
    expect(area({ ...spec, version: 221 }).rings_px[0]![0]).toEqual([9.5, 4.5]);
  });

  test("beyond 32767 px the box is read without a sign, and a little above or left of the image with one", () => {
    expect(area({ type: 0, box: [40_000 - 65_536, -20, 0, 0], corners: square }).rings_px[0]![0]).toEqual([
      -20.5, 39_999.5,
    ]);
  });

  test("a rectangle covers whole pixels: its sides lie between their centres", () => {
    expect(area({ type: 1, box: [5, 7, 15, 27] }).rings_px).toEqual([
      [
        [6.5, 4.5],
        [26.5, 4.5],
        [26.5, 14.5],
        [6.5, 14.5],
      ],
    ]);
    expect(area({ type: 1, box: [5, 7, 15, 27], options: 128, at18: [7.25, 5.5, 19, 9] }).rings_px[0]![2]).toEqual([
      25.75, 14,
    ]);
  });

  test("an oval, an ellipse and a turned rectangle keep centre and area", () => {
    const cases: readonly (readonly [RoiSpec, number, number, number])[] = [
      [{ type: 2, box: [5, 7, 15, 27] }, Math.PI * 10 * 5, 16.5, 9.5],
      [{ type: 7, subtype: 3, at18: [10, 10, 40, 50], at52: 0.5 }, Math.PI * 25 * 12.5, 24.5, 29.5],
      [{ type: 7, subtype: 5, at18: [10, 10, 40, 50], at52: 20 }, 50 * 20, 24.5, 29.5],
    ];
    for (const [spec, px2, x, y] of cases) {
      const [ring] = area(spec).rings_px;
      expect(polygonArea(ring!)).toBeCloseTo(px2, 3);
      expect(polygonCentroid(ring!)[0]).toBeCloseTo(x, 5);
      expect(polygonCentroid(ring!)[1]).toBeCloseTo(y, 5);
    }
  });

  test("a composite gives its rings, curves as short sides", () => {
    const k = 5.522847; // quarter circles of radius 10 as cubic curves
    const disc = [0, 40, 30, 3, 40, 30 + k, 30 + k, 40, 30, 40, 3, 30 - k, 40, 20, 30 + k, 20, 30];
    const closed = [...disc, 3, 20, 30 - k, 30 - k, 20, 30, 20, 3, 30 + k, 20, 40, 30 - k, 40, 30, 4];
    const box = [0, 1, 1, 1, 5, 1, 1, 5, 5, 4];
    const { rings_px } = area({ type: 1, shape: [...closed, ...box] });
    expect(rings_px).toHaveLength(2);
    expect(polygonArea(rings_px[0]!)).toBeCloseTo(Math.PI * 100, 0);
    expect(rings_px[1]).toEqual([
      [0.5, 0.5],
      [4.5, 0.5],
      [4.5, 4.5],
    ]);
  });
});

test("the frame is the hyperstack's, else the position in the stack, counted from 0; none is null", () => {
  expect(area({ type: 1, box: [0, 0, 9, 9] }).frame).toBeNull();
  expect(area({ type: 1, box: [0, 0, 9, 9], position: 12 }).frame).toBe(11);
  expect(area({ type: 1, box: [0, 0, 9, 9], position: 12, frame: 3 }).frame).toBe(2);
});

test("what is simplified is said", () => {
  expect(area({ type: 0, box: [5, 10, 35, 30], corners: square, options: 1 }).simplified).toMatch(/spline/);
  expect(area({ type: 1, box: [0, 0, 9, 9], roundedBy: 4 }).simplified).toMatch(/rounded/);
});

test.each([
  [3, 0, "a straight line"],
  [4, 0, "a freehand line"],
  [5, 0, "a segmented line"],
  [9, 0, "an angle"],
  [10, 0, "points"],
  [1, 1, "a text"],
  [1, 4, "an image"],
])("type %i of subtype %i has no area and is named", (type, subtype, what) => {
  expect(decodeRoi(buildRoi({ type, subtype, name: "x" }), "x.roi")).toEqual({ kind: "other", name: "x", what });
});

test("an outline that is written comes back within a thousandth of a pixel, its name and frame with it", () => {
  fc.assert(
    fc.property(outline, (drawn) => {
      const back = decodeRoi(encodeRoi(drawn), "back.roi") as RoiArea;
      expect(back).toMatchObject({ kind: "area", name: drawn.name, frame: drawn.frame, simplified: null });
      const [ring] = back.rings_px;
      expect(ring).toHaveLength(drawn.outline_px.length);
      for (const [at, [x, y]] of drawn.outline_px.entries()) {
        expect(Math.abs(ring![at]![0] - x)).toBeLessThan(1e-3);
        expect(Math.abs(ring![at]![1] - y)).toBeLessThan(1e-3);
      }
    }),
    { numRuns: 50 },
  );
});

test("more than 65535 corners have their count elsewhere and come back", () => {
  const many = Array.from({ length: 70_000 }, (_, at): [number, number] => [
    100 + 50 * Math.cos(at / 11_141),
    100 + 50 * Math.sin(at / 11_141),
  ]);
  const back = decodeRoi(encodeRoi({ outline_px: many, name: null, frame: null }), "x.roi") as RoiArea;
  expect(back.rings_px[0]).toHaveLength(70_000);
});

test("what ImageJ cannot hold is refused before it is written", () => {
  const two: DrawnOutline = { outline_px: square.slice(0, 2), name: null, frame: null };
  expect(() => encodeRoi(two)).toThrow(/2 corners. Give 3/);
  expect(() => encodeRoi({ ...two, outline_px: [...square, [90_000, 1]] })).toThrow(ParameterError);
});

describe("a set", () => {
  test("comes back in its order, equal names apart, and its bytes are the same whenever it is written", async () => {
    const names = ["b", "a/1", "b", null, "10", "9"];
    const outlines = names.map((name, at): DrawnOutline => ({
      outline_px: square.map(([x, y]) => [x + at, y]),
      name,
      frame: null,
    }));
    const bytes = encodeRoiSet(outlines);
    expect(encodeRoiSet(outlines)).toEqual(bytes);
    const back = (await readRoiSet(memorySource("set.zip", bytes)))!;
    expect(back.map(({ name }) => name)).toEqual(["b", "a/1", "b", "outline 3", "10", "9"]);
    expect((back[4] as RoiArea).rings_px[0]![0]).toEqual([4, 0]);
  });

  test("a region without a name of its own has its entry's; what is no region is passed over", async () => {
    const plain = buildRoi({ type: 1, box: [0, 0, 9, 9] });
    const bytes = zipSync({ "sub/0003-0045.roi": plain, "__MACOSX/._x.roi": plain, "notes.txt": plain.slice(0, 9) });
    const back = await readRoiSet(memorySource("set.zip", bytes));
    expect(back!.map(({ name }) => name)).toEqual(["0003-0045"]);
    expect(await readRoiSet(memorySource("x.zip", zipSync({ "a.txt": plain })))).toBeNull();
  });
});

describe("damaged bytes give a region or a sentence", () => {
  const valid = [
    buildRoi({ type: 0, box: [5, 10, 35, 30], corners: square, subPixel: square, name: "one" }),
    buildRoi({ type: 1, shape: [0, 1, 1, 1, 5, 1, 1, 5, 5, 4], name: "two" }),
    buildRoi({ type: 7, subtype: 3, at18: [1, 2, 3, 4], at52: 0.5 }),
  ];

  function tryDecode(bytes: Uint8Array): void {
    try {
      decodeRoi(bytes, "bad.roi");
    } catch (error) {
      expect(error).toBeInstanceOf(FormatError);
      expect((error as Error).message).toMatch(/^bad\.roi: [^\n]*\(at byte \d+\)\. /);
    }
  }

  test("cut at every place", () => {
    for (const bytes of valid) for (let end = 0; end < bytes.length; end++) tryDecode(bytes.slice(0, end));
  });

  test("flipped anywhere", () => {
    const flips = fc.array(fc.tuple(fc.nat(300), fc.nat(255)), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(fc.constantFrom(...valid), flips, (bytes, changes) => {
        const changed = bytes.slice();
        for (const [at, value] of changes) changed[at % changed.length] = value;
        tryDecode(changed);
      }),
      { numRuns: 2000 },
    );
  });

  test("a count that the file cannot hold is told with its place", () => {
    const claim = buildRoi({ type: 0, corners: square });
    new DataView(claim.buffer).setUint16(16, 60_000);
    expect(() => decodeRoi(claim, "cell.roi")).toThrow(
      /cell.roi: claims 60000 corners, which end at byte 240064, but breaks off after \d+ \(at byte 16\)/,
    );
    const shape = buildRoi({ type: 1, shape: [0, 1, 1] });
    new DataView(shape.buffer).setInt32(36, 2_000_000_000);
    expect(() => decodeRoi(shape, "cell.roi")).toThrow(/claims a shape of 2000000000 numbers/);
  });
});
