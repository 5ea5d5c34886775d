import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { dataFolder } from "../../test/data-folder.js";
import { tiffSource, type PageSpec } from "../../test/tiff-builder.js";
import type { MovieFile } from "../model/movie.js";
import { calibrateMovie } from "./calibrate.js";
import { isOmeXml, parseOmeXml, placeInOrder, positionInOrder } from "./ome-xml.js";
import { openTiff } from "./tiff.js";
import { timeSeries } from "./time-series.js";

interface Document {
  readonly pixels?: string;
  readonly inside?: string;
  readonly image?: string;
  readonly more?: string;
  readonly root?: string;
}

/** OME-XML of an image of one pixel. */
function ome({ pixels = "", inside = "", image = "", more = "", root = "" }: Document): string {
  return (
    `<?xml version="1.0" encoding="UTF-8"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" ${root}>` +
    `<Image ID="Image:0">${image}<Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint8" SizeX="1" SizeY="1" ` +
    `${/SizeZ/.test(pixels) ? "" : 'SizeZ="1"'} ${/SizeC/.test(pixels) ? "" : 'SizeC="1"'} ${pixels}>` +
    `${inside}</Pixels></Image>${more}</OME>`
  );
}

/** A file whose page n holds the value n. */
function open(description: string, pages: number, name = "movie.ome.tif"): Promise<MovieFile> {
  const all = Array.from({ length: pages }, (_, n): PageSpec => {
    return { width: 1, height: 1, bits: 8, samples: [n], ...(n === 0 ? { description } : {}) };
  });
  return openTiff(tiffSource({ pages: all }, name));
}

async function values(movie: MovieFile): Promise<number[]> {
  const found: number[] = [];
  for (let index = 0; index < movie.frames; index++) {
    const into = new Uint8Array(1);
    await movie.read(index, into);
    found.push(into[0]!);
  }
  return found;
}

const planes = (stamps: readonly (number | string | null)[], unit = ""): string =>
  stamps
    .map((stamp, t) => `<Plane TheZ="0" TheC="0" TheT="${t}" ${stamp === null ? "" : `DeltaT="${stamp}" ${unit}`}/>`)
    .join("");

test("physical sizes become micrometres, whatever their unit; what is no length of the sample is missing", async () => {
  const cases: [string, number | null][] = [
    ['PhysicalSizeX="0.08"', 0.08],
    ['PhysicalSizeX="80" PhysicalSizeXUnit="nm"', 0.08],
    ['PhysicalSizeX="8e-5" PhysicalSizeXUnit="mm"', 0.08],
    ['PhysicalSizeX="800" PhysicalSizeXUnit="Å"', 0.08],
    ['PhysicalSizeX="0.08" PhysicalSizeXUnit="&#181;m"', 0.08],
    ['PhysicalSizeX="0.08" PhysicalSizeXUnit="&#xB5;m"', 0.08],
    ['PhysicalSizeX="0.08" PhysicalSizeXUnit="μm"', 0.08],
    ['PhysicalSizeX="1" PhysicalSizeXUnit="pixel"', null],
    ['PhysicalSizeX="1" PhysicalSizeXUnit="reference frame"', null],
    ['PhysicalSizeX="0"', null],
    ['PhysicalSizeX="NaN"', null],
    ['PhysicalSizeX=""', null],
    ["", null],
  ];
  for (const [attribute, size_um] of cases) {
    const movie = await open(ome({ pixels: `SizeT="1" ${attribute}` }), 1);
    if (size_um === null) expect(movie).toMatchObject({ pixelSize_um: null, pixelSizeSource: "missing" });
    else expect(movie.pixelSize_um).toBeCloseTo(size_um, 12);
  }
});

