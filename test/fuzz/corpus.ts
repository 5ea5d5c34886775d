/** Small sound files of every format that is read, made by our own builders: what the mutators change. */
import { gzipSync, zipSync } from "fflate";
import { encode } from "fast-png";
import { cyclingFiles } from "../../fixtures/cycling-files.js";
import { encodeNpy } from "../../src/io/npy-write.js";
import { writeOmeTiff } from "../../src/io/ome-tiff-write.js";
import { buildTiff, type FileSpec, type PageSpec } from "../tiff-builder.js";

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
    one("gzip", "movie.tif.gz", gzipSync(plain)),
    one("zip", "record.csv.zip", zipSync({ "record.csv": csv })),
  ];
}
