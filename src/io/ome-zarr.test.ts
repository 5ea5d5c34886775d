import { expect, test } from "vitest";
import { buildArray, buildImage, textBytes, type BuiltArray, type BuiltImage } from "../../test/zarr-builder.js";
import { FormatError } from "../model/errors.js";
import type { MovieFile } from "../model/movie.js";
import { memoryFolder } from "./bytes.js";
import { lengthWord_um, timeWord_s } from "./ome-zarr-axes.js";
import { openAny } from "./open.js";
import { timeSeries } from "./time-series.js";
import { frameBuffer } from "./views.js";
import { openZarr } from "./zarr.js";

const ramp = (length: number): number[] => Array.from({ length }, (_, at) => at);
const space = (unit = "micrometer"): object[] => ["y", "x"].map((name) => ({ name, type: "space", unit }));
const time = { name: "t", type: "time", unit: "second" };
const stack: BuiltArray = { version: 2, shape: [4, 2, 3], chunk: [1, 2, 3], type: "uint16", samples: ramp(24) };

const openFiles = async (files: Record<string, Uint8Array>): Promise<MovieFile> =>
  openZarr(memoryFolder("m.zarr", files));
const open = async (told: BuiltImage, array: BuiltArray = stack): Promise<MovieFile> =>
  openFiles(await buildImage(array, told));

test("a movie of 0.4 and of 0.5 has its pixels, its scale and its times", async () => {
  for (const version of [2, 3] as const) {
    const files = await buildImage({ ...stack, version }, { axes: [time, ...space()], scale: [0.5, 0.1, 0.1] });
    const opened = await openAny(memoryFolder("cell.ome.zarr", files));
    expect(opened.kind).toBe("movie");
    if (opened.kind !== "movie") continue;
    const { movie } = opened;
    expect(movie).toMatchObject({ format: "ome-zarr", frames: 4, width: 3, height: 2, dtype: "uint16", warnings: [] });
    expect(movie).toMatchObject({ pixelSize_um: 0.1, pixelSizeSource: "OME-Zarr scale of axis x" });
    expect(movie).toMatchObject({ timeSource: "OME-Zarr scale of axis t", frameStamp: "unknown", start: null });
    expect([...movie.time_s!]).toEqual([0, 0.5, 1, 1.5]);
    const into = frameBuffer(movie);
    await movie.read(2, into);
    expect([...into]).toEqual([12, 13, 14, 15, 16, 17]);
  }
});

test("the scale of a level is multiplied with that of the whole image, in any unit", async () => {
  const axes = [{ ...time, unit: "millisecond" }, ...space("nanometer")];
  const movie = await open({ axes, scale: [250, 10, 10], whole: [2, 6.5, 6.5] });
  expect(movie.pixelSize_um).toBe(0.065);
  expect([...movie.time_s!]).toEqual([0, 0.5, 1, 1.5]);
});

test("units are UDUNITS words", () => {
  const lengths = {
    angstrom: 1e-4,
    nanometer: 1e-3,
    micrometer: 1,
    micrometre: 1,
    millimeter: 1e3,
    meter: 1e6,
    inch: 25_400,
  };
  for (const [word, factor] of Object.entries(lengths)) expect(lengthWord_um(word), word).toBeCloseTo(factor, 12);
  const times = {
    nanosecond: 1e-9,
    microsecond: 1e-6,
    millisecond: 1e-3,
    second: 1,
    minute: 60,
    hour: 3600,
    day: 86_400,
  };
  for (const [word, factor] of Object.entries(times)) expect(timeWord_s(word), word).toBeCloseTo(factor, 12);
  for (const word of ["pixel", "unit", "", "meters per second", "constructormeter"]) {
    expect([lengthWord_um(word), timeWord_s(word)], word).toEqual([null, null]);
  }
});

