import * as fc from "fast-check";
import { gzipSync, zipSync } from "fflate";
import { expect, test } from "vitest";
import { buildTiff } from "../../test/tiff-builder.js";
import { FormatError } from "../model/errors.js";
import { memorySource, readBytes, type ByteSource } from "./bytes.js";
import { encodeNpy } from "./npy-write.js";
import { openAny, openMovie, readCycling, tellKind } from "./open.js";
import { packWarnings, unpacked } from "./packed.js";

const letters = (text: string): Uint8Array => new TextEncoder().encode(text);
const joined = (...parts: Uint8Array[]): Uint8Array => Uint8Array.from(parts.flatMap((part) => [...part]));
const never = async (): Promise<boolean> => false;
const open = (name: string, bytes: Uint8Array): Promise<ByteSource> => unpacked(memorySource(name, bytes), never);
const all = (source: ByteSource): Promise<Uint8Array> => readBytes(source, 0, source.size);

const table = letters(
  `time_s,potential_V,current_mA\n${Array.from({ length: 400 }, (_, t) => `${t},${3 + t / 1000},1\n`).join("")}`,
);
const tiff = buildTiff({ pages: [{ width: 2, height: 1, bits: 8, samples: [3, 4] }] });

test("a movie and a record are the same within gzip, within zip, and within both", async () => {
  const packs: [string, (name: string, bytes: Uint8Array) => [string, Uint8Array]][] = [
    ["gzip", (name, bytes) => [`${name}.gz`, gzipSync(bytes)]],
    ["zip", (name, bytes) => ["a.zip", zipSync({ [name]: bytes })]],
    ["stored", (name, bytes) => ["a.zip", zipSync({ [`folder/${name}`]: [bytes, { level: 0 }] })]],
    ["both", (name, bytes) => ["a.zip.gz", gzipSync(zipSync({ [name]: bytes }))]],
  ];
  for (const [kind, pack] of packs) {
    const [movieName, movieBytes] = pack("movie.tif", tiff);
    const movie = await openMovie(memorySource(movieName, movieBytes));
    const into = new Uint8Array(2);
    await movie.read(0, into);
    expect([kind, movie.format, ...into]).toEqual([kind, "tiff", 3, 4]);
    expect(movie.name).toMatch(/^a?(movie)?\.(zip|tif)(\.gz)? .*\(movie\.tif\)$/);
    expect(await tellKind(memorySource(movieName, movieBytes))).toBe("movie");
    const [name, bytes] = pack("run.csv", table);
    const record = await readCycling([memorySource(name, bytes)]);
    expect(record.time_s.length).toBe(400);
    expect(record.warnings).toEqual([]);
  }
});

test("an archive of one array (.npz) is its array", async () => {
  const npz = zipSync({ "movie.npy": [encodeNpy(new Uint8Array(60), [5, 3, 4]), { level: 0 }] });
  const movie = await openMovie(memorySource("movie.npz", npz));
  expect([movie.format, movie.frames, movie.width]).toEqual(["npy", 5, 4]);
});

test("members of gzip follow each other, zeros may end them, and what else follows is named", async () => {
  const [head, tail] = [table.subarray(0, 1000), table.subarray(1000)];
  const two = joined(gzipSync(head, { filename: "run.csv" }), gzipSync(tail), new Uint8Array(512));
  const source = await open("run.gz", two);
  expect(Buffer.compare(await all(source), table)).toBe(0);
  expect(packWarnings(source)).toEqual([]);
  const more = await open("run.csv.gz", joined(gzipSync(table), letters("more")));
  expect(Buffer.compare(await all(more), table)).toBe(0);
  expect(packWarnings(more).join()).toMatch(/run\.csv\.gz: 4 bytes behind the gzip data \(from byte \d+\)/);
});

test("thousands of small members are read as one file", async () => {
  const member = gzipSync(letters("3.9\n"));
  const many = (count: number): Uint8Array => {
    const bytes = new Uint8Array(count * member.length);
    for (let at = 0; at < bytes.length; at += member.length) bytes.set(member, at);
    return bytes;
  };
  const source = await open("run.gz", many(5000));
  expect(new TextDecoder().decode(await all(source))).toBe("3.9\n".repeat(5000));
});

test("a pack that was cut gives what is before the cut, and says so", async () => {
  const packs: Uint8Array[] = [
    gzipSync(table),
    zipSync({ "run.csv": table }),
    zipSync({ "run.csv": [table, { level: 0 }] }),
  ];
  for (const [index, bytes] of packs.entries()) {
    for (const part of [0.5, 0.8]) {
      const source = await open("run.pack", bytes.subarray(0, Math.floor(part * bytes.length)));
      const there = await all(source);
      expect(there.length, `${index}`).toBeGreaterThan(500);
      expect(Buffer.compare(there, table.subarray(0, there.length))).toBe(0);
      expect(packWarnings(source).join()).toMatch(/run\.pack: the file was cut after \d+ bytes/);
    }
  }
  const half = gzipSync(table).subarray(0, 500);
  const record = await readCycling([memorySource("run.csv.gz", half)]);
  expect(record.time_s.length).toBeGreaterThan(20);
  expect(record.warnings.join()).toMatch(/was cut after 500 bytes/);
});

