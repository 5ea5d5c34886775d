/**
 * Every real file, one by one: it reproduces the facts known of it, or is refused in a sentence. A file without a rule
 * fails: none is passed over in silence. What was read, what refused, what is neither is printed at the end.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { isIonoscopeError } from "../src/model/errors.js";
import { frameBuffer } from "../src/io/views.js";
import { openMovies } from "../src/operations/movies.node.js";
import { inspectPath } from "../src/operations/inspect.node.js";
import type { CyclingFacts, Facts, MovieFacts } from "../src/operations/inspect.js";
import { dataFolder } from "./data-folder.js";

const root = dataFolder ?? "";
const text = (name: string): string => readFileSync(path.join(root, name), "utf8");
const json = <T>(name: string): T => JSON.parse(text(name)) as T;

/** What a file must come to. */
type Rule =
  | { readonly kind: "movie"; readonly check: (facts: MovieFacts, name: string) => void | Promise<void> }
  | { readonly kind: "cycling"; readonly check: (facts: CyclingFacts, name: string) => void }
  | { readonly kind: "other"; readonly says: RegExp }
  | { readonly kind: "refused"; readonly says: RegExp }
  /** Malformed: refused in a sentence, or used up to the fault with a warning. */
  | { readonly kind: "refused or warned" }
  | { readonly kind: "part of"; readonly whole: string }
  | { readonly kind: "not applicable"; readonly because: string };

const movie = (check: (facts: MovieFacts, name: string) => void | Promise<void> = () => {}): Rule => ({
  kind: "movie",
  check,
});
const cycling = (check: (facts: CyclingFacts, name: string) => void = () => {}): Rule => ({ kind: "cycling", check });
const other = (says: RegExp): Rule => ({ kind: "other", says });
const refused = (says: RegExp): Rule => ({ kind: "refused", says });
const notApplicable = (because: string): Rule => ({ kind: "not applicable", because });
const partOf = (whole: string): Rule => ({ kind: "part of", whole });
const malformed: Rule = { kind: "refused or warned" };

function close(found: number | null, wanted: number, relative: number, what: string): void {
  const within = relative * Math.max(1e-3, Math.abs(wanted));
  expect(Math.abs(found! - wanted), `${what} is ${found}, not ${wanted}`).toBeLessThanOrEqual(within);
}

const withoutEnding = (name: string): string => name.replace(/(\.nda)?\.[^./]+$/, "");

interface MprFacts {
  readonly n_points: number;
  readonly start_timestamp: string | null;
  readonly columns: Readonly<Record<string, { first: number; last: number; min: number; max: number }>>;
}

function asGalvaniReads(facts: CyclingFacts, name: string): void {
  const known = json<MprFacts>(`${withoutEnding(name)}.expected.json`);
  expect(facts.format).toBe("biologic-mpr");
  expect(facts.rows).toBe(known.n_points);
  if (known.start_timestamp !== null) {
    expect(facts.start!.slice(0, 19)).toBe(known.start_timestamp.slice(0, 19).replace(" ", "T"));
  }
  close(facts.time_s.first, known.columns["time/s"]!.first, 5e-8, "first time");
  close(facts.time_s.last, known.columns["time/s"]!.last, 5e-8, "last time");
  const potential = known.columns["Ewe/V"] ?? known.columns["<Ewe>/V"]!;
  close(facts.potential_V.min, potential.min, 5e-8, "lowest potential");
  close(facts.potential_V.max, potential.max, 5e-8, "highest potential");
  const current = known.columns["<I>/mA"] ?? known.columns["I/mA"];
  if (current === undefined) return;
  close(facts.current_mA.min, current.min, 5e-8, "lowest current");
  close(facts.current_mA.max, current.max, 5e-8, "highest current");
}

interface Stats {
  readonly rows: number;
  readonly stats?: Readonly<Record<string, { min: number; max: number; sum: number }>>;
}

