/** `inspect` over every real file whose format is read: the facts known of it, or a refusal by name. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { isIonoscopeError } from "../src/model/errors.js";
import { inspectPath } from "../src/operations/inspect.node.js";
import type { CyclingFacts, MovieFacts } from "../src/operations/inspect.js";
import { dataFolder } from "./data-folder.js";

const root = dataFolder ?? "";
const json = (name: string): Record<string, never> => JSON.parse(readFileSync(path.join(root, name), "utf8")) as never;

/** BioLogic records by the path of their expected facts, without ending. */
const biologic =
  dataFolder === null
    ? []
    : (readdirSync(path.join(root, "echem", "biologic"), { recursive: true }) as string[])
        .filter((name) => name.endsWith(".expected.json") && !name.endsWith("mpt.expected.json"))
        .map((name) => path.join("echem", "biologic", name.replace(/\.expected\.json$/, "")));

interface MprFacts {
  readonly n_points: number;
  readonly start_timestamp: string | null;
  readonly columns: Readonly<Record<string, { first: number; last: number; min: number; max: number }>>;
}

describe.skipIf(dataFolder === null)("a BioLogic .mpr has the rows, start and ranges known of it", () => {
  test.each(biologic)("%s", async (name) => {
    const facts = (await inspectPath(path.join(root, `${name}.mpr`))) as CyclingFacts;
    const known = json(`${name}.expected.json`) as unknown as MprFacts;
    expect(facts.kind).toBe("cycling");
    expect(facts.format).toBe("biologic-mpr");
    expect(facts.rows).toBe(known.n_points);
    if (known.start_timestamp !== null) {
      expect(facts.start!.slice(0, 19)).toBe(known.start_timestamp.slice(0, 19).replace(" ", "T"));
    }
    const close = (found: number | null, wanted: number): void => {
      expect(Math.abs(found! - wanted)).toBeLessThanOrEqual(5e-8 * Math.max(1e-3, Math.abs(wanted)));
    };
    const time = known.columns["time/s"]!;
    close(facts.time_s.first, time.first);
    close(facts.time_s.last, time.last);
    const potential = known.columns["Ewe/V"] ?? known.columns["<Ewe>/V"]!;
    close(facts.potential_V.min, potential.min);
    close(facts.potential_V.max, potential.max);
  });
});

interface TiffFacts {
  readonly ifds: number;
  readonly width: number;
  readonly height: number;
  readonly first?: { readonly min: number; readonly max: number; readonly sum: number };
  readonly last?: { readonly min: number; readonly max: number; readonly sum: number };
}

test.skipIf(dataFolder === null)(
  "a TIFF has the size and the first and last page's pixels known of it, or is refused by name",
  async () => {
    const table = json("images/tiff.expected.json") as unknown as Record<string, TiffFacts>;
    const told = { read: 0, refused: [] as string[] };
    for (const [name, known] of Object.entries(table)) {
      let facts: MovieFacts;
      try {
        facts = (await inspectPath(path.join(root, name))) as MovieFacts;
      } catch (error) {
        if (!isIonoscopeError(error)) throw error;
        told.refused.push(path.basename(name));
        continue;
      }
      told.read++;
      expect(facts.kind, name).toBe("movie");
      expect([facts.width, facts.height], name).toEqual([known.width, known.height]);
      if (known.first === undefined || known.last === undefined) continue;
      // A page of several planes is several frames, none of which leaves the page's range.
      if (facts.frames !== known.ifds) {
        expect(facts.firstFrame.min!, name).toBeGreaterThanOrEqual(known.first.min);
        expect(facts.firstFrame.max!, name).toBeLessThanOrEqual(known.first.max);
        continue;
      }
      for (const [found, page] of [
        [facts.firstFrame, known.first],
        [facts.lastFrame, known.last],
      ] as const) {
        expect(found.min, name).toBeCloseTo(page.min, 5);
        expect(found.max, name).toBeCloseTo(page.max, 5);
        if (facts.dtype.startsWith("float")) expect(Math.abs(found.sum / page.sum - 1), name).toBeLessThan(1e-6);
        else expect(found.sum, name).toBe(page.sum);
      }
    }
    console.log(`TIFF: ${told.read} read, ${told.refused.length} refused (${told.refused.join(", ")})`);
    expect(told.read).toBeGreaterThan(70);
    expect(told.refused.length).toBeLessThan(8);
  },
);

test.skipIf(dataFolder === null)("one array in its containers gives one set of facts", async () => {
  const folder = path.join(root, "images", "derived_containers");
  const names = [
    "bf16.ome.tif",
    "bf16_imagej.tif",
    "bf16_imagej_single_ifd.tif",
    "bf16_bigtiff_tiled_deflate.tif",
    "bf16_expected.npy",
  ];
  for (const name of names) {
    const facts = (await inspectPath(path.join(folder, name))) as MovieFacts;
    expect([facts.frames, facts.width, facts.height, facts.dtype], name).toEqual([16, 192, 192, "uint8"]);
    expect(facts.firstFrame, name).toEqual({ min: 66, max: 255, sum: 5249372 });
    expect(facts.lastFrame, name).toEqual({ min: 71, max: 255, sum: 5249496 });
  }
  for (const name of ["bf16.ome.tif", "bf16_imagej.tif", "bf16_imagej_single_ifd.tif"]) {
    const { time, pixelSize_um } = (await inspectPath(path.join(folder, name))) as MovieFacts;
    expect(time, name).toMatchObject({ first_s: 0, median_interval_s: 0.5, last_s: 7.5 });
    // The stack in one directory names no unit, and so has no scale.
    if (name === "bf16_imagej_single_ifd.tif") expect(pixelSize_um).toBeNull();
    else expect(pixelSize_um, name).toBeCloseTo(0.1, 6);
  }
});

test.skipIf(dataFolder === null)("folders of frames are movies", async () => {
  for (const [name, frames, width] of [
    ["foam", 9, 768],
    ["brightfield_png", 24, 500],
  ] as const) {
    const facts = (await inspectPath(path.join(root, "images", "stacks", name))) as MovieFacts;
    expect([facts.kind, facts.frames, facts.width], name).toEqual(["movie", frames, width]);
    expect([facts.pixelSize_um, facts.time], name).toEqual([null, null]);
  }
});
