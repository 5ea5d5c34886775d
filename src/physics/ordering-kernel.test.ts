import * as fc from "fast-check";
import { expect, test } from "vitest";
import { random } from "../kernels/random.js";
import { maskedGrid } from "./masked-grid.js";
import { wallAnisotropy } from "./ordering-anisotropy.js";
import { findWalls, orderingCells } from "./ordering-cells.js";
import { orderingEnergy, orderingRate, wallCoefficient, weightOf, type OrderingLaw } from "./ordering-kernel.js";
import { orderingStepper, stepOrdering } from "./ordering-stepper.js";

const delta_um = 0.15;
const h_um = 0.1;

function patch(seed: number): ReturnType<typeof orderingCells> {
  const draw = random(seed);
  const mask = Uint8Array.from({ length: 144 }, () => (draw.uniform() < 0.85 ? 1 : 0));
  mask[70] = 1;
  return orderingCells(maskedGrid(mask, 12, 12, h_um));
}

function law(angle_deg: number, strength: number, front_per_s: number, wall_per_s: number): OrderingLaw {
  return { delta_um, front_per_s, wall_per_s, anisotropy: wallAnisotropy(angle_deg, weightOf(strength, delta_um)) };
}

test("where fronts and walls follow alike, the order moves down the slope of its energy", () => {
  fc.assert(
    fc.property(fc.integer(), fc.double({ min: 0, max: 60, noNaN: true }), (seed, angle_deg) => {
      const cells = patch(seed);
      const alike = law(angle_deg, 1, 1, 1);
      const draw = random(seed + 1);
      const eta = Float64Array.from({ length: 3 * cells.count }, () => 0.1 + 0.5 * draw.uniform());
      const rate = new Float64Array(eta.length);
      const drive = 0.3 * (draw.uniform() - 0.5);
      findWalls(cells, eta);
      orderingRate(cells, alike, drive, eta, rate);
      const at = draw.integer(eta.length);
      const energyAt = (value: number): number => {
        const moved = eta.slice();
        moved[at] = value;
        return orderingEnergy(cells, alike, drive, moved);
      };
      const step = 1e-5;
      const slope = (energyAt(eta[at]! + step) - energyAt(eta[at]! - step)) / (2 * step);
      expect(rate[at]).toBeCloseTo(-slope / (h_um * h_um), 4);
    }),
    { numRuns: 40 },
  );
});

test("without a change of drive the energy never rises, whatever the state, the drive and the walls' mobility", () => {
  fc.assert(
    fc.property(fc.integer(), fc.boolean(), fc.constantFrom(-0.13, 0, 0.13), (seed, pinned, drive) => {
      const cells = patch(seed);
      const wall_per_s = pinned ? 0 : wallCoefficient(0.1, delta_um);
      const stepper = orderingStepper(cells, law(seed % 60, 1, 1.3, wall_per_s), 0);
      const draw = random(seed);
      for (let at = 0; at < stepper.eta.length; at++) stepper.eta[at] = 0.7 * draw.uniform();
      let energy = orderingEnergy(cells, stepper.law, drive, stepper.eta);
      for (let step = 0; step < 30; step++) {
        stepOrdering(stepper, () => drive, Infinity);
        const now = orderingEnergy(cells, stepper.law, drive, stepper.eta);
        expect(now).toBeLessThanOrEqual(energy + 1e-9);
        energy = now;
      }
    }),
    { numRuns: 12 },
  );
});

test("a front has the energy of its potential, a wall along a row 1.25 times it, one between two rows a tenth more", () => {
  // Walls stand upright: rows at 90 degrees lie along them.
  const [width, height, cell_um] = [60, 60, 0.05];
  const cells = orderingCells(maskedGrid(new Uint8Array(width * height).fill(1), width, height, cell_um));
  const profile = (first: number, second: number): Float64Array => {
    const eta = new Float64Array(3 * cells.count);
    for (let cell = 0; cell < cells.count; cell++) {
      const y = 0.5 * (1 - Math.tanh((((cell % width) - 29.5) * cell_um) / delta_um));
      eta[first * cells.count + cell] = y;
      if (second >= 0) eta[second * cells.count + cell] = 1 - y;
    }
    return eta;
  };
  const energy = (angle_deg: number, eta: Float64Array): number =>
    orderingEnergy(cells, law(angle_deg, 1, 1, 1), 0, eta) / (height * cell_um);
  const front = energy(0, profile(0, -1));
  // sqrt(2 kappa W) / 6 of f = W y^2 (1 - y)^2, kappa = delta^2 / 2.
  expect(front / (delta_um / 6)).toBeCloseTo(1, 1.5);
  const along = energy(30, profile(1, 2));
  expect(along / front).toBeCloseTo(1.25, 2);
  // Half of it is gradients, and grows as the square of the energy of a wall that has found its width.
  const between = Math.sqrt((2 * energy(0, profile(1, 2))) / along - 1);
  expect(between).toBeGreaterThan(1.08);
  expect(between).toBeLessThan(1.11);
});
