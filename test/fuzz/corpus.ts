/** Small sound files of every format that is read, made by our own builders: what the mutators change. */
import { gzipSync, zipSync } from "fflate";
import { encode } from "fast-png";
import { cyclingFiles } from "../../fixtures/cycling-files.js";
import { encodeNpy } from "../../src/io/npy-write.js";
import { writeOmeTiff } from "../../src/io/ome-tiff-write.js";
import { writeOmeZarr } from "../../src/io/ome-zarr-write.js";
import { encodeBdfParquet } from "../../src/io/bdf.js";
import type { MovieFile } from "../../src/model/movie.js";
import { fillOperando, hdf5Bytes } from "../hdf5-builder.js";
import { buildJet } from "../jet-builder.js";
import { buildMicroManager } from "../micro-manager-builder.js";
import { buildNdtiff } from "../ndtiff-builder.js";
import { buildNda, buildNdax, type NewareRow } from "../neware-builder.js";
import { buildTdms, sampleBytes, tdmsType } from "../tdms-builder.js";
import { buildTiff, type FileSpec, type PageSpec } from "../tiff-builder.js";
import { buildXlsx } from "../xlsx-builder.js";
import { buildArray, buildImage, type BuiltArray } from "../zarr-builder.js";

/** A file, or the files of a folder by their paths below it. */
export interface Sample {
  readonly format: string;
  readonly name: string;
  readonly files: Readonly<Record<string, Uint8Array>>;
  readonly folder: boolean;
}

const one = (format: string, name: string, bytes: Uint8Array): Sample => ({
  format,
  name,
  files: { [name]: bytes },
  folder: false,
});

const width = 12;
const height = 9;
const pixels = (shift: number): number[] => Array.from({ length: width * height }, (_, at) => (at * 7 + shift) % 251);

function page(shift: number, more: Partial<PageSpec> = {}): PageSpec {
  return { width, height, bits: 16, samples: pixels(shift), rowsPerStrip: 4, ...more };
}

const imageJ = "ImageJ=1.53t\nimages=3\nframes=3\nfinterval=0.5\nunit=micron\nhyperstack=true\nloop=false\n";

const tiffs: Readonly<Record<string, FileSpec>> = {
  "plain.tif": { pages: [page(0), page(1), page(2)] },
  "big-motorola.tif": { pages: [page(0), page(1)], big: true, littleEndian: false },
  "deflate.tif": { pages: [page(0, { compression: 8, predictor: 2 }), page(1, { compression: 8, predictor: 2 })] },
  "packbits.tif": { pages: [page(0, { compression: 32773, bits: 8 })] },
  "tiles.tif": { pages: [page(0, { tile: [16, 16], compression: 8 })] },
  "float.tif": { pages: [page(0, { bits: 32, format: 3 })] },
  "imagej.tif": {
    pages: [page(0, { description: imageJ, rowsPerStrip: height }), page(1), page(2)],
    singleDirectory: true,
    directoriesLast: true,
  },
};

async function omeTiff(): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  const planes = [0, 1, 2, 3].map((at) => ({ image: 0, channel: at % 2, slice: 0, time: at >> 1 }));
  await writeOmeTiff({
    width,
    height,
    dtype: "uint16",
    pixelSize_um: 0.1,
    time_s: [0, 0.1, 5, 5.1],
    planes,
    start: "2024-03-01T10:00:00",
    frameStamp: "middle",
    frames: planes.map((_, at) => Uint16Array.from(pixels(at))),
    sink: { write: async (bytes) => void parts.push(bytes.slice()) },
  });
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

const newareRows: NewareRow[] = Array.from({ length: 24 }, (_, at) => ({
  index: at + 1,
  cycle: Math.floor(at / 12),
  step: 1 + Math.floor(at / 6),
  stepsBegun: 1 + Math.floor(at / 6),
  status: [4, 1, 4, 2][Math.floor(at / 6)]!,
  elapsed_ms: 10_000 * (at % 6),
  total_ms: 10_000 * at,
  stamp_ms: Date.UTC(2024, 4, 6, 8, 58, 57) + 10_000 * at,
  potential_100uV: 38_000 + 50 * at,
  current: [0, 500, 0, -500][Math.floor(at / 6)]!,
  chargeIn: at >= 6 && at < 12 ? 100 * (at % 6) : 0,
  chargeOut: at >= 18 ? 100 * (at % 6) : 0,
}));