test("DeltaT is preferred to TimeIncrement and counts from the first frame", async () => {
  const inside = planes([100, 105, 111, 115]);
  const movie = await open(ome({ pixels: 'SizeT="4" TimeIncrement="5"', inside }), 4);
  expect(movie).toMatchObject({ timeSource: "OME DeltaT", frameStamp: "unknown", warnings: [] });
  expect([...movie.time_s!]).toEqual([0, 5, 11, 15]);
  const ms = await open(ome({ pixels: 'SizeT="3"', inside: planes([0, 250, 500], 'DeltaTUnit="ms"') }), 3);
  expect([...ms.time_s!]).toEqual([0, 0.25, 0.5]);
});

test("DeltaT and TimeIncrement are seconds, whatever their unit; an unknown one is said and not used", async () => {
  const units: [string, number][] = [
    ["ns", 1e-9],
    ["us", 1e-6],
    ["\u00b5s", 1e-6],
    ["\u03bcs", 1e-6],
    ["&#181;s", 1e-6],
    ["ms", 1e-3],
    ["s", 1],
    ["min", 60],
    ["h", 3600],
    ["d", 86_400],
  ];
  for (const [unit, unit_s] of units) {
    const stamped = await open(ome({ pixels: 'SizeT="3"', inside: planes([4, 5, 7], `DeltaTUnit="${unit}"`) }), 3);
    const nominal = await open(ome({ pixels: `SizeT="3" TimeIncrement="2" TimeIncrementUnit="${unit}"` }), 3);
    for (const [at, value] of [0, 1, 3].entries()) expect(stamped.time_s![at]! / unit_s).toBeCloseTo(value, 9);
    for (const [at, value] of [0, 2, 4].entries()) expect(nominal.time_s![at]! / unit_s).toBeCloseTo(value, 9);
  }
  const odd = await open(ome({ pixels: 'SizeT="3"', inside: planes([4, 5, 7], 'DeltaTUnit="fortnight"') }), 3);
  expect(odd.time_s).toBeNull();
  expect(odd.warnings).toEqual(["OME DeltaT is 4 fortnight: that unit is not used."]);
});

test("TimeIncrement serves where DeltaT is missing, still or falls back; one that is zero is none", async () => {
  for (const inside of ["", planes([0, 0, 0, 0]), planes([0, 5, 0, 5]), planes([0, null, null, null])]) {
    const movie = await open(ome({ pixels: 'SizeT="4" TimeIncrement="2" TimeIncrementUnit="min"', inside }), 4);
    expect(movie.timeSource).toBe("OME TimeIncrement");
    expect([...movie.time_s!]).toEqual([0, 120, 240, 360]);
    expect(movie.warnings.length).toBe(inside === "" ? 0 : 2);
  }
  const none = await open(ome({ pixels: 'SizeT="2" TimeIncrement="0"' }), 2);
  expect(none).toMatchObject({ time_s: null, timeSource: "missing" });
});

test("DeltaT that falls back and has no stand-in is refused when a clock is asked for", async () => {
  const movie = await open(ome({ pixels: 'SizeT="6"', inside: planes([0, 5, 10, 0, 5, 10]) }), 6);
  expect(movie.warnings.join()).toMatch(/does not rise from frame 2 to frame 3/);
  expect(() => calibrateMovie(movie, { pixelSize_um: 1 })).toThrow(/--interval-s/);
});

test("a single frame without a stamp is named and left out of the analysis", async () => {
  const stamps = Array.from({ length: 20 }, (_, t) => (t === 4 ? null : 3 * t));
  const movie = await open(ome({ pixels: 'SizeT="20"', inside: planes(stamps) }), 20);
  expect(movie.frames).toBe(20);
  expect(movie.warnings.join()).toMatch(/frame 4/);
  const calibrated = calibrateMovie(movie, { pixelSize_um: 1 });
  expect(calibrated.frames).toBe(19);
  expect(calibrated.time_s[4]).toBe(15);
  expect((await values(calibrated))[4]).toBe(5);
});

