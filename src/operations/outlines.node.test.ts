import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { zipSync } from "fflate";
import { describe, expect, test } from "vitest";
import { buildRoi } from "../../test/roi-builder.js";
import { buildTiff } from "../../test/tiff-builder.js";
import { encodeGeoJson } from "../io/geojson.js";
import { encodeNpy } from "../io/npy-write.js";
import { polygonArea } from "../kernels/polygon.js";
import { FormatError, ParameterError } from "../model/errors.js";
import type { DrawnOutline } from "../model/particle.js";
import { checkOutlineSize, drawnBy, outlineFiles, readOutlines, writeOutlines } from "./outlines.node.js";
import { outlinesOfLabels, type OutlineFile } from "./outlines.js";

const dir = mkdtempSync(path.join(tmpdir(), "ionoscope-outlines-"));

function fileOf(name: string, bytes: Uint8Array | string): string {
  const full = path.join(dir, name);
  writeFileSync(full, bytes);
  return full;
}

const square: DrawnOutline = {
  outline_px: [
    [9.5, 4.5],
    [29.5, 4.5],
    [29.5, 34.5],
    [9.5, 34.5],
  ],
  name: "a",
  frame: null,
};
const labels = (() => {
  const image = new Uint16Array(40 * 50);
  const fill = (label: number, left: number, top: number, right: number, bottom: number): void => {
    for (let y = top; y < bottom; y++) image.fill(label, y * 40 + left, y * 40 + right);
  };
  fill(1, 10, 5, 30, 35);
  fill(7, 2, 40, 12, 48);
  return image;
})();

describe("outlines are told by content, whatever the file is called", () => {
  const roi = buildRoi({ type: 1, box: [5, 10, 35, 30], name: "a" });
  const tiff = (samples: ArrayLike<number>, bits: number, format = 1): Uint8Array =>
    buildTiff({ pages: [{ width: 40, height: 50, samples, bits, format }] });
  const cases: readonly (readonly [string, OutlineFile["format"], Uint8Array | string])[] = [
    ["region", "imagej-roi", roi],
    ["set", "imagej-roi-set", zipSync({ "1.roi": roi })],
    ["json", "geojson", `\uFEFF \n${encodeGeoJson([square])}`],
    ["labels of 16 bits", "label-image", tiff(labels, 16)],
    ["labels of 32 bits", "label-image", tiff(labels, 32)],
    ["labels as floats", "label-image", tiff(labels, 32, 3)],
    ["labels of NumPy", "label-image", encodeNpy(Int32Array.from(labels), [50, 40])],
  ];
  test.each(cases)("%s", async (name, format, bytes) => {
    const file = await readOutlines(fileOf(`${name}.bin`, bytes));
    expect(file).toMatchObject({ format, warnings: [] });
    expect(file.outlines[0]!.outline_px).toEqual(square.outline_px);
    if (format === "label-image") {
      expect(file.outlines.map(({ name: label }) => label)).toEqual(["label 1", "label 7"]);
      expect(file.size_px).toEqual([40, 50]);
    }
  });

  test("the folder of an analysis gives its particles", async () => {
    const folder = path.join(dir, "analysed");
    mkdirSync(folder);
    const particles = [{ id: 3, outline_px: square.outline_px }];
    writeFileSync(path.join(folder, "summary.json"), JSON.stringify({ movie: { width: 40, height: 50 }, particles }));
    const file = await readOutlines(folder);
    expect(file).toMatchObject({ format: "analysis", size_px: [40, 50] });
    expect(file.outlines).toEqual([{ ...square, name: "particle 3" }]);
  });

  test.each([
    ["a movie", encodeNpy(new Uint16Array(12), [3, 2, 2]), /holds 3 frames, a label image has one/],
    ["half labels", encodeNpy(Float32Array.of(0, 1, 0.5, 2), [2, 2]), /value 0.5 at x 0, y 1, which is no label/],
    ["negative labels", encodeNpy(Int32Array.of(0, 1, 0, -2), [2, 2]), /value -2 at x 1, y 1/],
    ["ground alone", encodeNpy(new Uint8Array(4), [2, 2]), /is 0 everywhere/],
    ["no ground", encodeNpy(Uint8Array.of(1, 2, 1, 2), [2, 2]), /no pixel of value 0/],
    ["a table", "time,potential\n1,2\n3,4\n", /Outlines are read from/],
    ["lines alone", buildRoi({ type: 3, name: "cut" }), /no region with an area but a straight line \(cut\)/],
  ])("%s is refused in a sentence", async (name, bytes, message) => {
    const file = fileOf(`${name}.dat`, bytes);
    await expect(readOutlines(file)).rejects.toThrow(FormatError);
    await expect(readOutlines(file)).rejects.toThrow(message);
  });
});