function tdms(): Uint8Array {
  const frame = pixels(0);
  const camera = {
    path: ["img", "cam1"],
    properties: { "Image size": 12, "Image size 2": 9, "Effective frame rate": 2 },
  };
  const index = { type: tdmsType.u16, perChunk: frame.length };
  const raw = (shift: number): Uint8Array => sampleBytes(tdmsType.u16, pixels(shift));
  return buildTdms([
    { newList: true, objects: [{ path: [] }, { path: ["img"] }, { ...camera, index }], raw: raw(0) },
    { objects: [{ path: ["img", "cam1"], index: "same" }], raw: raw(1) },
    { raw: raw(2) },
  ]);
}

const zarrArray: BuiltArray = {
  version: 3,
  shape: [3, height, width],
  chunk: [1, height, width],
  type: "uint16",
  samples: [...pixels(0), ...pixels(1), ...pixels(2)],
  names: ["t", "y", "x"],
};
const zarrAxes = [
  { name: "t", type: "time", unit: "second" },
  { name: "y", type: "space", unit: "micrometer" },
  { name: "x", type: "space", unit: "micrometer" },
];

const movieToWrite: MovieFile = {
  name: "movie",
  format: "tiff",
  width,
  height,
  frames: 3,
  dtype: "uint16",
  pixelSize_um: 0.1,
  pixelSizeSource: "flag",
  time_s: Float64Array.of(0, 5, 10),
  timeSource: "flag",
  frameStamp: "middle",
  start: null,
  warnings: [],
  async read(index, into) {
    into.set(pixels(index));
  },
  async close() {},
};

async function zarrs(): Promise<Sample[]> {
  const written: Record<string, Uint8Array> = {};
  await writeOmeZarr(movieToWrite, { write: async (path, bytes) => void (written[path] = bytes.slice()) });
  const told = { axes: zarrAxes, scale: [5, 0.1, 0.1] };
  const folder = (name: string, files: Record<string, Uint8Array>): Sample => ({
    format: "zarr",
    name,
    files,
    folder: true,
  });
  return [
    folder("written.ome.zarr", written),
    folder("sharded.ome.zarr", await buildImage({ ...zarrArray, shard: [3, height, width] }, told)),
    folder("blosc.ome.zarr", await buildImage({ ...zarrArray, version: 2, packing: ["blosc"] }, told)),
    folder("bare.zarr", await buildArray({ ...zarrArray, version: 2, packing: ["gzip"] })),
  ];
}

async function hdf5s(): Promise<Sample[]> {
  return [
    one("hdf5", "movie.h5", await hdf5Bytes((file) => fillOperando(file))),
    one(
      "hdf5",
      "packed.h5",
      await hdf5Bytes((file) => fillOperando(file, { chunks: [1, 20, 16], compression: "gzip" })),
    ),
  ];
}

function ndtiff(): Sample {
  const { index, stacks } = buildNdtiff({
    width,
    height,
    summary: { PixelSize_um: 0.1 },
    images: [0, 1, 2, 3].map((at) => ({
      axes: { time: at >> 1, channel: at % 2 === 0 ? "iSCAT" : "dark" },
      pixels: pixels(at),
      metadata: { "ElapsedTime-ms": 500 * at },
    })),
  });
  return { format: "ndtiff", name: "cell_1", folder: true, files: { "NDTiff.index": index, ...stacks } };
}

const arbinRows = Array.from({ length: 12 }, (_, at) => at);

