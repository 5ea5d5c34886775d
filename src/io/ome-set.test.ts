import * as fc from "fast-check";
import path from "node:path";
import { expect, test } from "vitest";
import { dataFolder } from "../../test/data-folder.js";
import { buildTiff, type PageSpec } from "../../test/tiff-builder.js";
import { FormatError } from "../model/errors.js";
import type { MovieFile } from "../model/movie.js";
import { openFile } from "./bytes.node.js";
import { memoryFolder, memorySource, type FolderSource } from "./bytes.js";
import { openFolderMovie } from "./folder.js";
import { openMovie } from "./open.js";
import { openOmeDocument } from "./ome-set.js";
import { openTiff } from "./tiff.js";
import { timeSeries } from "./time-series.js";

interface Plane {
  readonly file: string;
  readonly page: number;
  readonly t: number;
  readonly c?: number;
}

interface SetSpec {
  readonly planes: readonly Plane[];
  readonly times: number;
  readonly channels?: number;
  /** Of the file that holds the document. */
  readonly uuid?: string;
  readonly uuids?: boolean;
  readonly more?: string;
}

const id = (file: string): string => `urn:uuid:${file}-0000`;

function document({ planes, times, channels = 1, uuid, uuids = true, more = "" }: SetSpec): string {
  const data = planes.map(({ file, page, t, c = 0 }) => {
    const told = uuids ? `<UUID FileName="${file}.ome.tif">${id(file)}</UUID>` : `<UUID FileName="${file}.ome.tif"/>`;
    return `<TiffData IFD="${page}" FirstT="${t}" FirstC="${c}" FirstZ="0" PlaneCount="1">${told}</TiffData>`;
  });
  const stamps = planes.map(
    ({ t, c = 0 }) => `<Plane TheT="${t}" TheC="${c}" TheZ="0" DeltaT="${2000 * t}" DeltaTUnit="ms"/>`,
  );
  return (
    `<?xml version="1.0"?><!-- a <Plane/> that is none --><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" ` +
    `${uuid === undefined ? "" : `UUID="${uuid}"`}><Image ID="Image:0" Name="cell"><AcquisitionDate>2024-05-17T14:09:11</AcquisitionDate>` +
    `<Pixels ID="Pixels:0" DimensionOrder="XYCZT" Type="uint16" SizeX="1" SizeY="1" SizeZ="1" SizeC="${channels}" SizeT="${times}" ` +
    `PhysicalSizeX="80" PhysicalSizeXUnit="nm" ${more}>${data.join("")}${stamps.join("")}</Pixels></Image></OME>`
  );
}

/** A file whose pages hold the values given, the first with a description. */
function tiff(values: readonly number[], description?: string, bits = 16): Uint8Array {
  const pages = values.map((value, at): PageSpec => {
    const told = at === 0 && description !== undefined ? { description } : {};
    return { width: 1, height: 1, bits, samples: [value], ...told };
  });
  return buildTiff({ pages });
}

const stub = (file: string, companion: string): string =>
  `<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" UUID="${id(file)}"><BinaryOnly MetadataFile="${companion}" UUID="urn:uuid:doc"/></OME>`;

/** Two files of two frames each; the second is given with another document of its own. */
const two: readonly Plane[] = [0, 1, 2, 3].map((t) => ({ file: t < 2 ? "a" : "b", page: t % 2, t }));

async function values(movie: MovieFile): Promise<number[]> {
  const found: number[] = [];
  for (let index = 0; index < movie.frames; index++) {
    const into = new Uint16Array(1);
    await movie.read(index, into);
    found.push(into[0]!);
  }
  return found;
}

async function opened(folder: FolderSource, entry: string): Promise<MovieFile> {
  return openTiff(await folder.open(entry));
}

