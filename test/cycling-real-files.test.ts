/** Records of real cells, from the file to half cycles and dQ/dV. */
import path from "node:path";
import { expect, test } from "vitest";
import { differentialCapacity } from "../src/analysis/differential-capacity.js";
import { findHalfCycles, findSteps } from "../src/analysis/half-cycles.js";
import { orientCycling } from "../src/analysis/orientation.js";
import { openPath } from "../src/io/bytes.node.js";
import { readCycling } from "../src/io/open.js";
import type { Cycling, CyclingStep, HalfCycle } from "../src/model/cycling.js";
import { dataFolder } from "./data-folder.js";

const facts = { active_mass_mg: null, nominal_mAh_g: 155, nominal_mAh: 1 };
const signs = { imaged: "working", role: "cathode", currentSign: "anodic-positive" } as const;
const real = test.skipIf(dataFolder === null);

async function analysed(file: string): Promise<{
  cycling: Cycling;
  steps: CyclingStep[];
  halfCycles: HalfCycle[];
  warnings: string[];
}> {
  const source = await openPath(path.join(dataFolder!, "echem", file));
  const read = await readCycling([source]);
  await source.close();
  const { cycling, warnings } = orientCycling(read, signs);
  const steps = findSteps(cycling);
  const { halfCycles } = differentialCapacity(cycling, findHalfCycles(cycling, steps, facts), { dV_V: 0.004 });
  return { cycling, steps, halfCycles, warnings };
}

real("NaCoO2 at C/24: 13 half cycles, as EC-Lab counts them, with their capacities", async () => {
  const { halfCycles, steps, warnings } = await analysed(
    "biologic/nacoo2_c24/jdb11-1_c3_gcpl_5cycles_2V-3p8V_C-24_data_C09.mpr",
  );
  expect(warnings).toEqual([]);
  expect(halfCycles).toHaveLength(13);
  expect(halfCycles[0]!.kind).toBe("discharge");
  expect(halfCycles[0]!.charge_mAh).toBeCloseTo(0.206528714, 6);
  expect(halfCycles[1]!.charge_mAh).toBeCloseTo(0.98678136, 6);
  expect(halfCycles.at(-1)!.charge_mAh).toBeCloseTo(0.87949163, 6);
  expect(halfCycles[1]!.start_s).toBeCloseTo(11975.25, 1);
  for (const { rate_C } of halfCycles) expect(rate_C).toBeCloseTo(0.0888, 3);
  expect(steps.map(({ kind }) => kind).filter((kind) => kind === "rest")).toHaveLength(1);
  // Another cobaltate, at other potentials: nothing of LiCoO2's names.
  expect(halfCycles.flatMap(({ peaks }) => peaks.filter(({ name }) => name !== ""))).toEqual([]);
});

real("NaCoO2 at five rates: 61 half cycles, each at the current of its programme", async () => {
  const { halfCycles } = await analysed("biologic/nacoo2_rate/jdb11-4.mpr");
  expect(halfCycles).toHaveLength(61);
  const programme_mA = [0.11513, 0.1535, 0.23026, 0.46051, 0.11513];
  for (const [at, { rate_C }] of halfCycles.entries()) {
    const current_mA = programme_mA[at === 0 ? 0 : Math.floor((at - 1) / 12)]!;
    expect(Math.abs(rate_C! / current_mA - 1)).toBeLessThan(0.01);
  }
});

real(
  "LiCoO2: four cycles, the plateau near 3.93 V on charge and 3.89 V on discharge, the order near Li0.5",
  async () => {
    const { halfCycles, warnings } = await analysed("arbin/lco/arbin_example.bdf.csv");
    expect(warnings).toEqual([]);
    expect(halfCycles.map(({ kind, cycle }) => `${kind} ${cycle}`)).toEqual(
      [1, 2, 3, 4].flatMap((cycle) => [`charge ${cycle}`, `discharge ${cycle}`]),
    );
    for (const { kind, peaks, efficiency } of halfCycles) {
      const plateau = peaks.find(({ name }) => name === (kind === "charge" ? "I" : "IV"))!;
      expect(Math.abs(plateau.potential_V - (kind === "charge" ? 3.93 : 3.89))).toBeLessThan(0.01);
      const order = peaks.find(({ name }) => name === (kind === "charge" ? "II" : "III"))!;
      expect(Math.abs(order.potential_V - (kind === "charge" ? 4.08 : 4.05))).toBeLessThan(0.01);
      if (kind === "discharge") expect(efficiency).toBeGreaterThan(0.97);
    }
  },
);

real("a fast-charged cell: the holds at 3.6 V and at 2.0 V end their half cycles", async () => {
  const { halfCycles, steps, cycling } = await analysed("arbin/csv/arbin_example.csv");
  expect(halfCycles.map(({ kind }) => kind)).toEqual(["charge", "discharge", "charge", "discharge"]);
  const holds = steps.filter(({ kind }) => kind === "hold");
  expect(holds.length).toBeGreaterThanOrEqual(4);
  for (const { first, last } of holds) {
    const middle_V = cycling.potential_V[(first + last) >> 1]!;
    expect(Math.min(Math.abs(middle_V - 3.6), Math.abs(middle_V - 2))).toBeLessThan(0.005);
  }
});
