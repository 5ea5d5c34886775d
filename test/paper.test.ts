/** Quick rows of the paper's table, each held by its own criterion on seeds of its own; the whole is `npm run paper`. */
import { expect, test } from "vitest";
import { coverageRow, wilson } from "./paper/coverage-rows.js";
import { currentRowsOf } from "./paper/current-rows.js";
import { boundRow, stefanRows } from "./paper/diffusivity-rows.js";
import { errorOf, massRow } from "./paper/ladder-rows.js";
import { gapsOf, latticeRow, rayleigh, twinRowsOf } from "./paper/ordering-rows.js";
import { pageOf, tableOf } from "./paper/page.js";
import { PER_C } from "./paper/particle.js";
import type { Planted } from "./paper/planted-diffusivity.js";
import { numberRows } from "./paper/regime-rows.js";
import { seedOf, seedsOf, seedText, type Row } from "./paper/row.js";
import { countText, mechanismRow, rateText } from "./paper/single-particle-rows.js";

function hold(rows: readonly Row[]): void {
  for (const { observable, ours, paper, held } of rows) expect(held, `${observable}: ${ours}, for ${paper}`).toBe(true);
}

test.each([
  { direction: "delithiation", rate_C: 6, kind: "core", seeds: [31, 32] },
  { direction: "delithiation", rate_C: 0.25, kind: "hybrid", seeds: [41] },
  { direction: "lithiation", rate_C: 4, kind: "wave", seeds: [51, 52] },
] as const)("a particle's own current: $direction at $rate_C C is a $kind", async ({ seeds, ...wanted }) => {
  hold([await mechanismRow(wanted, seeds)]);
});

test("under the current of Fig. 3c the front runs 20 nm/s after the lag and above 30 nm/s late, as a core", async () => {
  hold(await currentRowsOf(PER_C, "1C = 0.566 Li/h", [61, 62]));
});

test("lithium in a full run is what the current brought", async () => {
  hold([await massRow([71])]);
});

test("numbers that follow from formulas alone", () => {
  hold([...numberRows(), ...stefanRows()]);
});

test("three nuclei make three domains with walls along the lattice", async () => {
  hold([await latticeRow([81, 82])]);
});

test("the twins of Fig. 5 order in one domain or three, at 70 nm/s", async () => {
  hold(await twinRowsOf([91]));
});

test("an interval of a share holds it, and is within 0 and 1", () => {
  expect(wilson(0, 10)[0]).toBe(0);
  expect(wilson(10, 10)[1]).toBe(1);
  // Newcombe, Stat. Med. 17, 857 (1998): 81 of 263 is 0.2553 to 0.3662.
  expect(wilson(81, 263)[0]).toBeCloseTo(0.2553, 4);
  expect(wilson(81, 263)[1]).toBeCloseTo(0.3662, 4);
});

test("too few intervals that hold their truth are a miss, few that do not are none", () => {
  const planted = (within: boolean): Planted => ({
    seed: 1,
    D_cm2_s: 1e-9,
    velocity_um_s: 0.02,
    bound: {
      drive: "current",
      kind: "bound",
      D_cm2_s: within ? 1.2e-9 : 6e-9,
      atLeast_cm2_s: within ? 5e-10 : 3e-9,
      atMost_cm2_s: null,
      exponent: 0.3,
      errors: {},
      tried: [],
      because: "",
    },
  });
  const of = (inside: number): Row =>
    coverageRow(
      "current",
      Array.from({ length: 12 }, (_, at) => planted(at < inside)),
    );
  expect(of(11).held).toBe(true);
  expect(of(7).held).toBe(false);
  expect(of(7).ours).toMatch(/inside 7 of 12 .*factor of 3: 7 of 12/);
  const bounds = [true, true, false].map((within) => planted(within).bound);
  expect(boundRow("test", bounds, [1, 2, 3])).toMatchObject({ held: true, seeds: "1 to 3" });
  expect(boundRow("test", bounds.slice(2), [3]).held).toBe(false);
});

test("directions that are even are random, and those that agree are not", () => {
  expect(rayleigh([10, 20, 30, 40, 50, 60], 6)).toBeCloseTo(1, 6);
  expect(rayleigh([10, 70, 130, 191, 249, 311], 6)).toBeLessThan(0.01);
  expect(gapsOf({ transitions: [{ domains: { walls: [] } }] } as never)).toEqual([]);
});

test("errors are relative, and absolute about zero", () => {
  expect(errorOf({ name: "", exact: 2, reached: 2.1, gate: 1 })).toBeCloseTo(0.05, 12);
  expect(errorOf({ name: "", exact: 0, reached: -0.1, gate: 1 })).toBe(0.1);
});

test("rows, counts, rates and seeds as a reader wants them", () => {
  expect(countText(["core", "wave", "core"])).toBe("core 2 of 3, wave 1 of 3");
  expect([0.25, 0.5, 1, 6].map(rateText)).toEqual(["C/4", "C/2", "1C", "6C"]);
  expect([seedText([7]), seedText(seedsOf(2, 3, 4))]).toEqual(["7", "20300 to 20303"]);
  expect(seedOf(2021, 0)).not.toBe(seedOf(2020, 99, 99));
});

test("the page tells how many rows are held, names each miss with its reason, and shows the pictures", () => {
  const row = (observable: string, held: boolean | null): Row => ({
    observable,
    paper: "a | b",
    ours: "c",
    held,
    how: "Because.",
    seeds: "1",
  });
  const group = { title: "Group", about: "About.", run: () => Promise.reject(new Error("not run")) };
  const answer = {
    rows: [row("one", true), row("two", false), row("three", null)],
    drawings: [{ name: "picture", figure: {} as never, caption: "Caption." }],
  };
  const page = pageOf([{ group, answer }], 5);
  expect(page).toContain("**1 of 2 rows are held.** Missed:");
  expect(page).toContain("- two: c, for a | b. Because.");
  expect(page).toContain("![Caption.](paper/picture.png)");
  expect(page).toContain("npm run paper -- --seed 5");
  expect(tableOf(answer.rows)).toContain("| two | a \\| b | c | **no** | Because. | 1 |");
});