function arbin(): Sample[] {
  const res = buildJet([
    {
      name: "Channel_Normal_Table",
      columns: [
        ["Test_ID", "long"],
        ["Data_Point", "long"],
        ["Test_Time", "double"],
        ["DateTime", "double"],
        ["Step_Index", "integer"],
        ["Cycle_Index", "long"],
        ["Current", "float"],
        ["Voltage", "float"],
        ["Charge_Capacity", "double"],
        ["Discharge_Capacity", "double"],
      ],
      rows: arbinRows.map((at) => [1, at + 1, 10 * at, 45_000 + at / 8640, 1, 1, 0.001, 3.9 + at / 100, at / 36e4, 0]),
    },
    {
      name: "Global_Table",
      columns: [
        ["Test_ID", "long"],
        ["Test_Name", "text"],
      ],
      rows: [[1, "cell"]],
    },
  ]);
  const heads = ["Data_Point", "Test_Time(s)", "Date_Time", "Cycle_Index", "Current(A)", "Voltage(V)"];
  const sheet = arbinRows.map((at) => [at + 1, 10 * at, { days: 45_000 + at / 8640 }, 1, 0.001, 3.9 + at / 100]);
  const xlsx = buildXlsx([
    { name: "Global_Info", rows: [["TEST REPORT"]] },
    { name: "Channel_1_1", rows: [heads, ...sheet] },
  ]);
  return [one("arbin-res", "cell.res", res), one("xlsx", "cell.xlsx", xlsx)];
}

async function parquet(): Promise<Sample> {
  const time_s = Float64Array.from({ length: 20 }, (_, at) => 10 * at);
  const cycling = {
    time_s,
    potential_V: time_s.map((time) => 3.9 + time / 1000),
    current_mA: time_s.map(() => 0.1),
    charge_mAh: time_s.map((time) => time / 36000),
  };
  return one("parquet", "run.bdf.parquet", await encodeBdfParquet(cycling, "2024-05-06T08:58:57"));
}

/** All samples, in an order that never changes: a case's number says which one it is made of. */
export async function corpus(): Promise<Sample[]> {
  const plain = buildTiff(tiffs["plain.tif"]!);
  const csv = cyclingFiles.get("record.csv")!;
  return [
    ...Object.entries(tiffs).map(([name, spec]) => one("tiff", name, buildTiff(spec))),
    one("ome-tiff", "movie.ome.tif", await omeTiff()),
    one("npy", "movie.npy", encodeNpy(Uint16Array.from([...pixels(0), ...pixels(1)]), [2, height, width])),
    one("png", "frame.png", encode({ width, height, depth: 8, channels: 1, data: Uint8Array.from(pixels(0)) })),
    {
      format: "folder",
      name: "frames",
      folder: true,
      files: { "f1.tif": buildTiff({ pages: [page(0)] }), "f2.tif": buildTiff({ pages: [page(1)] }) },
    },
    ...[...cyclingFiles].map(([name, bytes]) => one(name.slice(name.lastIndexOf(".") + 1).toLowerCase(), name, bytes)),
    one(
      "micro-manager",
      "run_MMStack.ome.tif",
      buildMicroManager({
        width,
        height,
        summary: { PixelSize_um: 0.1, Channels: 2, ChNames: ["iSCAT", "dark"] },
        images: [0, 1, 2, 3].map((at) => ({
          frame: at >> 1,
          channel: at % 2,
          value: at,
          note: { "ElapsedTime-ms": 500 * at },
        })),
      }),
    ),
    ndtiff(),
    one("tdms", "movie.tdms", tdms()),
    ...(await zarrs()),
    ...(await hdf5s()),
    ...([8, 22, 29, "130-88", "130-56"] as const).map((version) =>
      one("nda", `run-${version}.nda`, buildNda({ version, rows: newareRows, range: 10, unit_mA: 0.001 })),
    ),
    ...([2, 5, 11, 14, 16, 17] as const).map((version) =>
      one("ndax", `run-${version}.ndax`, buildNdax({ version, rows: newareRows, range: 10, unit_mA: 0.001 })),
    ),
    ...arbin(),
    await parquet(),
    one("gzip", "movie.tif.gz", gzipSync(plain)),
    one("zip", "record.csv.zip", zipSync({ "record.csv": csv })),
  ];
}
