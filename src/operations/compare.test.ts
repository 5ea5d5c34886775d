import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, expect, test } from "vitest";
import { encodeNpy } from "../io/npy-write.js";
import { readAndCompare, writeComparison } from "./compare.node.js";

const folder = mkdtempSync(path.join(tmpdir(), "ionoscope-compare-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const [width, height] = [30, 20];

/** A folder as analyse writes it, with one wave of `slope_s` a pixel along x in a box of 30 by 20 px; keys of `change` over it. */
function analysis(name: string, slope_s: number, change: object = {}): string {
  const dir = path.join(folder, name);
  mkdirSync(path.join(dir, "findings", "fronts", "0"), { recursive: true });
  const arrival_s = Float32Array.from({ length: width * height }, (_, at) => 100 + slope_s * (at % width) + (at % 7));
  writeFileSync(path.join(dir, "findings", "fronts", "0", "arrival_s.npy"), encodeNpy(arrival_s, [height, width]));
  const summary = {
    ionoscope: "0.1.0",
    movie: { pixelSize_um: { value: 0.1, source: "flag" } },
    particles: [
      {
        id: 4,
        outline_px: [
          [10, 10],
          [40, 10],
          [40, 30],
          [10, 30],
        ],
      },
    ],
    transitions: [
      { id: 0, particle: 4, kind: "biphasic", direction: "delithiation", halfCycle: 0, rate_C: 2, start_s: 9 },
    ],
    fronts: [{ transition: 0, map: "findings/fronts/0/arrival_s.npy", origin_px: [10, 10], width, height }],
    kinetics: [
      {
        particle: 4,
        transition: 0,
        velocity_um_s: { value: 0.02, sd: 0.001, n: 9 },
        duration_s: null,
        c_rate_max: { value: null, sd: null, n: null },
        c_rate_mean: { value: 3, sd: null, n: 9 },
      },
    ],
    mechanisms: [{ transition: 0, kind: "wave", score: 1 }],
    ...change,
  };
  writeFileSync(path.join(dir, "summary.json"), JSON.stringify(summary));
  return dir;
}

test("analyses of one name are told apart by as much of their path as it takes", async () => {
  const dirs = [analysis("monday/run", 3), analysis("tuesday/run", 5), analysis("tuesday/other", -4)];
  const { comparison } = await readAndCompare(dirs);
  expect(comparison.fronts.map(({ analysis: name }) => name)).toEqual(["monday/run", "tuesday/run", "tuesday/other"]);
  expect(comparison.fronts.map(({ same }) => same)).toEqual([0, 0, 0]);
  expect(comparison.paths.map(({ likeness }) => Math.round(likeness!.value))).toEqual([1, -1, -1]);
  expect(comparison.fronts[0]!.c_rate_max).toBeNull();
  expect(comparison.warnings).toEqual([]);
});

test("a front that something else explains is listed, warned of and not drawn", async () => {
  const explained_by = { cause: "height", left: 0.01, ofFront: 0.5, because: "one moving gap" };
  const front = {
    transition: 0,
    map: "findings/fronts/0/arrival_s.npy",
    origin_px: [10, 10],
    width,
    height,
    explained_by,
  };
  const dirs = [analysis("plain", 3), analysis("fringe", 3, { fronts: [front] })];
  const found = await readAndCompare(dirs);
  expect(found.comparison.fronts.map((one) => one.explained_by)).toEqual([null, "height"]);
  expect(found.comparison.warnings).toHaveLength(1);
  const out = path.join(folder, "out");
  const told = await writeComparison(found, out, { figures: true });
  expect(told).toMatchObject({
    analyses: [
      { name: "plain", path: "../plain" },
      { name: "fringe", path: "../fringe" },
    ],
  });
  const svg = readFileSync(path.join(out, "figures", "rates.svg"), "utf8");
  expect(svg.match(/front velocity \/ nm\/s: 20; /g)).toHaveLength(1);
  expect(readdirSync(path.join(out, "tables")).sort()).toEqual(["fronts.csv", "paths.csv", "same_particles.csv"]);
});

test("a summary without a particle or a front is compared too; a damaged one is named with what is wrong", async () => {
  const bare = analysis("bare", 3, { particles: [], transitions: [], fronts: [], kinetics: [], mechanisms: [] });
  const { comparison } = await readAndCompare([bare, analysis("full", 3)]);
  expect(comparison.fronts).toHaveLength(1);
  expect(comparison.same).toEqual([]);
  const odd = analysis("odd", 3, { movie: { pixelSize_um: "small" } });
  await expect(readAndCompare([bare, odd])).rejects.toThrow(/movie\.pixelSize_um is not as it should be/);
  const short = analysis("short", 3);
  writeFileSync(path.join(short, "findings", "fronts", "0", "arrival_s.npy"), encodeNpy(new Float32Array(6), [2, 3]));
  await expect(readAndCompare([bare, short])).rejects.toThrow(/is 2 x 3 float32, not 20 x 30 float32/);
  rmSync(path.join(short, "findings"), { recursive: true });
  await expect(readAndCompare([bare, short])).rejects.toThrow(/arrival_s\.npy: cannot be read/);
});
