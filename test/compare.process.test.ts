import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { beforeAll, expect, test } from "vitest";
import { ionoscope, scratchFolder } from "./command-line.js";

const folder = scratchFolder();
const at = (...names: string[]): string => path.join(folder, ...names);

/** One crystal passed twice as fast in the second movie, and another crystal in the third; 2C with a record. */
function scenario(seed: number, velocity_um_s: number, radii_um: readonly [number, number]): object {
  return {
    seed,
    movie: { width: 112, height: 104, pixelSize_um: 0.08, frames: 80, interval_s: 5 },
    cycling: {
      before_s: 0,
      active_mass_mg: 0.812,
      programme: [
        { kind: "rest", lasts_s: 60 },
        { kind: "charge", rate_C: 2, lasts_s: 300 },
      ],
    },
    particles: [
      {
        outline: { kind: "ellipse", centre_um: [4.4, 4.1], radii_um, angle_deg: 15 },
        changes: [{ kind: "front", to: 1.16, front: { kind: "plane", angle_deg: 25, start_s: 100, velocity_um_s } }],
      },
    ],
  };
}

const scenes = {
  slow: scenario(3, 0.025, [2.2, 1.7]),
  quick: scenario(4, 0.05, [2.2, 1.7]),
  other: scenario(5, 0.03, [1.7, 1.7]),
};

beforeAll(async () => {
  for (const [name, scene] of Object.entries(scenes)) {
    writeFileSync(at(`${name}.json`), JSON.stringify(scene));
    const made = await ionoscope(["twin", at(`${name}.json`), "--out", at(`${name}-twin`)]);
    expect(made.stderr, made.stderr).not.toMatch(/internal error/);
    const movie = at(`${name}-twin`, "movie.ome.tif");
    const record = at(`${name}-twin`, "cycling.csv");
    const given = ["--black-level", "100", "--active-mass-mg", "0.812", "--figures", "none", "--quiet"];
    const ran = await ionoscope(["analyse", movie, record, ...given, "--out", at(name)]);
    expect(ran.status, ran.stderr).toBe(0);
  }
});

interface Told {
  readonly fronts: readonly {
    readonly analysis: string;
    readonly same: number;
    readonly rate_C: number | null;
    readonly velocity_um_s: { readonly value: number };
  }[];
  readonly same: readonly { readonly iou: number }[];
  readonly paths: readonly { readonly likeness: { readonly value: number } }[];
}

test("analyses stand in one table, the same particle is known again, and its paths are alike", async () => {
  const out = at("compared");
  const ran = await ionoscope(["compare", at("slow"), at("quick"), at("other"), "--out", out, "--json"]);
  expect(ran.status, ran.stderr).toBe(0);
  const told = JSON.parse(ran.stdout) as Told;
  expect(told.fronts.map(({ analysis }) => path.basename(analysis))).toEqual(["slow", "quick", "other"]);
  const [slow, quick, other] = told.fronts;
  expect(slow!.same).toBe(quick!.same);
  expect(other!.same).not.toBe(slow!.same);
  expect(told.same).toHaveLength(1);
  expect(told.same[0]!.iou).toBeGreaterThan(0.95);
  expect(quick!.velocity_um_s.value / slow!.velocity_um_s.value).toBeCloseTo(2, 1);
  expect(slow!.rate_C).toBeCloseTo(2, 2);
  expect(told.paths).toHaveLength(1);
  expect(told.paths[0]!.likeness.value).toBeGreaterThan(0.98);
  expect(readFileSync(path.join(out, "tables", "fronts.csv"), "utf8").split("\r\n")).toHaveLength(5);
  expect(readFileSync(path.join(out, "figures", "rates.svg"), "utf8")).toMatch(/applied rate \/ C/);
  expect(readFileSync(path.join(out, "report.html"), "utf8")).toMatch(/3 analyses compared/);
});

test("what cannot be compared is refused in one line, and nothing is written or lost", async () => {
  const cases: [string[], number, RegExp][] = [
    [["compare", at("slow"), "--out", at("no")], 2, /compare takes two analyses or more, 1 was given/],
    [["compare", at("slow"), at("slow"), "--out", at("no")], 2, /is given twice/],
    [["compare", at("slow"), at("slow-twin"), "--out", at("no")], 3, /holds no analysis/],
    [["compare", at("slow"), at("quick")], 2, /--out is missing/],
    [["compare", at("slow"), at("quick"), "--out", at("slow")], 2, /it is something else and is not replaced/],
  ];
  for (const [args, status, message] of cases) {
    const ran = await ionoscope(args);
    expect(ran.lastLine).toMatch(message);
    expect(ran.status).toBe(status);
  }
  expect(existsSync(at("no"))).toBe(false);
  expect(existsSync(at("slow", "summary.json"))).toBe(true);
});

test("records are laid over each other: the one of an analysis over a file, with numbers, a table and a figure", async () => {
  const record = at("slow-twin", "cycling.csv");
  const out = at("overlay");
  const { status, stdout } = await ionoscope(["compare", record, at("slow"), "--out", out, "--json"]);
  expect(status).toBe(0);
  const told = JSON.parse(stdout) as {
    records: { name: string }[];
    overlays: { pairs: { offset_mV: number }[]; capacity_ratio: { charge: { value: number } } }[];
  };
  expect(told.records.length).toBe(2);
  expect(told.overlays[0]!.pairs.length).toBe(1);
  expect(told.overlays[0]!.pairs[0]!.offset_mV).toBe(0);
  expect(told.overlays[0]!.capacity_ratio.charge.value).toBe(1);
  expect(existsSync(path.join(out, "tables", "records.csv"))).toBe(true);
  expect(readFileSync(path.join(out, "figures", "records.svg"), "utf8")).toContain("dQ/dV");
});

test("one record alone, and one that holds no half cycle, are refused in a sentence", async () => {
  const record = at("slow-twin", "cycling.csv");
  const alone = await ionoscope(["compare", record, "--out", at("alone")]);
  expect(alone.status).toBe(2);
  expect(alone.stderr.trim().split("\n").at(-1)).toContain("1 was given");
  writeFileSync(at("rest.csv"), "time/s,Ewe/V,I/mA\n0,3.9,0\n10,3.9,0\n20,3.9,0\n30,3.9,0\n");
  const rest = await ionoscope(["compare", record, at("rest.csv"), "--out", at("rests")]);
  expect(rest.status).toBe(3);
  expect(rest.stderr).toContain("no charge and no discharge");
  expect(existsSync(at("rests"))).toBe(false);
});