test("an archive is refused by what it holds, with the cure", async () => {
  const names = (...files: string[]): Uint8Array => zipSync(Object.fromEntries(files.map((file) => [file, table])));
  const cases: [Uint8Array, RegExp][] = [
    [
      names("a.csv", "b.csv", "c.csv", "d.csv", "e.csv"),
      /holds 5 files \(a\.csv, b\.csv, c\.csv, d\.csv, \.\.\.\)\. Unpack/,
    ],
    [names("m.zarr/zarr.json", "m.zarr/c/0"), /packed Zarr.*name its folder/],
    [names("1.roi", "2.roi"), /2 outlines of ImageJ.*--outlines/],
    [names("x.npy", "y.npy"), /2 arrays \(x\.npy, y\.npy\)/],
    [zipSync({ "empty/": new Uint8Array() }), /holds no file/],
    [gzipSync(gzipSync(gzipSync(table))), /packed more than 2 times over/],
  ];
  for (const [bytes, words] of cases) {
    await expect(openAny(memorySource("cell.dat", bytes))).rejects.toThrow(words);
    await expect(openAny(memorySource("cell.dat", bytes))).rejects.toThrow(FormatError);
  }
});

test("what a computer leaves beside the file is no second file", async () => {
  const zip = zipSync({ "run.csv": table, "__MACOSX/._run.csv": letters("x"), ".DS_Store": letters("y") });
  const source = await open("run.zip", zip);
  expect(source.name).toBe("run.zip (run.csv)");
  expect(Buffer.compare(await all(source), table)).toBe(0);
});

test("a checksum that is not the one stored is refused", async () => {
  const gzip = gzipSync(table);
  gzip[gzip.length - 8]! ^= 1;
  await expect(open("run.gz", gzip)).rejects.toThrow(/run\.gz: the gzip data are damaged.*checksum/);
  const zip = zipSync({ "run.csv": table });
  zip[zip.length - 22 - 53 + 16]! ^= 1;
  await expect(open("run.zip", zip)).rejects.toThrow(/run\.csv in the zip archive is damaged/);
});

test("a bomb is refused when it has swollen to 64 MiB", async () => {
  const started = performance.now();
  const bomb = gzipSync(new Uint8Array(70 << 20), { level: 1 });
  // On a busy machine, no longer than a few times what packing it took.
  const most_ms = Math.max(2000, 3 * (performance.now() - started));
  const zip = zipSync({ bomb: [bomb, { level: 0 }] });
  const cases: [string, Uint8Array, RegExp][] = [
    ["bomb.gz", bomb, /more than 200 times its \d+ packed bytes/],
    ["bomb.zip", zip, /bomb\.zip \(bomb\): swells/],
  ];
  for (const [name, bytes, words] of cases) {
    const begun = performance.now();
    await expect(open(name, bytes)).rejects.toThrow(words);
    expect(performance.now() - begun).toBeLessThan(most_ms);
  }
});

test("a format that is itself a zip is not unpacked", async () => {
  const zip = memorySource("run.ndax", zipSync({ "data.ndc": table }));
  expect(await unpacked(zip, async (head) => head[0] === 0x50)).toBe(zip);
});

test("a source in memory is read without waiting, at any place", async () => {
  const source = await open("run.csv.gz", joined(gzipSync(table.subarray(0, 777)), gzipSync(table.subarray(777))));
  await fc.assert(
    fc.asyncProperty(fc.nat(table.length + 5), fc.nat(900), async (offset, length) => {
      const into = new Uint8Array(length);
      const got = source.readNow!(offset, into);
      expect(Buffer.compare(into.subarray(0, got), table.subarray(offset, offset + length))).toBe(0);
    }),
  );
});

test("packs with bytes flipped or cut anywhere give a result or a sentence", async () => {
  const packs = [
    gzipSync(table, { filename: "a" }),
    zipSync({ a: table.subarray(0, 300) }),
    zipSync({ a: [table.subarray(0, 300), { level: 0 }] }),
  ];
  const attempt = async (bytes: Uint8Array): Promise<void> => {
    try {
      await all(await open("a.pack", bytes));
    } catch (error) {
      expect(error).toBeInstanceOf(FormatError);
    }
  };
  for (const bytes of packs) {
    for (let cut = 0; cut < bytes.length; cut += 3) await attempt(bytes.subarray(0, cut));
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }), async (flips) => {
        const changed = bytes.slice();
        for (const [at, value] of flips) changed[at % changed.length] = value;
        await attempt(changed);
      }),
      { numRuns: 150 },
    );
  }
});