function asNewareExports(facts: CyclingFacts, name: string): void {
  const { rows, stats } = json<Stats>(`${withoutEnding(name)}.expected.json`);
  expect(facts.rows).toBe(rows);
  // The vendor shows tenths of a millivolt and whole microamperes.
  const [volts, currents] = [stats!["Voltage(mV)"]!, stats!["Current(uA)"]!];
  for (const end of ["min", "max"] as const) {
    expect(Math.abs(facts.potential_V[end]! - volts[end] / 1000)).toBeLessThan(6e-5);
    expect(Math.abs(facts.current_mA[end]! - currents[end] / 1000)).toBeLessThan(
      6e-4 + 1e-6 * Math.abs(currents[end] / 1000),
    );
  }
  // The vendor's total is the time spent in steps; where the test stood still in between, its dates tell more.
  const total = stats!["Total Time"]!;
  const dates = text(`${withoutEnding(name)}.expected_rows.csv`)
    .trim()
    .split("\n")
    .map((row) => Date.parse(/\d{4}-\d\d-\d\dT[\d:.]+Z/.exec(row)?.[0] ?? ""));
  const by_clock = (dates.at(-1)! - dates[1]!) / 1000;
  const duration_s = facts.time_s.last! - facts.time_s.first!;
  const off = Math.min(Math.abs(duration_s - (total.max - total.min)), Math.abs(duration_s - by_clock));
  expect(off, `lasts ${duration_s} s, not ${total.max - total.min} or ${by_clock}`).toBeLessThan(
    1.1 + 1e-3 * total.max,
  );
}

interface TiffFacts {
  readonly ifds: number;
  readonly width: number;
  readonly height: number;
  readonly first?: { readonly min: number; readonly max: number; readonly sum: number };
  readonly last?: { readonly min: number; readonly max: number; readonly sum: number };
}

const tiffs = dataFolder === null ? {} : json<Record<string, TiffFacts>>("images/tiff.expected.json");

function asTifffileReads(facts: MovieFacts, name: string): void {
  const known = tiffs[name]!;
  expect([facts.width, facts.height]).toEqual([known.width, known.height]);
  if (known.first === undefined || known.last === undefined) return;
  // A page of several planes is several frames, none of which leaves the page's range.
  if (facts.frames !== known.ifds) {
    expect(facts.firstFrame.min!).toBeGreaterThanOrEqual(known.first.min);
    expect(facts.firstFrame.max!).toBeLessThanOrEqual(known.first.max);
    return;
  }
  for (const [found, page] of [
    [facts.firstFrame, known.first],
    [facts.lastFrame, known.last],
  ] as const) {
    expect(found.min).toBeCloseTo(page.min, 5);
    expect(found.max).toBeCloseTo(page.max, 5);
    if (facts.dtype.startsWith("float")) expect(Math.abs(found.sum / page.sum - 1)).toBeLessThan(1e-6);
    else expect(found.sum).toBe(page.sum);
  }
}

interface NdtiffFacts {
  readonly entries: number;
  readonly axes: Readonly<Record<string, readonly (number | string)[]>>;
  readonly width: number;
  readonly first_image_sum: number;
  readonly last_image_sum: number;
  readonly pixel_sum_all: number;
}

async function ndtiff(facts: MovieFacts, folder: string): Promise<void> {
  const inside = existsSync(path.join(root, folder, "NDTiff.index")) ? folder : `${folder}/Full resolution`;
  const known = json<NdtiffFacts>(`${inside}/NDTiff.expected.json`);
  expect(facts).toMatchObject({ format: "ndtiff", frames: known.entries, width: known.width });
  expect(facts.firstFrame.sum).toBe(known.first_image_sum);
  expect(facts.series?.times ?? facts.frames).toBe(known.axes["time"]!.length);
  expect(facts.series?.channels ?? 1).toBe(known.axes["channel"]?.length ?? 1);
  expect(facts.series?.slices ?? 1).toBe(known.axes["z"]?.length ?? 1);
  const all = (await inspectPath(path.join(root, folder), { full: true })) as MovieFacts;
  expect(all.allFrames!.sum).toBe(known.pixel_sum_all);
}

/** The array of the sixteen frames in all its containers. */
function sixteenFrames(scale: {
  pixelSize_um?: number | null;
  interval_s?: number | null;
  dtype?: string;
  by?: number;
}) {
  const { pixelSize_um = null, interval_s = null, dtype = "uint8", by = 1 } = scale;
  return (facts: MovieFacts): void => {
    expect(facts).toMatchObject({ frames: 16, width: 192, height: 192, dtype });
    expect(facts.firstFrame).toEqual({ min: 66 * by, max: 255 * by, sum: 5249372 * by });
    expect(facts.lastFrame).toEqual({ min: 71 * by, max: 255 * by, sum: 5249496 * by });
    if (pixelSize_um === null) expect(facts.pixelSize_um).toBeNull();
    else expect(facts.pixelSize_um).toBeCloseTo(pixelSize_um, 6);
    if (interval_s === null) expect(facts.time).toBeNull();
    else expect(facts.time).toMatchObject({ first_s: 0, median_interval_s: interval_s, last_s: 15 * interval_s });
  };
}

