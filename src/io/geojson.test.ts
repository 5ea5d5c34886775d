import * as fc from "fast-check";
import { expect, test } from "vitest";
import { FormatError } from "../model/errors.js";
import { encodeGeoJson, parseGeoJson } from "./geojson.js";

const ring = [
  [30, 30],
  [80, 30],
  [80, 75],
  [30, 30],
];
const open = ring.slice(0, 3);

const read = (value: unknown): ReturnType<typeof parseGeoJson> => parseGeoJson(JSON.stringify(value), "x.geojson");

test("polygons are read wherever they stand, rings from without alone, holes and lines counted", () => {
  const polygon = { type: "Polygon", coordinates: [ring, open, open] };
  const line = { type: "LineString", coordinates: open };
  const all = {
    type: "FeatureCollection",
    features: [
      { type: "Feature", properties: { name: "a" }, geometry: polygon },
      { type: "Feature", properties: null, geometry: { type: "GeometryCollection", geometries: [line, polygon] } },
      { type: "Feature", geometry: { type: "MultiPolygon", coordinates: [[ring], [ring]] } },
      { type: "Feature", geometry: null },
    ],
  };
  const { outlines, holes, others } = read(all);
  expect(outlines.map(({ name }) => name)).toEqual(["a", null, null, null]);
  for (const { outline_px } of outlines) expect(outline_px).toEqual(open);
  expect([holes, others]).toEqual([4, ["LineString"]]);
});

test("QuPath's features are moved from a pixel's corner to its centre, their class is their name", () => {
  const feature = {
    type: "Feature",
    id: "2b5b-11",
    geometry: { type: "Polygon", coordinates: [ring] },
    properties: { objectType: "annotation", classification: { name: "crystal", color: [255, 0, 0] } },
  };
  for (const file of [feature, [feature], { type: "FeatureCollection", features: [feature] }]) {
    expect(read(file).outlines).toEqual([
      { name: "crystal", frame: null, outline_px: open.map(([x, y]) => [x! - 0.5, y! - 0.5]) },
    ]);
  }
});

test("what is written comes back to the last bit", () => {
  const place = fc.double({ min: -1e4, max: 1e4, noNaN: true }).map((value) => value + 0);
  const outline = fc.record({
    outline_px: fc.uniqueArray(fc.tuple(place, place), { minLength: 3, maxLength: 20, selector: String }),
    name: fc.option(fc.string({ minLength: 1 })),
    frame: fc.constant(null),
  });
  fc.assert(
    fc.property(fc.array(outline, { minLength: 1, maxLength: 5 }), (outlines) => {
      expect(parseGeoJson(encodeGeoJson(outlines), "x").outlines).toEqual(outlines);
    }),
    { numRuns: 50 },
  );
});

test.each([
  ["{", /x\.geojson: is not GeoJSON \(.*\)\. Export/],
  ['{"type":"Point","coordinates":[1,2]}', /holds no polygon but Point/],
  ["[]", /holds no polygon\. Export/],
  ['{"type":"Polygon","coordinates":[[[1,2],[3,"4"],[5,6]]]}', /corner 1 of polygon 0 is \[3,"4"\]/],
  ['{"type":"Polygon","coordinates":[[[1,2],[3,4],[1,2]]]}', /polygon 0 has 2 corners/],
  ['{"type":"Polygon","coordinates":7}', /polygon 0 has 0 corners/],
  ["[".repeat(50_000) + "]".repeat(50_000), /nests more than 32/],
])("%.40s is refused in a sentence", (text, message) => {
  expect(() => parseGeoJson(text, "x.geojson")).toThrow(FormatError);
  expect(() => parseGeoJson(text, "x.geojson")).toThrow(message);
});

test("any JSON is outlines or a sentence", () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 6 }), fc.constantFrom("Polygon", "Feature", "MultiPolygon"), (text, type) => {
      const texts = [text, `{"type":"${type}","coordinates":${text},"geometry":${text}}`];
      for (const one of texts) {
        try {
          parseGeoJson(one, "x");
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError);
        }
      }
    }),
    { numRuns: 300 },
  );
});
