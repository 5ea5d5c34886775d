import { expect, test } from "vitest";
import type { Material } from "../model/material.js";
import { equilibriumPotential, thermodynamics } from "./free-energy.js";
import { lco, lcoMeasured } from "./materials/lco.js";
import { materials } from "./materials/library.js";
import { diffusivity, mobility } from "./mobility.js";
import { openCircuitPotential } from "./open-circuit.js";
import { freeEnergyAt, stateTable } from "./state-table.js";

const cited = (value: number): { value: number; source: string } => ({ value, source: "test" });
const regular: Material = {
  ...lco,
  freeEnergy: {
    kind: "regular-solution",
    omega_kT: cited(2.414),
    least_x: cited(0.7),
    most_x: cited(1),
    plateau_V: cited(3.92),
  },
};

test("LiCoO2 has its phases, its spinodals and its hysteresis", () => {
  const { mu, gap, middle_x, slope } = thermodynamics(lco);
  expect(gap).toEqual({ poor_x: 0.75, rich_x: 0.95 });
  expect(middle_x).toBeCloseTo(0.85, 12);
  for (const x of [0.75, 0.85, 0.95]) expect(mu(x)).toBeCloseTo(0, 12);
  let top = [0, 0];
  for (let x = 0.75; x < 0.85; x += 1e-5) if (mu(x) > top[1]!) top = [x, mu(x)];
  expect(top[0]).toBeCloseTo(0.7923, 3);
  expect(top[1]).toBeCloseTo(0.477, 3);
  expect(mu(0.65)).toBeCloseTo(-24.8 * 0.1, 9);
  expect(slope(0.7)).toBeCloseTo(24.8, 9);
  // The rich phase saturates: a logarithm, then a wall.
  expect(mu(0.97)).toBeCloseTo(24.8 * 0.02 + Math.log(0.05 / 0.03) - 20 * 0.02, 9);
  expect((mu(0.9995 + 1e-9) - mu(0.9995)) / 1e-9).toBeCloseTo(24.8 + 1980, -1);
});

test("within the material's potentials no place is emptier than empty or fuller than full", () => {
  for (const material of [...Object.values(materials), regular]) {
    const of = thermodynamics(material);
    const least_x = material.freeEnergy.kind === "regular-solution" ? material.freeEnergy.least_x.value : 0;
    expect(equilibriumPotential(of, 1)).toBeLessThanOrEqual(material.least_V.value - 0.5 + 1e-9);
    // Straight below the gap, LiCoO2 has lithium left at the end of charge without a wall.
    const atMost_V = material.freeEnergy.kind === "quartic-gap" ? material.most_V.value : material.most_V.value + 0.5;
    expect(equilibriumPotential(of, least_x)).toBeGreaterThanOrEqual(atMost_V - 1e-9);
  }
});

test("a wall slows no diffusion and quickens none", () => {
  for (const material of [lco, regular, materials["lfp"]!]) {
    const of = thermodynamics(material);
    const move = mobility(material, of);
    const steepness = (x: number): number => (of.mu(x + 1e-8) - of.mu(x - 1e-8)) / 2e-8;
    const before =
      1 - (material.freeEnergy.kind === "quartic-gap" ? 5e-4 : 5e-4 * (1 - (material === regular ? 0.7 : 0)));
    const flux = (x: number): number => move(x) * steepness(x);
    expect(flux(before + 1e-4) / flux(before + 1e-7)).toBeCloseTo(1, 1);
    expect(steepness(before + 1e-4) / steepness(before + 1e-7)).toBeGreaterThan(10);
  }
});

test("a regular solution of 2.414 kT has the same phases", () => {
  const { mu, gap, barrier_kT } = thermodynamics(regular);
  expect(gap!.poor_x).toBeCloseTo(0.75, 4);
  expect(gap!.rich_x).toBeCloseTo(0.95, 4);
  expect(mu(0.85)).toBeCloseTo(0, 12);
  expect(mu(gap!.poor_x)).toBeCloseTo(0, 9);
  let area = 0;
  for (let at = 0; at < 1000; at++)
    area += (mu(gap!.poor_x + ((0.85 - gap!.poor_x) * (at + 0.5)) / 1000) * (0.85 - gap!.poor_x)) / 1000;
  expect(barrier_kT).toBeCloseTo(area, 6);
});

test("the plateau is flat, and below it the potential is straight or as measured", () => {
  const straight = thermodynamics(lco);
  const measured = thermodynamics(lcoMeasured);
  for (const x of [0.75, 0.8, 0.9, 0.95]) expect(equilibriumPotential(straight, x)).toBeCloseTo(3.92, 12);
  expect(equilibriumPotential(straight, 0.55)).toBeCloseTo(3.92 + 0.2 * 0.6372, 4);
  for (const x of [0.45, 0.5, 0.6, 0.7]) {
    const shift = 3.92 - openCircuitPotential(lco.openCircuit, 0.75);
    expect(equilibriumPotential(measured, x)).toBeCloseTo(openCircuitPotential(lco.openCircuit, x) + shift, 9);
  }
  expect(measured.mu(0.7499999)).toBeCloseTo(measured.mu(0.7500001), 4);
});

test.each(Object.entries(materials))(
  "%s: lithium is held the more dearly the less there is, and mobility is positive",
  (_, material) => {
    const of = thermodynamics(material);
    const move = mobility(material, of);
    const least = Math.max(0.001, material.least_x.value);
    let last = Infinity;
    for (let x = least; x < material.most_x.value; x += 0.001) {
      const E_V = equilibriumPotential(of, x);
      expect(E_V).toBeLessThan(last + 1e-3);
      last = Math.min(last, E_V);
      expect(move(x)).toBeGreaterThan(0);
      expect(Number.isFinite(move(x))).toBe(true);
    }
  },
);

test("the free energy of a table is the integral of its chemical potential", () => {
  const { mu } = thermodynamics(lco);
  const table = stateTable(mu, () => 1);
  for (const [a, b] of [
    [0.7, 0.8],
    [0.75, 0.95],
    [0.9, 0.99],
    [-0.1, 0.1],
    [0.99, 0.9995],
    [0.99, 1],
  ] as const) {
    let sum = 0;
    const n = 20_000;
    for (let at = 0; at < n; at++) sum += (mu(a + ((b - a) * (at + 0.5)) / n) * (b - a)) / n;
    expect(freeEnergyAt(table, b) - freeEnergyAt(table, a)).toBeCloseTo(sum, b === 1 ? 3 : 4);
  }
});

test("diffusivity goes from one phase to the other by the stated law", () => {
  const of = thermodynamics(lco);
  const law = (kind: "log" | "linear" | "divacancy"): ((x: number) => number) =>
    diffusivity({ ...lco, diffusivity: { kind, poor_um2_s: cited(1), rich_um2_s: cited(0.01) } }, of);
  for (const kind of ["log", "linear"] as const) {
    expect(law(kind)(0.7)).toBeCloseTo(1, 12);
    expect(law(kind)(0.97)).toBeCloseTo(0.01, 12);
  }
  expect(law("log")(0.85)).toBeCloseTo(0.1, 12);
  expect(law("linear")(0.85)).toBeCloseTo(0.505, 12);
  expect(law("divacancy")(0.95)).toBeCloseTo(0.04, 12);
  expect(law("divacancy")(0.999)).toBeCloseTo(0.01, 12);
  expect(law("divacancy")(0.6)).toBeCloseTo(2.56, 12);
});