test("what the file does not say is null: no unit, no scale, one moment, a unit of nothing", async () => {
  const bare = [{ name: "t", type: "time" }, ...["y", "x"].map((name) => ({ name, type: "space" }))];
  const cases: [BuiltImage, RegExp | null][] = [
    [{ axes: bare, scale: [1, 1, 1] }, null],
    [
      { axes: bare, scale: [0.5, 0.1, 0.1] },
      /scale along x is 0.1 without a unit.*scale along t is 0.5 without a unit/,
    ],
    [{ axes: [time, ...space()] }, null],
    [
      { axes: [{ ...time, unit: "frame" }, ...space("pixel")], scale: [1, 2, 2] },
      /x is 2 pixel: that unit is not used/,
    ],
    [{ axes: [time, ...space()], scale: [0, -1, -1] }, /scale along x is -1 micrometer, no number above 0/],
    [{ axes: [time, ...space()], scale: [1, 1] }, /scale is \[1,1\], not 3 numbers/],
  ];
  for (const [told, words] of cases) {
    const movie = await open(told);
    expect(movie).toMatchObject({
      pixelSize_um: null,
      pixelSizeSource: "missing",
      time_s: null,
      timeSource: "missing",
    });
    if (words === null) expect(movie.warnings).toEqual([]);
    else expect(movie.warnings.join(" ")).toMatch(words);
  }
  const flat = await open(
    { axes: [time, ...space()], scale: [1, 2, 2] },
    { ...stack, shape: [1, 2, 3], samples: ramp(6) },
  );
  expect(flat).toMatchObject({ frames: 1, pixelSize_um: 2, time_s: null });
  const oblong = await open({ axes: [time, ...space()], scale: [1, 3, 2] });
  expect(oblong.pixelSize_um).toBe(2);
  expect(oblong.warnings.join()).toMatch(/2 um wide but 3 um high/);
});

test("axes of every version: five that go unnamed, names, records; channels and slices are planes", async () => {
  const five: BuiltArray = {
    version: 2,
    shape: [2, 2, 3, 1, 2],
    chunk: [1, 1, 1, 1, 2],
    type: "uint8",
    samples: ramp(24),
  };
  for (const [version, axes] of [
    ["0.1", undefined],
    ["0.3", ["t", "c", "z", "y", "x"]],
    ["0.4", [time, { name: "c", type: "channel" }, { name: "z", type: "space" }, ...space()]],
  ] as const) {
    const omero = { channels: [{ label: "488" }, { label: "red" }] };
    const movie = await open({ version, axes, omero }, { ...five, separator: version === "0.1" ? "." : "/" });
    expect(movie).toMatchObject({ frames: 12, width: 2, height: 1, channelNames: ["488", "red"] });
    const order = movie.planes!.map(({ time: t, slice, channel }) => `${t}${slice}${channel}`);
    expect(order).toEqual([...order].sort());
    expect(movie.warnings.join()).toMatch(/channel 0 of 2, slice 0 of 3, 2 of 12 frames/);
    const red = timeSeries(movie, { channel: "red", slice: 2 });
    const into = frameBuffer(red);
    await red.read(1, into);
    expect([...into]).toEqual([22, 23]);
  }
  const channels = await open({ axes: [{ name: "c", type: "channel" }, ...space()], scale: [1, 1, 1] });
  expect(channels.planes!.map(({ channel }) => channel)).toEqual([0, 1, 2, 3]);
  const alone = await open(
    { axes: space(), scale: [1, 1] },
    { ...stack, shape: [2, 3], chunk: [2, 3], samples: ramp(6) },
  );
  expect(alone.frames).toBe(1);
  expect(alone.planes).toBeUndefined();
});

test("frames that lack chunks are told, so that an analysis leaves them out", async () => {
  const told = { axes: [time, ...space()], scale: [0.5, 0.1, 0.1] };
  const movie = await open(told, { ...stack, chunk: [1, 1, 3], without: ([t, y]) => t === 1 || (t === 3 && y === 0) });
  expect([...movie.time_s!]).toEqual([0, 0.5, 1, 1.5]);
  expect(movie.incomplete).toEqual([1, 3]);
  expect(movie.warnings.join()).toMatch(
    /chunks of frames 1, 3 of 4 are missing.*fill value 0, and an analysis leaves them out/,
  );
  // What no frame has was left out by the writer, as holding nothing.
  const dark = await open(told, { ...stack, chunk: [1, 1, 3], without: ([, y]) => y === 0 });
  expect(dark.incomplete).toBeUndefined();
  const empty = await open(told, { ...stack, without: () => true });
  expect(empty.frames).toBe(4);
  expect(empty.warnings.join()).toMatch(/not one of its chunks is there/);
});