const frames = (count: number, width: number, height: number): Rule =>
  movie((facts) => expect([facts.frames, facts.width, facts.height]).toEqual([count, width, height]));

const rows = (count: number, more: (facts: CyclingFacts) => void = () => {}): Rule =>
  cycling((facts) => {
    expect(facts.rows).toBe(count);
    more(facts);
  });

const firstSum = (sum: number, more: Partial<MovieFacts> = {}): Rule =>
  movie((facts) => {
    expect(facts).toMatchObject(more);
    expect(Math.abs(facts.firstFrame.sum - sum)).toBeLessThanOrEqual(1e-6 * Math.abs(sum));
  });

const gamry =
  dataFolder === null
    ? {}
    : json<Record<string, { tag: string; tables: { name: string; actual_rows: number }[] }>>(
        "echem/gamry/gamry.expected.json",
      );
const mpt =
  dataFolder === null
    ? {}
    : json<Record<string, { rows: number; columns: string[] }>>("echem/biologic/mpt_text/mpt.expected.json");

function asMptSays(facts: CyclingFacts, name: string): void {
  expect(facts.rows).toBe(mpt[name]!.rows);
  expect(facts.columns).toEqual(mpt[name]!.columns);
}

function asGamrySays(facts: CyclingFacts, name: string): void {
  const tables = gamry[name]!.tables.filter(({ name: table }) => /^(OCV)?CURVE\d*$/.test(table));
  expect(facts.rows).toBe(tables.reduce((sum, { actual_rows }) => sum + actual_rows, 0));
}