test("each file of a set stands for itself, and its dataset for all, in the order of time", async () => {
  const planes = two.map((plane) => ({ ...plane, t: [2, 0, 3, 1][plane.t]! }));
  for (const uuids of [true, false]) {
    const doc = (file: string): string => document({ planes, times: 4, uuids, uuid: id(file) });
    const folder = memoryFolder("set", {
      "a.ome.tif": tiff([12, 10], doc("a")),
      "b.ome.tif": tiff([13, 11], doc("b")),
    });
    for (const [name, own, start] of [
      ["a.ome.tif", [10, 12], "2024-05-17T14:09:11"],
      ["b.ome.tif", [11, 13], "2024-05-17T14:09:13.000"],
    ] as const) {
      const movie = await opened(folder, name);
      expect(await values(movie)).toEqual(own);
      expect([...movie.time_s!]).toEqual([0, 4]);
      expect(movie).toMatchObject({ start, pixelSize_um: 0.08 });
      expect(movie.dataset).toMatchObject({ files: ["a.ome.tif", "b.ome.tif"], missing: [], frames: 4 });
      const whole = await movie.dataset!.open();
      expect(whole).toMatchObject({
        format: "ome-tiff",
        frames: 4,
        pixelSize_um: 0.08,
        warnings: [],
        imageNames: ["cell"],
      });
      expect(whole.planes).toBeUndefined();
      expect(await values(whole)).toEqual([10, 11, 12, 13]);
      expect([...whole.time_s!]).toEqual([0, 2, 4, 6]);
      await whole.close();
    }
  }
});

test("the metadata of a companion file count for every file that points to it, and open the set by themselves", async () => {
  const doc = new TextEncoder().encode(document({ planes: two, times: 4 }));
  const pixels = {
    "a.ome.tif": tiff([1, 2], stub("a", "run.companion.ome")),
    "b.ome.tif": tiff([3, 4], stub("b", "run.companion.ome")),
  };
  const folder = memoryFolder("set", { ...pixels, "run.companion.ome": doc });
  const movie = await opened(folder, "b.ome.tif");
  expect(await values(movie)).toEqual([3, 4]);
  expect(movie).toMatchObject({ pixelSize_um: 0.08, timeSource: "OME DeltaT" });
  expect(await values(await movie.dataset!.open())).toEqual([1, 2, 3, 4]);

  const whole = await openOmeDocument(await folder.open("run.companion.ome"));
  expect(await values(whole)).toEqual([1, 2, 3, 4]);
  expect([...whole.time_s!]).toEqual([0, 2, 4, 6]);

  const renamed = await opened(memoryFolder("set", { ...pixels, "other.companion.ome": doc }), "b.ome.tif");
  expect(await values(await renamed.dataset!.open())).toEqual([1, 2, 3, 4]);
  expect(renamed.warnings.join()).toMatch(/run\.companion\.ome, which is not there; other\.companion\.ome/);

  const alone = await opened(memoryFolder("set", pixels), "b.ome.tif");
  expect(alone).toMatchObject({ frames: 2, pixelSize_um: null });
  expect(alone.warnings.join()).toMatch(/run\.companion\.ome, which is not beside it/);
});

test("the document may stand in one file of the set, to which the others point", async () => {
  const folder = memoryFolder("set", {
    "a.ome.tif": tiff([1, 2], document({ planes: two, times: 4, uuid: id("a") })),
    "b.ome.tif": tiff([3, 4], stub("b", "a.ome.tif")),
  });
  const movie = await opened(folder, "b.ome.tif");
  expect(await values(movie)).toEqual([3, 4]);
  expect(await values(await movie.dataset!.open())).toEqual([1, 2, 3, 4]);
});

test("renamed files are found again, by the UUID in each or by what is left of their names", async () => {
  const doc = (file: string, uuids: boolean): string => {
    return document({ planes: two, times: 4, uuids, ...(uuids ? { uuid: id(file) } : {}) });
  };
  const byUuid = memoryFolder("set", {
    "control.tif": tiff([3, 4], doc("b", true)),
    "cell 7.tif": tiff([1, 2], doc("a", true)),
    "stranger.tif": tiff([9, 9]),
  });
  for (const [entry, own] of [
    ["control.tif", [3, 4]],
    ["cell 7.tif", [1, 2]],
  ] as const) {
    const movie = await opened(byUuid, entry);
    expect(await values(movie)).toEqual(own);
    expect(movie.warnings.join()).toMatch(/renamed since: a\.ome\.tif is taken to be cell 7\.tif/);
    expect(movie.dataset).toMatchObject({ files: ["cell 7.tif", "control.tif"], missing: [] });
    expect(await values(await movie.dataset!.open())).toEqual([1, 2, 3, 4]);
  }
  const byName = memoryFolder("set", {
    "day 3 a.ome.tif": tiff([1, 2], doc("a", false)),
    "day 3 b.ome.tif": tiff([3, 4], doc("b", false)),
  });
  const movie = await opened(byName, "day 3 b.ome.tif");
  expect(await values(movie)).toEqual([3, 4]);
  expect(await values(await movie.dataset!.open())).toEqual([1, 2, 3, 4]);
  const capital = memoryFolder("set", { "A.OME.TIF": tiff([1, 2], doc("a", false)), "B.OME.TIF": tiff([3, 4]) });
  expect(await values(await (await opened(capital, "A.OME.TIF")).dataset!.open())).toEqual([1, 2, 3, 4]);
});