test("malformed images are refused with what is wrong", async () => {
  const axes = [time, ...space()];
  const good = await buildImage(stack, { axes });
  const cases: [Record<string, Uint8Array>, RegExp][] = [
    [{ ...good, ".zattrs": textBytes({}) }, /group without multiscales.*Name one of its arrays: m\.zarr\/0\./],
    [{ ...good, ".zattrs": textBytes({ multiscales: [] }) }, /datasets are missing/],
    [{ ...good, ".zattrs": textBytes({ multiscales: [{ axes, datasets: [{ path: "../0" }] }] }) }, /path is "\.\.\/0"/],
    [
      { ...good, ".zattrs": textBytes({ multiscales: [{ axes, datasets: [{ path: "1" }] }] }) },
      /name "1", but there is no/,
    ],
    [
      { ...good, ".zattrs": textBytes({ multiscales: [{ datasets: [{ path: "0" }] }] }) },
      /names no axes.*has 3, not the 5/,
    ],
    [await buildImage(stack, { axes: space() }), /names 2 axes but its array has 3/],
    [await buildImage(stack, { axes: [time, time, { name: "x", type: "space" }] }), /not one y and one x/],
    [
      await buildImage(stack, { axes: [{ name: "angle" }, ...space()] }),
      /axis 0 of its shape \[4,2,3\] is none of time/,
    ],
  ];
  for (const [files, words] of cases) {
    await expect(openFiles(files)).rejects.toThrow(words);
    await expect(openFiles(files)).rejects.toThrow(FormatError);
  }
});

test("a plate, a well and a folder of labels say which folder to name", async () => {
  const group = (attributes: object): Record<string, Uint8Array> => ({
    "zarr.json": textBytes({ zarr_format: 3, node_type: "group", attributes: { ome: attributes } }),
  });
  const cases: [object, RegExp][] = [
    [{ plate: { wells: [{ path: "A/1" }, { path: "A/2" }] } }, /plate of 2 wells.*field, m\.zarr\/A\/1\/0 say/],
    [{ well: { images: [{ path: "0" }] } }, /well of 1 fields.*m\.zarr\/0 say/],
    [{ labels: ["cells"] }, /labels.*m\.zarr\/cells say/],
  ];
  for (const [attributes, words] of cases) await expect(openFiles(group(attributes))).rejects.toThrow(words);
});

test("of images that bioformats2raw numbered the first is read, with the times of its OME-XML", async () => {
  const axes = [{ name: "t", type: "time" }, { name: "c", type: "channel" }, ...space()];
  const array: BuiltArray = { ...stack, shape: [3, 2, 1, 2], chunk: [1, 1, 1, 2], samples: ramp(12) };
  const stamps = [10, 10.2, 11.5, 11.7, 12.9, 13.1];
  const planes = stamps.map((stamp, at) => `<Plane TheZ="0" TheC="${at % 2}" TheT="${at >> 1}" DeltaT="${stamp}"/>`);
  const xml =
    '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0">' +
    "<AcquisitionDate>2024-05-17T14:09:11</AcquisitionDate>" +
    '<Pixels DimensionOrder="XYCZT" Type="uint16" SizeX="2" SizeY="1" SizeZ="1" SizeC="2" SizeT="3" PhysicalSizeX="0.2">' +
    `${planes.join("")}</Pixels></Image></OME>`;
  const first = await buildImage(array, { axes }, "0");
  const files: Record<string, Uint8Array> = {
    ".zgroup": textBytes({ zarr_format: 2 }),
    ".zattrs": textBytes({ "bioformats2raw.layout": 3 }),
    "OME/.zgroup": textBytes({ zarr_format: 2 }),
    "OME/.zattrs": textBytes({ series: ["0", "1"] }),
    "OME/METADATA.ome.xml": textBytes(xml),
    ...first,
  };
  const movie = await openFiles(files);
  expect(movie).toMatchObject({ frames: 6, timeSource: "OME DeltaT", start: "2024-05-17T14:09:21.000" });
  expect(movie).toMatchObject({ pixelSize_um: 0.2, pixelSizeSource: "OME PhysicalSizeX" });
  for (const [at, stamp] of stamps.entries()) expect(movie.time_s![at]).toBeCloseTo(stamp - 10, 9);
  expect(movie.warnings.join()).toMatch(
    /holds 2 images: the first is read\. Name the folder of another, m\.zarr\/1 say/,
  );
  const { "0/.zattrs": _, "0/.zgroup": __, "0/0/.zarray": ___, ...without } = files;
  await expect(openFiles(without)).rejects.toThrow(/bioformats2raw but not "0"/);
  const broken = await openFiles({ ...files, "OME/METADATA.ome.xml": textBytes("<OME><Image") });
  expect(broken.time_s).toBeNull();
});

test("versions to come are read with a word about it", async () => {
  const movie = await open({ version: "0.7", axes: [time, ...space()], scale: [1, 1, 1] });
  expect(movie.warnings.join()).toMatch(/version "0\.7" of OME-Zarr; 0\.1 to 0\.5 are known/);
});

test("a level named by itself is a bare array", async () => {
  const files = await buildArray(stack);
  expect((await openFiles(files)).format).toBe("zarr");
});