test("the civil start is that of the first frame, with a zone only where the file has one", async () => {
  const image = (date: string): string => `<AcquisitionDate>${date}</AcquisitionDate>`;
  const at = async (date: string, stamps: number[]): Promise<string | null> => {
    return (await open(ome({ image: image(date), pixels: 'SizeT="2"', inside: planes(stamps) }), 2)).start;
  };
  expect(await at("2024-05-17T14:09:11", [0, 5])).toBe("2024-05-17T14:09:11");
  expect(await at("2024-05-17T14:09:11Z", [0, 5])).toBe("2024-05-17T14:09:11Z");
  expect(await at("2024-05-17T14:09:11", [9, 14])).toBe("2024-05-17T14:09:20.000");
  expect(await at("17 May", [0, 5])).toBeNull();
});

test("frames follow time, whatever the order of pages and dimensions", async () => {
  const data = (ifd: number, t: number): string => `<TiffData IFD="${ifd}" FirstT="${t}" FirstC="0" FirstZ="0"/>`;
  const turned = ome({ pixels: 'SizeT="3"', inside: data(0, 2) + data(1, 0) + data(2, 1) + planes([0, 5, 10]) });
  const movie = await open(turned, 3);
  expect(await values(movie)).toEqual([1, 2, 0]);
  expect([...movie.time_s!]).toEqual([0, 5, 10]);

  for (const order of ["XYZCT", "XYCZT", "XYTZC", "XYZTC", "XYCTZ", "XYTCZ"]) {
    const sizes = `SizeT="3" SizeC="2" SizeZ="2" TimeIncrement="4"`;
    const text = ome({ pixels: sizes, inside: "<TiffData/>" }).replace("XYZCT", order);
    const [image] = parseOmeXml(text, "x").images;
    const first = [0, 1, 2].map((time) => positionInOrder(image!, { channel: 0, slice: 0, time }));
    const all = await open(text, 12);
    expect(all.frames).toBe(12);
    expect(all.warnings.join()).toMatch(/channel 0 of 2, slice 0 of 2, 3 of 12 frames/);
    const series = timeSeries(all);
    expect(await values(series)).toEqual(first);
    expect([...series.time_s!]).toEqual([0, 4, 8]);
    for (let at = 0; at < 12; at++) expect(positionInOrder(image!, placeInOrder(image!, at))).toBe(at);
  }
});

test("a focus series at one moment is a movie; its stamps go with it", async () => {
  const inside = [0, 2, 5].map((stamp, z) => `<Plane TheZ="${z}" TheC="0" TheT="0" DeltaT="${stamp}"/>`).join("");
  const movie = await open(ome({ pixels: 'SizeT="1" SizeZ="3"', inside }), 3);
  expect(movie.planes).toBeUndefined();
  expect([...movie.time_s!]).toEqual([0, 2, 5]);
  expect(movie.warnings.join()).toMatch(/slices of one moment/);
});

test("a moment that is missing from the file leaves its gap in time", async () => {
  const data = [0, 1, 3].map((t, ifd) => `<TiffData IFD="${ifd}" FirstT="${t}" FirstC="0" FirstZ="0"/>`).join("");
  const movie = await open(ome({ pixels: 'SizeT="4" TimeIncrement="5"', inside: data }), 3);
  expect([...calibrateMovie(movie, { pixelSize_um: 1 }).time_s]).toEqual([0, 5, 15]);
  expect([...calibrateMovie(movie, { pixelSize_um: 1, interval_s: 2 }).time_s]).toEqual([0, 2, 6]);
});

test("of a set of files this file's planes are used, found by its UUID or its name", async () => {
  const part = (file: string, ifd: number, t: number): string =>
    `<TiffData IFD="${ifd}" FirstT="${t}" FirstC="0" FirstZ="0" PlaneCount="1"><UUID FileName="${file}.ome.tif">urn:uuid:${file}</UUID></TiffData>`;
  const inside = part("a", 0, 0) + part("a", 1, 1) + part("b", 0, 2) + part("b", 1, 3) + planes([0, 5, 10, 15]);
  for (const [name, root] of [
    ["renamed.ome.tif", 'UUID="urn:uuid:b"'],
    ["folder/b.ome.tif", ""],
  ] as const) {
    const movie = await open(ome({ pixels: 'SizeT="4"', inside, root }), 2, name);
    expect(movie.frames).toBe(2);
    expect([...movie.time_s!]).toEqual([0, 5]);
    expect(movie.warnings.join()).toMatch(/2 more planes in other files/);
  }
});