test("frames of a file that is not there are absent, and how many is said", async () => {
  const doc = document({ planes: two, times: 4, uuid: id("b") });
  const movie = await opened(memoryFolder("set", { "b.ome.tif": tiff([3, 4], doc) }), "b.ome.tif");
  expect(await values(movie)).toEqual([3, 4]);
  expect(movie.dataset).toMatchObject({ files: ["b.ome.tif"], missing: ["a.ome.tif"], frames: 2 });
  const whole = await movie.dataset!.open();
  expect(await values(whole)).toEqual([3, 4]);
  expect(whole.warnings.join()).toMatch(/1 file is not in the folder \(a\.ome\.tif\): 2 of 4 frames are missing/);
});

test("a file of the set that is cut, damaged or of another type lacks its frames, and is named", async () => {
  const doc = document({ planes: two, times: 4, uuid: id("a") });
  const b = tiff([3, 4]);
  const cases: [Uint8Array, number, RegExp][] = [
    [b.subarray(0, b.length - 30), 3, /holds 4 frames but holds 3/],
    [b.subarray(0, 6), 2, /b\.ome\.tif.*frames are missing/],
    [tiff([3, 4], undefined, 8), 2, /b\.ome\.tif holds frames of another size or type/],
    [new TextEncoder().encode("hello"), 2, /b\.ome\.tif/],
  ];
  for (const [bytes, frames, words] of cases) {
    const movie = await opened(
      memoryFolder("set", { "a.ome.tif": tiff([1, 2], doc), "b.ome.tif": bytes }),
      "a.ome.tif",
    );
    expect(movie.dataset).toMatchObject({ frames });
    const whole = await movie.dataset!.open();
    expect(await values(whole)).toEqual([1, 2, 3].slice(0, frames));
    expect(whole.warnings.join(" ")).toMatch(words);
  }
});

test("channels of a set are told apart by name and number", async () => {
  const planes = [0, 1].flatMap((t) => ["a", "b"].map((file, c) => ({ file, page: t, t, c })));
  const doc = document({ planes, times: 2, channels: 2, uuid: id("a") }).replace(
    "<TiffData",
    '<Channel ID="Channel:0:0" Name="brightfield"/><Channel ID="Channel:0:1" Name="iSCAT"/><TiffData',
  );
  const folder = memoryFolder("set", { "a.ome.tif": tiff([10, 20], doc), "b.ome.tif": tiff([11, 21]) });
  const whole = await (await opened(folder, "a.ome.tif")).dataset!.open();
  expect(whole.channelNames).toEqual(["brightfield", "iSCAT"]);
  expect(await values(whole)).toEqual([10, 11, 20, 21]);
  expect(await values(timeSeries(whole, { channel: "iSCAT" }))).toEqual([11, 21]);
});

test("many files of one frame each are a movie, of which few are open at a time", async () => {
  const count = 60;
  const planes = Array.from({ length: count }, (_, t) => ({ file: `f${t}`, page: 0, t }));
  const files = Object.fromEntries(
    planes.map(({ file, t }) => [
      `${file}.ome.tif`,
      tiff([t], t === 0 ? document({ planes, times: count }) : undefined),
    ]),
  );
  const inner = memoryFolder("set", files);
  let now = 0;
  let most = 0;
  const folder: FolderSource = {
    ...inner,
    async open(entry) {
      most = Math.max(most, ++now);
      return { ...(await inner.open(entry)), beside: async () => folder, close: async () => void now-- };
    },
  };
  const movie = await opened(folder, "f0.ome.tif");
  const whole = await movie.dataset!.open();
  expect(await values(whole)).toEqual([...Array(count).keys()]);
  expect(most).toBeLessThan(40);
  await whole.close();
  await movie.close();
  expect(now).toBe(0);
  const named = await openFolderMovie(folder);
  expect(await values(named)).toEqual([...Array(count).keys()]);
  expect([...named.time_s!].at(-1)).toBe(2 * (count - 1));
});