describe("what is passed over is said", () => {
  test("regions without an area, holes of composites, frames other than the first", async () => {
    const ring = (from: number, to: number): number[] => [0, from, from, 1, to, from, 1, to, to, 1, from, to, 4];
    const shape = [...ring(0, 30), ...ring(5, 25), ...ring(10, 20), ...ring(40, 50)];
    const set = zipSync({
      "1.roi": buildRoi({ type: 1, shape, name: "ring", position: 5 }),
      "2.roi": buildRoi({ type: 3, name: "cut" }),
      "3.roi": buildRoi({ type: 10, name: "dots" }),
    });
    const { outlines, warnings } = await readOutlines(fileOf("composite.zip", set));
    expect(outlines.map(({ name, outline_px }) => [name, polygonArea(outline_px)])).toEqual([
      ["ring, piece 0", 900],
      ["ring, piece 1", 100],
      ["ring, piece 2", 100],
    ]);
    expect(warnings.join("\n")).toMatch(/cut passed over: a straight line.*\n.*dots passed over: points/);
    expect(warnings.join("\n")).toMatch(/1 hole is passed over/);
    expect(warnings.join("\n")).toMatch(/3 of 3 outlines were drawn on frame 4, counted from 0/);
  });

  test("a label in pieces, stray pixels, holes and a mask that covers the image", () => {
    const image = new Uint8Array(40 * 40);
    const fill = (label: number, left: number, top: number, side: number): void => {
      for (let y = top; y < top + side; y++) image.fill(label, y * 40 + left, y * 40 + left + side);
    };
    fill(1, 1, 1, 10);
    fill(1, 20, 1, 4);
    fill(1, 36, 36, 2);
    fill(2, 2, 20, 15);
    fill(0, 6, 25, 3);
    const told = outlinesOfLabels({ labels: image, width: 40, height: 40 }, "l.tif");
    expect(told.outlines.map(({ name }) => name)).toEqual(["label 1, piece 0", "label 1, piece 1", "label 2"]);
    expect(told.warnings).toEqual([
      "l.tif: label 1 lies in several pieces: each is an outline of its own.",
      "l.tif: 1 stray piece of fewer than 9 px left out.",
      "l.tif: 1 hole is passed over: an outline is taken as full.",
    ]);
    const mask = outlinesOfLabels(
      { labels: image.map((label) => (label === 1 ? 0 : 255)), width: 40, height: 40 },
      "m",
    );
    expect(mask.outlines.map(({ name }) => name)).toEqual(["label 255"]);
    expect(mask.warnings.join()).toMatch(/covers 100 % of the image. Is the mask inverted\?/);
  });
});

test("a label image of another size than the movie is refused, other outlines belong to any", () => {
  const file: OutlineFile = { format: "label-image", outlines: [], size_px: [40, 50], warnings: [] };
  expect(() => checkOutlineSize(file, "l.tif", { width: 40, height: 40 })).toThrow(
    "l.tif: is 40 x 50 px but the movie is 40 x 40 px. Give outlines of the movie's own frames.",
  );
  checkOutlineSize(file, "l.tif", { width: 40, height: 50 });
  checkOutlineSize({ ...file, size_px: null }, "l.roi", { width: 1, height: 1 });
  expect(drawnBy({ ...file, outlines: [square] }, "l.tif")[0]!.because).toBe("a, drawn in l.tif");
});

describe("every form that is written is read back", () => {
  test.each(["set.roi.zip", "one.roi", "all.geojson", "labels.tif"])("%s", async (name) => {
    const full = path.join(dir, name);
    expect(await writeOutlines([square], full, { width: 40, height: 50 })).toEqual([]);
    const back = await readOutlines(full);
    expect(back.outlines[0]!.outline_px).toEqual(square.outline_px);
    expect(back.outlines[0]!.name).toBe(name === "labels.tif" ? "label 1" : "a");
  });

  test("labels of the outlines of labels are the same labels", async () => {
    const first = Uint16Array.from(labels, (label) => (label === 7 ? 2 : label));
    const told = outlinesOfLabels({ labels: first, width: 40, height: 50 }, "l.tif");
    const full = path.join(dir, "again.tif");
    await writeOutlines(told.outlines, full, { width: 40, height: 50 });
    expect(outlinesOfLabels({ labels: first, width: 40, height: 50 }, "l.tif").outlines).toEqual(
      (await readOutlines(full)).outlines,
    );
  });

  test("what a form cannot hold is refused, what it loses is said, and nothing is left behind", async () => {
    const out = (name: string): string => path.join(dir, name);
    await expect(writeOutlines([square], out("x.png"))).rejects.toThrow(ParameterError);
    await expect(writeOutlines([square, square], out("x.roi"))).rejects.toThrow(/holds one region, not 2/);
    await expect(writeOutlines([square], out("x.tif"))).rejects.toThrow(/needs the movie's size/);
    expect(await writeOutlines([square, square], out("x.tif"), { width: 40, height: 50 })).toEqual([
      "outlines overlap on 600 px: each of these has the label of the earlier outline.",
      "1 of 2 outlines hold no pixel's centre of their own and have no label.",
    ]);
    expect(() => readFileSync(out("x.png"))).toThrow();
  });
});

test("an analysis leaves its outlines as GeoJSON and as a set for Fiji, none where there is no particle", async () => {
  const { outline_px } = square;
  const particle = {
    id: 2,
    centre_px: [1, 2],
    area_um2: 3,
    outline_px,
    source: "found",
    touchesBorder: false,
  } as const;
  const files = outlineFiles([particle]);
  expect(files.map((file) => file.path)).toEqual([
    "findings/particles/outlines.geojson",
    "findings/particles/outlines.roi.zip",
  ]);
  for (const { path: name, bytes } of files) {
    const back = await readOutlines(fileOf(path.basename(name), bytes));
    expect(back.outlines).toEqual([{ ...square, name: "particle 2" }]);
  }
  expect(outlineFiles([])).toEqual([]);
});