/** The first that fits counts. */
const rules: readonly (readonly [RegExp, Rule])[] = [
  [/(^README\.md|\.expected(_rows)?\.(json|csv)|expected\.json)$/, notApplicable("facts about the files")],
  [/^golden\//, notApplicable("results of a model, not measured files")],
  [/^materials\/(?!lco_rate)/, notApplicable("properties of materials, neither movie nor record")],
  [/^materials\/lco_rate\//, refused(/./)],

  [/^echem\/biologic\/.*\.mpr$/, cycling(asGalvaniReads)],
  [/^echem\/biologic\/.*\.mps$/, other(/settings/i)],
  [/^echem\/biologic\/mpt_text\//, cycling(asMptSays)],
  [/ca_pair\/test\.mpt$/, rows(4501)],
  [/^echem\/gamry\/(eispot|exampleDataGamry|mrgPWRCAPACITY).*/, other(/./)],
  [/^echem\/gamry\//, cycling(asGamrySays)],
  [/^echem\/neware\/.*\.(ndax|nda\.zip)$/, cycling(asNewareExports)],
  [/new_nda_file\.nda$/, cycling(asNewareExports)],
  [
    /operando_nacoo2\/.*\.nda$/,
    rows(1396, (facts) => {
      expect(facts.start).toBe("2022-05-13T19:12:16");
      close(facts.current_mA.max, 9.998, 1e-6, "highest current");
      close(facts.current_mA.min, -0.5098, 1e-6, "lowest current");
    }),
  ],
  [/log_operando_cell6_run1\.csv$/, refused(/column/i)],
  [/interp-test_vendor_export\.csv$/, rows(333)],
  [/nw_regular_export_ife_example\.csv$/, cycling()],
  [/neware_uio\.csv$/, rows(9065)],
  [
    /arbin_example\.res$/,
    rows(2150, (facts) => {
      close(facts.potential_V.min, 2.9999201, 1e-7, "lowest potential");
      close(facts.potential_V.max, 4.300055, 1e-7, "highest potential");
      close(facts.current_mA.min, -0.086583874, 1e-6, "lowest current");
      close(facts.current_mA.max, 0.08653391, 1e-6, "highest current");
      close(facts.time_s.last, 345733.3894574374, 1e-12, "last time");
    }),
  ],
  [/arbin_example\.bdf\.csv$/, rows(2150)],
  [
    /graphite\/.*\.xlsx$/,
    rows(4526, (facts) => {
      close(facts.time_s.last, 1204815.81068, 1e-9, "last time");
      close(facts.potential_V.min, 0.049993515, 1e-6, "lowest potential");
      close(facts.current_mA.max, 0.052616, 1e-6, "highest current");
    }),
  ],
  [/arbin\/csv\/arbin_example\.csv$/, rows(2142)],
  [/arbin\/csv\//, cycling((facts) => expect(facts.rows).toBeGreaterThan(5))],
  [/hdf5\/indigo_test_sample\.h5$/, rows(20000)],
  [/^echem\/lco_enertech\//, refused(/column/i)],
  [/^echem\/mat\/.*\.mat$/, other(/./)],
  [/^echem\/other\/landt\/.*Landt\.bdf\.csv$/, rows(25162)],
  [/^echem\/other\/landt\//, rows(25162)],
  [/^echem\/other\/bdf\/.*\.csv$/, rows(17860, (facts) => expect(facts.warnings.join(" ")).toMatch(/time/i))],
  [/legacy\.bdf\.parquet$/, cycling((facts) => expect(facts.rows).toBeGreaterThan(1000))],
  [/xTESLADIAG_000038con\.078$/, rows(3873)],
  [/^echem\/other\/(maccor|basytec|novonix|pec)\//, cycling((facts) => expect(facts.rows).toBeGreaterThan(4))],

  [/derived_containers\/bf16_operando_layout\.h5$/, movie(sixteenFrames({ dtype: "uint16", interval_s: 0.5 }))],
  [/derived_containers\/bf16\.ome\.tif$/, movie(sixteenFrames({ pixelSize_um: 0.1, interval_s: 0.5 }))],
  [/derived_containers\/bf16_imagej\.tif$/, movie(sixteenFrames({ pixelSize_um: 0.1, interval_s: 0.5 }))],
  // The stack in one directory names no unit, and so has no scale.
  [/derived_containers\/bf16_imagej_single_ifd\.tif$/, movie(sixteenFrames({ interval_s: 0.5 }))],
  [/derived_containers\/bf16_bigtiff_tiled_deflate\.tif$/, movie(sixteenFrames({}))],
  [/derived_containers\/bf16_u16_be\.tif$/, movie(sixteenFrames({ dtype: "uint16", by: 16 }))],
  [/derived_containers\/bf16\.ome\.zarr$/, movie(sixteenFrames({ pixelSize_um: 0.1, interval_s: 0.5 }))],
  [/derived_containers\/bf16_expected\.npy$/, movie(sixteenFrames({}))],
  [/^images\/hdf5\/empty\.h5$/, other(/./)],
  [/^images\/hdf5\//, other(/HDF5 file with/)],
  [/^images\/ndtiff\/[^/]+$/, movie(ndtiff)],
  [/^images\/ndtiff\/.*\.tif$/, movie((facts) => expect(facts.dataset).toBeDefined())],
  [/^images\/ndtiff\/.*NDTiff\.index$/, movie((facts) => expect(facts.format).toBe("ndtiff"))],
  [/^images\/ndtiff\/.*display_settings\.txt$/, partOf("an NDTiff dataset")],
  [
    /multifile-Z\d\.ome\.tiff$/,
    movie((facts, name) => {
      asTifffileReads(facts, name);
      expect(facts.dataset).toMatchObject({ frames: 5, missing: [] });
    }),
  ],
  [/multifile\.companion\.ome$/, movie((facts) => expect(facts).toMatchObject({ frames: 5, width: 18, height: 24 }))],
  [/^images\/ome_xml\//, refused(/OME-XML/)],
  [
    /blobs_image_v0[45]\.ome\.zarr$/,
    movie(async (facts, name) => {
      expect(facts).toMatchObject({ frames: 3, width: 12, height: 12, dtype: "float64" });
      const { allFrames } = (await inspectPath(path.join(root, name), { full: true })) as MovieFacts;
      expect(allFrames!.sum).toBeCloseTo(234.0001472, 6);
    }),
  ],
  [/examples_valid\/image-01\.zarr$/, firstSum(0, { width: 1000, height: 1000, dtype: "float64" })],
  [/examples_valid\/image-02\.zarr$/, firstSum(20090445.57, { width: 200, height: 200 })],
  [/examples_valid\/image-03\.zarr$/, frames(2, 100, 100)],
  [/examples_valid\/image-04\.zarr$/, firstSum(0, { frames: 2, width: 64 })],
  [/stuck_frame0\.npy$/, firstSum(130733195, { frames: 1, dtype: "uint16" })],
  [/stuck_frame1\.npy$/, firstSum(131289601, { frames: 1, dtype: "uint16" })],
  [/stacks\/foam$/, frames(9, 768, 768)],
  [/stacks\/brightfield_png$/, frames(24, 500, 500)],
  [/stacks\/brightfield_png\//, frames(1, 500, 500)],
  [/^images\/tdms\//, other(/./)],
  [/gray\.c8\.tif$/, refused(/complex/)],
  [/gray\.lzma\.u2\.tif$/, refused(/LZMA/)],
  [/gray\.lerc\.u1\.tif$/, refused(/LERC/)],
  [/rgb\.tiled\.jpeg\.u1\.tif$/, refused(/JPEG/)],
  [/^images\/.*\.tiff?$/, movie(asTifffileReads)],

  [/^malformed\//, malformed],
];

/** Files, and folders that are one dataset, by their path with forward slashes. */
function units(folder: string): string[] {
  return readdirSync(path.join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const name = folder === "" ? entry.name : `${folder}/${entry.name}`;
    if (!entry.isDirectory()) return [name];
    if (name.endsWith(".zarr")) return [name];
    return [...(/^images\/(ndtiff|stacks)\/(?!pims)[^/]+$/.test(name) ? [name] : []), ...units(name)];
  });
}

const counts = { read: 0, "told to be other": 0, refused: 0, "part of a whole": 0, "not applicable": 0 };
const told: string[] = [];

async function outcome(name: string): Promise<Facts | Error> {
  try {
    return await inspectPath(path.join(root, name));
  } catch (error) {
    if (!isIonoscopeError(error)) throw error;
    return error;
  }
}

/** One line, the file's name, and a cure after what is wrong. */
function expectSentence(error: Error, name: string): void {
  expect(error.message).not.toMatch(/\n/);
  expect(error.message).toContain(path.basename(name));
  expect(error.message).toMatch(/\.$/);
}

describe.skipIf(dataFolder === null)("every real file", () => {
  test.each(dataFolder === null ? [] : units(""))("%s", async (name) => {
    const rule = rules.find(([pattern]) => pattern.test(name))?.[1];
    expect(rule, "no rule is written for this file").toBeDefined();
    if (rule!.kind === "not applicable") return void counts["not applicable"]++;
    if (rule!.kind === "part of") return void counts["part of a whole"]++;
    const found = await outcome(name);
    if (found instanceof Error) {
      counts.refused++;
      told.push(`${name}: ${found.message.slice(root.length + name.length + 3)}`);
      expectSentence(found, name);
      if (rule!.kind === "refused") expect(found.message).toMatch(rule!.says);
      else expect(rule!.kind, found.message).toBe("refused or warned");
      return;
    }
    if (found.kind === "other") counts["told to be other"]++;
    else counts.read++;
    switch (rule!.kind) {
      case "movie":
        expect(found.kind).toBe("movie");
        await rule!.check(found as MovieFacts, name);
        break;
      case "cycling":
        expect(found.kind).toBe("cycling");
        rule!.check(found as CyclingFacts, name);
        break;
      case "other":
        expect(found.kind).toBe("other");
        expect((found as { description: string }).description).toMatch(rule!.says);
        break;
      case "refused":
        expect(found.kind, "it was read where a refusal was expected").toBe("refused");
        break;
      case "refused or warned":
        expect(found.warnings, "it was used without a warning").not.toEqual([]);
        told.push(`${name}: used, ${found.warnings.join(" ")}`);
    }
  });
  afterAll(() => {
    console.log(
      Object.entries(counts)
        .map(([what, count]) => `${count} ${what}`)
        .join(", "),
    );
    console.log(told.join("\n"));
  });
});

test.skipIf(dataFolder === null)("one array in its containers gives one set of pixels, frame by frame", async () => {
  const folder = path.join(root, "images", "derived_containers");
  const pixels = async (name: string): Promise<number[][]> => {
    const opened = await openMovies([path.join(folder, name)]);
    const into = frameBuffer(opened.movie);
    const all: number[][] = [];
    for (let frame = 0; frame < opened.movie.frames; frame++) {
      await opened.movie.read(frame, into);
      all.push([...into]);
    }
    await opened.close();
    return all;
  };
  const wanted = await pixels("bf16_expected.npy");
  const names = readdirSync(folder).filter((name) => /^bf16.*\.(tif|h5|zarr)$/.test(name));
  expect(names).toHaveLength(7);
  for (const name of names) {
    const found = await pixels(name);
    const by = name === "bf16_u16_be.tif" ? 16 : 1;
    const same = found.every((frame, at) => frame.every((value, pixel) => value === by * wanted[at]![pixel]!));
    expect(found.length, name).toBe(wanted.length);
    expect(same, name).toBe(true);
  }
});
