import * as fc from "fast-check";
import { expect, test } from "vitest";
import { refusesJunk } from "../../test/junk.js";
import { hexagon } from "../../test/phase-field-ladder.js";
import { ParameterError } from "../model/errors.js";
import { lco } from "../physics/materials/lco.js";
import { lfp } from "../physics/materials/lfp.js";
import { nmc811 } from "../physics/materials/nmc811.js";
import {
  assessRegime,
  biotNumber,
  damkohlerNumber,
  particleSize,
  type KnownDiffusivity,
  type RegimeInput,
} from "./regime.js";

const size = particleSize(hexagon(1));
const known = (atLeast_cm2_s: number, atMost_cm2_s: number): KnownDiffusivity => ({
  atLeast_cm2_s,
  atMost_cm2_s,
  source: "test",
});

test("a particle's size is that of its outline", () => {
  expect(size.area_um2).toBeCloseTo(43.66, 2);
  expect(size.perimeter_um).toBeGreaterThan(25);
  expect(size.inradius_um).toBeGreaterThan(2.7);
  expect(size.inradius_um).toBeLessThan(3.2);
  const circle = particleSize(
    Array.from({ length: 200 }, (_, at) => [Math.cos((at * Math.PI) / 100), Math.sin((at * Math.PI) / 100)]),
  );
  expect(circle.area_um2).toBeCloseTo(Math.PI, 2);
  expect(circle.perimeter_um).toBeCloseTo(2 * Math.PI, 2);
  expect(Math.abs(circle.inradius_um - 1)).toBeLessThan(0.02);
});

test("the Biot number of a LiCoO2 particle of 3 um is 0.015", () => {
  expect(biotNumber(lco, 3)).toBeCloseTo(0.015, 3);
  expect(biotNumber(lco, 3, 1e-9)).toBeCloseTo(0.15, 2);
});

test("the Damkoehler number is flux times radius over diffusivity and distance to the spinodal, 0.0423 in LiCoO2", () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0.1, max: 10, noNaN: true }),
      fc.double({ min: -12, max: -7, noNaN: true }),
      (x_per_h, log) => {
        const D_cm2_s = 10 ** log;
        const J = ((x_per_h / 3600) * size.area_um2) / size.perimeter_um;
        const exact = (J * size.inradius_um) / (1e8 * D_cm2_s * 0.1 * (1 - 1 / Math.sqrt(3)));
        expect(damkohlerNumber({ x_per_h, size, D_cm2_s, material: lco }) / exact).toBeCloseTo(1, 3);
      },
    ),
  );
  expect(damkohlerNumber({ x_per_h: 1, size, D_cm2_s: 1e-9, material: lfp })).toBeGreaterThan(0);
});

test("with both diffusivities known: 4C delithiates by diffusion and lithiates by reaction, C/10 by reaction both ways", () => {
  const both = { poor: known(9e-9, 1.1e-8), rich: known(4.5e-11, 5.5e-11), size, material: lco };
  expect(assessRegime({ ...both, direction: "delithiation", x_per_h: 2 }).kind).toBe("diffusion-limited");
  expect(assessRegime({ ...both, direction: "lithiation", x_per_h: 2 }).kind).toBe("reaction-limited");
  expect(assessRegime({ ...both, direction: "delithiation", x_per_h: 0.05 }).kind).toBe("reaction-limited");
  expect(assessRegime({ ...both, direction: "delithiation", x_per_h: 0.3 }).kind).toBe("mixed");
  // Lithiation leaves the wave at 8C where the poor phase is slower than 3e-8 cm2/s.
  const slow = { ...both, poor: known(2e-9, 3e-9), direction: "lithiation" as const, x_per_h: 4 };
  expect(assessRegime(slow).kind).toBe("diffusion-limited");
});

test("a diffusivity that is only bounded decides where the bound does, and else nothing", () => {
  const bounded = { poor: known(1e-8, Infinity), size, material: lco, x_per_h: 1 };
  const lithiation = assessRegime({ ...bounded, direction: "lithiation" });
  expect(lithiation.kind).toBe("reaction-limited");
  expect(lithiation.damkohler_poor!.least).toBe(0);
  const weak = assessRegime({ ...bounded, poor: known(1e-10, Infinity), direction: "lithiation" });
  expect(weak.kind).toBe("undecided");
  const delithiation = assessRegime({ ...bounded, direction: "delithiation" });
  expect(delithiation.kind).toBe("undecided");
  expect(delithiation.because).toMatch(/rich phase \(not known\).*5\.0e-11 cm2\/s/);
  expect(delithiation.damkohler_rich!.most).toBe(Infinity);
  expect(assessRegime({ ...bounded, x_per_h: null, direction: "delithiation" })).toMatchObject({
    kind: "undecided",
    damkohler_rich: null,
  });
});

test("the way of a front bounds the diffusivity that it needs", () => {
  const seen = { size, material: lco, x_per_h: 2 };
  const core = assessRegime({ ...seen, direction: "delithiation", mechanism: "core" }).implied!;
  expect(core.phase).toBe("rich");
  expect(damkohlerNumber({ ...seen, D_cm2_s: core.atMost_cm2_s! })).toBeCloseTo(1, 6);
  const wave = assessRegime({ ...seen, direction: "lithiation", mechanism: "wave" }).implied!;
  expect(wave.phase).toBe("poor");
  // A wave at 4C needs about 1e-8 cm2/s or half of it.
  expect(wave.atLeast_cm2_s!).toBeGreaterThan(2e-9);
  expect(wave.atLeast_cm2_s!).toBeLessThan(1e-8);
  expect(assessRegime({ ...seen, direction: "lithiation", mechanism: "hybrid" }).implied).toBeNull();
});

test("what cannot be is refused by name", () => {
  const good = { x_per_h: 1, size, D_cm2_s: 1e-9, material: lco };
  for (const wrong of [{ x_per_h: 0 }, { x_per_h: NaN }, { D_cm2_s: -1 }, { material: nmc811 }]) {
    expect(() => damkohlerNumber({ ...good, ...wrong })).toThrow(ParameterError);
  }
  expect(() => biotNumber(lco, 0)).toThrow(/inradius_um is 0/);
  expect(() => biotNumber(nmc811, 3)).toThrow(/solid solution/);
  expect(() =>
    particleSize([
      [0, 0],
      [1, 1],
    ]),
  ).toThrow(/outline_um/);
  expect(() => assessRegime({ direction: "lithiation", size, x_per_h: 1, material: nmc811 })).toThrow(ParameterError);
});

test("senseless values in any field are refused", async () => {
  const input: RegimeInput = {
    direction: "delithiation",
    size,
    x_per_h: 2,
    material: lco,
    poor: known(1e-9, 1e-8),
    rich: known(1e-11, 1e-10),
    mechanism: "core",
  };
  await refusesJunk([input] as const, (given) => assessRegime(...given));
  await refusesJunk([lco, 1, 1e-9] as const, (given) => biotNumber(...given));
  await refusesJunk([{ x_per_h: 2, size, D_cm2_s: 1e-9, material: lco }] as const, (given) =>
    damkohlerNumber(...given),
  );
  await refusesJunk([hexagon(0.5)] as const, (given) => particleSize(...given));
});
