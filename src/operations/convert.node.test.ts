import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { cyclingFiles, run } from "../../fixtures/cycling-files.js";
import { buildTiff } from "../../test/tiff-builder.js";
import { convert } from "./convert.node.js";
import { inspectPath } from "./inspect.node.js";
import type { CyclingFacts, MovieFacts } from "./inspect.js";

let folder = "";
beforeEach(() => void (folder = mkdtempSync(path.join(tmpdir(), "ionoscope-convert-"))));
afterEach(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => path.join(folder, name);

const page = (value: number, description?: string) => ({
  width: 3,
  height: 2,
  bits: 16,
  samples: [value, 1, 2, 3, 4, 5],
  ...(description === undefined ? {} : { description }),
});

test("a stack without scale and clock becomes an OME-TIFF without them; what is stated stands in it", async () => {
  writeFileSync(at("plain.tif"), buildTiff({ pages: [page(10), page(20), page(30)], littleEndian: false }));
  expect(await convert([at("plain.tif")], at("a.ome.tif"))).toMatchObject({
    format: "ome-tiff",
    count: 3,
    checked: true,
  });
  const bare = (await inspectPath(at("a.ome.tif"))) as MovieFacts;
  expect(bare).toMatchObject({ format: "ome-tiff", frames: 3, pixelSize_um: null, time: null, dtype: "uint16" });
  expect([bare.firstFrame.max, bare.lastFrame.max]).toEqual([10, 30]);
  await convert([at("plain.tif")], at("b.ome.tif"), { pixelSize_um: 0.08, interval_s: 5 });
  const stated = (await inspectPath(at("b.ome.tif"))) as MovieFacts;
  expect(stated).toMatchObject({ pixelSize_um: 0.08, time: { last_s: 10, source: "OME DeltaT" } });
});

test("one channel of several is taken where it is asked for; else all are kept", async () => {
  const words = "ImageJ=1.53t\nimages=6\nchannels=2\nframes=3\nhyperstack=true\nfinterval=2\n";
  writeFileSync(
    at("two.tif"),
    buildTiff({ pages: [0, 1, 2, 3, 4, 5].map((v) => page(100 + v, v === 0 ? words : undefined)) }),
  );
  const { warnings } = await convert([at("two.tif")], at("all.ome.tif"));
  expect(warnings).toEqual([]);
  const all = (await inspectPath(at("all.ome.tif"))) as MovieFacts;
  expect(all).toMatchObject({ frames: 6, series: { channels: 2, times: 3 }, time: { last_s: 4 } });
  await convert([at("two.tif")], at("one.ome.tif"), { channel: 1 });
  const one = (await inspectPath(at("one.ome.tif"))) as MovieFacts;
  expect(one).toMatchObject({ frames: 3, firstFrame: { max: 101 }, lastFrame: { max: 105 }, time: { last_s: 4 } });
});

test("OME-Zarr keeps pixels, times and scale, and goes back", async () => {
  writeFileSync(at("plain.tif"), buildTiff({ pages: [page(10), page(20), page(30)] }));
  await convert([at("plain.tif")], at("a.ome.zarr"), { pixelSize_um: 0.08, interval_s: 2.5 });
  const zarr = (await inspectPath(at("a.ome.zarr"))) as MovieFacts;
  expect(zarr).toMatchObject({ format: "ome-zarr", frames: 3, pixelSize_um: 0.08, time: { last_s: 5 } });
  await convert([at("a.ome.zarr")], at("b.ome.tif"));
  const back = (await inspectPath(at("b.ome.tif"))) as MovieFacts;
  expect(back).toMatchObject({
    pixelSize_um: 0.08,
    time: { last_s: 5 },
    firstFrame: zarr.firstFrame,
    lastFrame: { max: 30 },
  });
});

test("outlines go from one form to another; a label image needs a size", async () => {
  const square = [
    [1, 1],
    [9, 1],
    [9, 7],
    [1, 7],
  ];
  writeFileSync(at("a.geojson"), JSON.stringify({ type: "Polygon", coordinates: [square] }));
  expect(await convert([at("a.geojson")], at("a.roi.zip"))).toMatchObject({
    kind: "outlines",
    count: 1,
    checked: true,
  });
  await expect(convert([at("a.roi.zip")], at("labels.tif"))).rejects.toThrow(/--width and --height/);
  await convert([at("a.roi.zip")], at("labels.tif"), { width: 12, height: 10 });
  const labels = (await inspectPath(at("labels.tif"))) as MovieFacts;
  expect(labels).toMatchObject({ width: 12, height: 10, firstFrame: { max: 1 } });
  expect(await convert([at("labels.tif")], at("b.geojson"))).toMatchObject({ format: "geojson", count: 1 });
});

test("movies in sequence become one file", async () => {
  writeFileSync(at("a.tif"), buildTiff({ pages: [page(10), page(20)] }));
  writeFileSync(at("b.tif"), buildTiff({ pages: [page(30)] }));
  await convert([at("a.tif"), at("b.tif")], at("both.ome.tif"), { interval_s: 1 });
  expect(await inspectPath(at("both.ome.tif"))).toMatchObject({
    frames: 3,
    time: { last_s: 2 },
    lastFrame: { max: 30 },
  });
});

test.each(["bdf.csv", "bdf.parquet"])("a cycler's record becomes .%s with its numbers", async (ending) => {
  writeFileSync(at("run.mpr"), cyclingFiles.get("gcpl-since-11.50.mpr")!);
  const done = await convert([at("run.mpr")], at(`run.${ending}`));
  expect(done).toMatchObject({ kind: "cycling", count: run.time_s.length, checked: true });
  const [facts, before] = (await Promise.all(
    [`run.${ending}`, "run.mpr"].map((name) => inspectPath(at(name))),
  )) as CyclingFacts[];
  expect(facts!.rows).toBe(before!.rows);
  expect(facts!.start).toBe(before!.start);
  expect(facts!.potential_V).toEqual(before!.potential_V);
  expect(facts!.charge_mAh.last).toBeCloseTo(before!.charge_mAh.last!, 12);
});

test("what is there already is not written over, a name that tells no form is refused, nothing half is left", async () => {
  writeFileSync(at("a.tif"), buildTiff({ pages: [page(1)] }));
  writeFileSync(at("run.csv"), cyclingFiles.get("record.csv")!);
  await expect(convert([at("a.tif")], at("run.csv"))).rejects.toThrow(/is there already/);
  await expect(convert([at("a.tif")], at("a.avi"))).rejects.toThrow(/tells no form that a movie is written in/);
  await expect(convert([at("run.csv")], at("a.ome.tif"))).rejects.toThrow(/tells no form that a cycler's record/);
  await expect(convert([at("run.csv"), at("a.tif")], at("b.ome.tif"))).rejects.toThrow(/Convert them apart/);
  await expect(convert([at("a.tif")], at("a.bdf.csv"))).rejects.toThrow(/is a movie \(tiff\), not a cycler's file/);
  const stop = new AbortController();
  const stopped = convert([at("a.tif")], at("b.ome.tif"), { signal: stop.signal, onProgress: () => stop.abort() });
  await expect(stopped).rejects.toThrow(/abort/i);
  expect(existsSync(at("b.ome.tif"))).toBe(false);
  expect(readdirSync(folder).sort()).toEqual(["a.tif", "run.csv"]);
});