test("a document without its files, or with pixels inside, is refused with what to do", async () => {
  const source = (text: string, files: Record<string, Uint8Array> = {}) =>
    memoryFolder("set", { "x.ome.xml": new TextEncoder().encode(text), ...files }).open("x.ome.xml");
  const doc = document({ planes: two, times: 4 });
  await expect(openOmeDocument(await source(doc))).rejects.toThrow(/none of the 2 files .*a\.ome\.tif.* beside it/);
  const bare = doc.replace(/<TiffData.*<\/TiffData>/, "");
  await expect(openOmeDocument(await source(bare))).rejects.toThrow(/without pixels\. Name the TIFF/);
  const inside = doc.replace(/<TiffData.*<\/TiffData>/, '<BinData Length="4">AAAA</BinData>');
  await expect(openOmeDocument(await source(inside))).rejects.toThrow(/pixels as text/);
  await expect(openOmeDocument(memorySource("x.ome.xml", new TextEncoder().encode(doc)))).rejects.toThrow(FormatError);
});

test("no name in a document leads out of its folder", async () => {
  const planes = [
    { file: "../secret/a", page: 0, t: 0 },
    { file: "C:\\b", page: 0, t: 1 },
  ];
  const folder = memoryFolder("set", {
    "b.ome.tif": tiff([2], document({ planes, times: 2, uuids: false })),
    "secret/a.ome.tif": tiff([1]),
  });
  const movie = await opened(folder, "b.ome.tif");
  expect(movie.dataset).toMatchObject({ files: ["b.ome.tif"], missing: ["../secret/a.ome.tif"] });
});

test("whatever a document says, the set is opened or refused, never more", async () => {
  const doc = document({ planes: two, times: 4, uuid: id("a") });
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(fc.nat(), fc.nat(127)), { minLength: 1, maxLength: 8 }), async (hits) => {
      const letters = [...doc];
      for (const [at, code] of hits) letters[at % letters.length] = String.fromCharCode(code);
      const text = letters.join("");
      const folder = memoryFolder("set", {
        "a.ome.tif": tiff([1, 2], text),
        "b.ome.tif": tiff([3, 4]),
        "c.companion.ome": new TextEncoder().encode(text),
      });
      for (const open of [
        async () => (await (await opened(folder, "a.ome.tif")).dataset?.open())?.close(),
        async () => (await openOmeDocument(await folder.open("c.companion.ome"))).close(),
      ]) {
        try {
          await open();
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError);
        }
      }
    }),
    { numRuns: 150 },
  );
});

test("a long document of unclosed and nested elements is read in its length, not in the square of it", async () => {
  for (const part of ["<Plane ", "<Plane>", "<TiffData><Plane ", '<Plane DeltaT="1', "<Plane/>", "<!--", "<Pixels "]) {
    const text = `<OME xmlns="x"><Image><Pixels SizeX="1" SizeY="1" SizeZ="1" SizeC="1" SizeT="1">${part.repeat(50_000)}`;
    const start = performance.now();
    await expect(openOmeDocument(memorySource("x.ome", new TextEncoder().encode(text)))).rejects.toThrow(FormatError);
    expect(performance.now() - start).toBeLessThan(1000);
  }
});

test.skipIf(dataFolder === null)(
  "a real set with a companion is one movie, whichever of its files is named",
  async () => {
    const folder = path.join(dataFolder!, "images", "ome_tiff", "companion");
    const sums = [94605, 16575, 93330, 17136, 92820];
    const sumOf = async (movie: MovieFile, index: number): Promise<number> => {
      const into = new Uint8Array(movie.width * movie.height);
      await movie.read(index, into);
      return into.reduce((sum, value) => sum + value, 0);
    };
    for (const number of [1, 4]) {
      const movie = await openMovie(await openFile(path.join(folder, `multifile-Z${number}.ome.tiff`)));
      expect(movie).toMatchObject({ frames: 1, width: 18, height: 24, dtype: "uint8", start: "2010-03-02T15:08:59" });
      expect(await sumOf(movie, 0)).toBe(sums[number - 1]);
      expect(movie.dataset).toMatchObject({ frames: 5, missing: [] });
      const whole = await movie.dataset!.open();
      for (const [at, sum] of sums.entries()) expect(await sumOf(whole, at)).toBe(sum);
      await whole.close();
      await movie.close();
    }
    const whole = await openOmeDocument(await openFile(path.join(folder, "multifile.companion.ome")));
    expect(whole.frames).toBe(5);
    expect(await sumOf(whole, 2)).toBe(sums[2]);
    await whole.close();
  },
);
