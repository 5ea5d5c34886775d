import * as fc from "fast-check";
import { expect, test } from "vitest";
import { refusesJunk } from "../../test/junk.js";
import { ParameterError } from "../model/errors.js";
import { lco } from "../physics/materials/lco.js";
import { nmc811 } from "../physics/materials/nmc811.js";
import { quasiSteadyDiffusivity, stefanDiffusivity, stefanNumber, surfaceLithium, type StefanFront } from "./stefan.js";

const front = (surface_x: number): StefanFront => ({
  velocity_um_s: 0.02,
  radius_um: 3.4,
  surface_x,
  poor_x: 0.75,
  rich_x: 0.95,
});

test.each([
  [0.5, 3.7e-10],
  [0.6, 5.6e-10],
  [0.65, 7.9e-10],
  [0.7, 1.5e-9],
])("a front of 20 nm/s over 3.4 um, its rim held at %f, needs %f cm2/s", (surface_x, D_cm2_s) => {
  expect(stefanDiffusivity(front(surface_x)) / D_cm2_s).toBeCloseTo(1, 1);
  expect(Math.abs(stefanDiffusivity(front(surface_x)) / D_cm2_s - 1)).toBeLessThan(0.03);
});

test("L solves its equation, for small drives as a straight profile does", () => {
  fc.assert(
    fc.property(fc.double({ min: -4, max: 2, noNaN: true }), (log) => {
      const drive = 10 ** log;
      const L = stefanNumber(drive);
      // erf by quadrature, not by the series.
      let erf = 0;
      const n = 2000;
      for (let k = 0; k < n; k++) erf += Math.exp(-((((k + 0.5) * L) / n) ** 2)) * (L / n);
      expect((2 * L * Math.exp(L * L) * erf) / drive).toBeCloseTo(1, 5);
    }),
  );
  expect(quasiSteadyDiffusivity(front(0.749)) / stefanDiffusivity(front(0.749))).toBeCloseTo(1, 2);
  // Far from it the straight profile asks for too little: the phase behind the front must be emptied, too.
  expect(quasiSteadyDiffusivity(front(0.5))).toBeLessThan(stefanDiffusivity(front(0.5)));
});

test("a rim follows the potential: the poor phase at the plateau, and emptier above it", () => {
  expect(surfaceLithium(lco, 3.92)).toBeNull();
  expect(surfaceLithium(lco, 3.8)).toBeNull();
  // 24.8 kT per unit of x, 25.69 meV.
  expect(surfaceLithium(lco, 3.92 + 24.8 * 0.025693 * 0.1)).toBeCloseTo(0.65, 4);
  expect(surfaceLithium(lco, 4.29)).toBe(lco.least_x.value);
  expect(surfaceLithium(nmc811, 4)).toBeNull();
});

test("what no front can be is refused by name", () => {
  for (const wrong of [
    { velocity_um_s: 0 },
    { velocity_um_s: NaN },
    { radius_um: -1 },
    { surface_x: 0.8 },
    { rich_x: 0.7 },
  ]) {
    expect(() => stefanDiffusivity({ ...front(0.6), ...wrong })).toThrow(ParameterError);
    expect(() => quasiSteadyDiffusivity({ ...front(0.6), ...wrong })).toThrow(ParameterError);
  }
  expect(() => stefanNumber(-1)).toThrow(/drive is -1/);
});

test("senseless values in any field are refused", async () => {
  const front = { velocity_um_s: 0.02, radius_um: 1, surface_x: 0.6, poor_x: 0.75, rich_x: 0.95 };
  await refusesJunk([front] as const, (given) => stefanDiffusivity(...given));
  await refusesJunk([front] as const, (given) => quasiSteadyDiffusivity(...given));
  await refusesJunk([1] as const, (given) => stefanNumber(...given));
  await refusesJunk([lco, 4] as const, (given) => surfaceLithium(...given));
});