test("metadata in a companion file is said to be missing", async () => {
  const text =
    '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><BinaryOnly MetadataFile="set.companion.ome" UUID="urn:uuid:1"/></OME>';
  const movie = await open(text, 1);
  expect(movie).toMatchObject({ format: "ome-tiff", pixelSize_um: null });
  expect(movie.warnings.join()).toMatch(/set\.companion\.ome/);
});

test("more pages than the document knows are frames in order, without times; fewer are said to be missing", async () => {
  const text = ome({ pixels: 'SizeT="2" TimeIncrement="5" PhysicalSizeX="0.1"' });
  const more = await open(text, 5);
  expect(more).toMatchObject({ frames: 5, time_s: null, pixelSize_um: 0.1 });
  expect(more.warnings.join()).toMatch(/do not match its pages/);
  const fewer = await open(ome({ pixels: 'SizeT="9" TimeIncrement="5"' }), 4);
  expect([...fewer.time_s!]).toEqual([0, 5, 10, 15]);
  expect(fewer.warnings.join()).toMatch(/says that it holds 9 frames but holds 4: 5 are missing/);
});

test("a document that is broken, deep or full of entities leaves the pixels readable", async () => {
  const bomb = `<!DOCTYPE OME [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>${ome({ image: "<Description>&b;&b;</Description>", pixels: 'SizeT="1"' })}`;
  const deep = ome({ image: "<a>".repeat(500) + "</a>".repeat(500), pixels: 'SizeT="1"' });
  const cases = ["<OME><Image><Pixels", "<OME></OME>", bomb, deep, ome({ pixels: 'SizeT="x"' })];
  for (const text of cases) {
    const movie = await open(text, 1);
    expect(await values(movie)).toEqual([0]);
  }
  const names = ome({ image: "<constructor/><__proto__/><hasOwnProperty>1</hasOwnProperty>", pixels: 'SizeT="1"' });
  expect(await values(await open(names, 1))).toEqual([0]);
});

test.skipIf(dataFolder === null)("real OME-XML documents of many kinds say what they are known to say", () => {
  const folder = path.join(dataFolder!, "images", "ome_xml");
  const known = JSON.parse(readFileSync(path.join(folder, "ome_xml.expected.json"), "utf8")) as Record<
    string,
    Record<string, string | number | string[] | null>
  >;
  let read = 0;
  for (const file of readdirSync(folder).filter((name) => name.endsWith(".ome.xml"))) {
    const text = readFileSync(path.join(folder, file), "utf8");
    const facts = known[`images/ome_xml/${file}`]!;
    expect(isOmeXml(text)).toBe(true);
    const document = parseOmeXml(text, file);
    const [image] = document.images;
    expect(document.images.length).toBe(facts["images"]);
    expect(image).toMatchObject({ width: Number(facts["SizeX"]), height: Number(facts["SizeY"]) });
    expect(image).toMatchObject({ times: Number(facts["SizeT"]), slices: Number(facts["SizeZ"]) });
    expect(image!.order).toBe(facts["DimensionOrder"]);
    const stamps = (facts["DeltaT"] as string[] | null) ?? [];
    if (stamps.length > 0) expect(image!.stamps.length).toBe(facts["planes"]);
    for (const stamp of stamps) {
      expect(image!.stamps.some(({ stamp_s }) => Math.abs(stamp_s - Number(stamp) / 1000) < 1e-9)).toBe(true);
    }
    if (facts["PhysicalSizeX"] !== undefined) expect(image!.pixelSize_um).toBe(Number(facts["PhysicalSizeX"]));
    read++;
  }
  expect(read).toBe(8);
});
