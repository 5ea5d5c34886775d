import { expect, test } from "vitest";
import { buildTiff } from "../../test/tiff-builder.js";
import { FormatError } from "../model/errors.js";
import { memoryFolder, memorySource, type ByteSource } from "./bytes.js";
import { encodeNpy } from "./npy-write.js";
import { openAny, openMovie, readCycling, tellKind } from "./open.js";

const letters = (text: string): Uint8Array => new TextEncoder().encode(text);
const source = (name: string, bytes: Uint8Array | string): ByteSource =>
  memorySource(name, typeof bytes === "string" ? letters(bytes) : bytes);

const tiff = buildTiff({ pages: [{ width: 1, height: 1, bits: 8, samples: [3] }] });
const npy = encodeNpy(Uint8Array.from([1, 2]), [1, 2]);
const gamry =
  "EXPLAIN\r\nTAG\tPWR800_CHARGE\r\nDATE\tLABEL\t5/17/2024\tDate\r\nTIME\tLABEL\t14:09:11\tTime\r\n" +
  "CURVE\tTABLE\t2\r\n\tPt\tT\tVf\tIm\r\n\t#\ts\tV vs. Ref.\tA\r\n\t0\t1\t3.9\t0.001\r\n\t1\t2\t3.91\t0.001\r\n";

test("a movie is told by its content, whatever it is called", async () => {
  for (const name of ["movie.tif", "movie.npy", "movie.mpr", "movie"]) {
    expect((await openMovie(source(name, tiff))).format).toBe("tiff");
    expect((await openMovie(source(name, npy))).format).toBe("npy");
    expect(await tellKind(source(name, tiff))).toBe("movie");
    expect((await openAny(source(name, npy))).kind).toBe("movie");
  }
});

test("text that is called an image is no image, and the message says so", async () => {
  for (const words of ["hello world", "time,voltage\n0,3.9\n1,3.91\n", gamry]) {
    for (const name of ["cell.tif", "folder/CELL.TIFF"]) {
      for (const open of [openMovie, openAny, tellKind]) {
        await expect(open(source(name, words))).rejects.toThrow(FormatError);
        await expect(open(source(name, words))).rejects.toThrow(/: is text, not TIFF; it begins with "/);
      }
    }
  }
});

test("a movie and a cycler's file in each other's place are told apart", async () => {
  expect((await openAny(source("run.dta", gamry))).kind).toBe("cycling");
  expect(await tellKind(source("run.dta", gamry))).toBe("cycling");
  await expect(openMovie(source("run.dta", gamry))).rejects.toThrow(/is a cycler's file \(gamry-dta\)/);
  await expect(readCycling([source("run.tif", tiff)])).rejects.toThrow(/is a movie \(tiff\)/);
  const joined = await readCycling([source("run.dta", gamry)]);
  expect([...joined.potential_V]).toEqual([3.9, 3.91]);
});

test("a cycler's file is told by its content even where it is called an image; so is a folder of them", async () => {
  const mpr = letters(`BIO-LOGIC MODULAR FILE\u001a${" ".repeat(25)}\0\0\0\0MODULE`);
  await expect(openMovie(source("cell.tif", mpr))).rejects.toThrow(/is a cycler's file \(biologic-mpr\)/);
  const folder = memoryFolder("run", { "1.DTA": letters(gamry), "notes.txt": letters("hello") });
  expect(await tellKind(folder)).toBe("cycling");
  await expect(openMovie(folder)).rejects.toThrow(/no image among them/);
  await expect(tellKind(memoryFolder("run", { "notes.txt": letters("hello") }))).rejects.toThrow(/no image/);
  await expect(openMovie(memoryFolder("cell.ome.zarr", { "notes.txt": letters("hello") }))).rejects.toThrow(
    /holds no zarr\.json.*hidden files/,
  );
});

test("known containers that are not read are named, with a cure", async () => {
  const bytes = (...values: number[]): Uint8Array => Uint8Array.from([...values, ...new Uint8Array(64).fill(1)]);
  const cases: [Uint8Array | string, RegExp][] = [
    [bytes(...letters("TDSm")), /first segment is of version 16843009; 4712 and 4713 are known/],
    [bytes(0x50, 0x4b, 3, 4), /zip archive was cut.*Copy it again/],
    [bytes(0x1f, 0x8b, 8), /packed data.*damaged.*unpack/],
    [
      bytes(...letters("NEWARE")),
      /cut after 70 bytes, inside its header|is a cycler.s file \(neware-nda\), not a movie/,
    ],
    [bytes(...letters("BZh91")), /bzip2.*Unpack/],
    [bytes(0x28, 0xb5, 0x2f, 0xfd), /Zstandard.*Unpack/],
    [bytes(0xd0, 0xcf, 0x11, 0xe0), /old Excel.*\.xlsx/],
    [bytes(0xff, 0xd8, 0xff), /JPEG.*TIFF/],
    [bytes(30, 0, 0, 0, ...letters('{"time":0}')), /index of an NDTiff dataset without its folder/],
    ['{"zarr_format": 3, "node_type": "group"}', /metadata of a Zarr.*Name the folder/],
    ['{\n  "multiscales": [{}]\n}', /metadata of a Zarr.*Name the folder/],
    [new Uint8Array(512), /512 zero bytes/],
    [new Uint8Array(), /is empty/],
    [bytes(0xde, 0xad, 0xbe, 0xef), /first bytes are de ad be ef.*Movies are read from tiff, .*npy, png/],
  ];
  for (const [content, words] of cases) {
    for (const open of [openMovie, openAny]) {
      await expect(open(source("cell.dat", content))).rejects.toThrow(FormatError);
      await expect(open(source("cell.dat", content))).rejects.toThrow(words);
    }
  }
});
