import { expect, test } from "vitest";
import { refusesJunk, stoppedBy } from "../../test/junk.js";
import { hexagon } from "../../test/phase-field-ladder.js";
import { covers, plant } from "../../test/paper/planted-diffusivity.js";
import { ParameterError } from "../model/errors.js";
import { lco } from "../physics/materials/lco.js";
import { nmc811 } from "../physics/materials/nmc811.js";
import { boundDiffusivity, type DiffusivityOptions, type MeasuredFront } from "./diffusivity.js";
import { frontCurrent, type FrontDrive } from "./simulated-front.js";
import { stefanDiffusivity, surfaceLithium } from "./stefan.js";

const front = (velocity_um_s: number, scale = 0.5, sd = 0.02 * velocity_um_s): MeasuredFront => ({
  outline_um: hexagon(scale),
  velocity_um_s: { value: velocity_um_s, sd },
});

/** As in the paper's Fig. 3c: a burst at 2C, a lag, and a rise to 10C, with 1C at half a lithium an hour. */
const fig3 = {
  kind: "current" as const,
  x_per_h: [
    [0, 1],
    [100, 1],
    [100, 0.15],
    [280, 0.15],
    [280, 1],
    [400, 5],
  ],
} satisfies FrontDrive;

/** Fewer simulations, of one rim. */
const quick: DiffusivityOptions = { perDecade: 1, rims: [{ seed: 1 }], range_cm2_s: [1e-11, 1e-9] };

test("a front of 20 nm/s under the current of Fig. 3c needs 1e-9 cm2/s or more, within a factor of 3", async () => {
  const bound = await boundDiffusivity({ ...front(0.02, 1), since_s: 280 }, fig3, {
    range_cm2_s: [10 ** -9.5, 10 ** -8.5],
    rims: [{ seed: 3, hotSpots: 4 }],
  });
  expect(bound.kind).toBe("bound");
  for (const D_cm2_s of [bound.D_cm2_s!, bound.atLeast_cm2_s!]) {
    expect(D_cm2_s).toBeGreaterThan(1e-9 / 3);
    expect(D_cm2_s).toBeLessThan(3e-9);
  }
  expect(bound.exponent!).toBeGreaterThan(0.2);
  expect(bound.exponent!).toBeLessThan(0.55);
  expect(bound.atLeast_cm2_s!).toBeLessThan(bound.D_cm2_s!);
  expect(bound.because).toMatch(/20\.0 nm\/s/);
  // Reference, another implementation: 16.6 and 23.0 nm/s with 1e-9 and 3e-9 cm2/s.
  const at = (D_cm2_s: number): number =>
    bound.tried.find((one) => Math.abs(one.D_cm2_s / D_cm2_s - 1) < 0.06)!.velocity_um_s!;
  expect(Math.abs(at(1e-9) / 0.0166 - 1)).toBeLessThan(0.15);
  expect(Math.abs(at(3.16e-9) / 0.023 - 1)).toBeLessThan(0.15);
});

test("the less a velocity or a current is known, the lower the bound", async () => {
  const exact = await boundDiffusivity(front(0.007, 0.5, 0), { ...fig3, error: 0 }, quick);
  const rough = await boundDiffusivity(front(0.007, 0.5, 0.001), { ...fig3, error: 0 }, quick);
  const rated = await boundDiffusivity(front(0.007, 0.5, 0), { ...fig3, error: 0.4 }, quick);
  expect(rough.atLeast_cm2_s!).toBeLessThan(0.8 * exact.atLeast_cm2_s!);
  expect(rated.atLeast_cm2_s!).toBeLessThan(0.8 * exact.atLeast_cm2_s!);
  expect(rough.errors["velocity"]).toBeCloseTo(1 / 7, 9);
  expect(Object.keys(exact.errors)).not.toContain("current");
});

const planting: DiffusivityOptions = {
  perDecade: 1,
  rims: [{ seed: 1 }, { seed: 3, hotSpots: 4 }],
  range_cm2_s: [2e-11, 2e-9],
};

test("a planted diffusivity lies in the interval found from its arrival map, the current being the front's own", async () => {
  const planted = await plant(6, "front", planting);
  expect(planted.bound.kind).toBe("bound");
  expect(covers(planted)).toBe(true);
});

test("no bound: the least diffusivity is fast enough; the reaction is too slow for any; no front runs at all", async () => {
  const slow = await boundDiffusivity(front(0.001), fig3, { ...quick, range_cm2_s: [1e-10, 1e-9] });
  expect(slow).toMatchObject({ kind: "none", atLeast_cm2_s: null });
  expect(slow.because).toMatch(/least tried/);

  const high = { ...quick, range_cm2_s: [3e-10, 3e-9] as const };
  const limited: FrontDrive = { kind: "potential", E_V: [[0, 4]], exchange_A_m2: 0.1 };
  const reaction = await boundDiffusivity(front(0.05), limited, high);
  expect(reaction).toMatchObject({ kind: "none", atLeast_cm2_s: null, D_cm2_s: null });
  expect(reaction.because).toMatch(/does not rise with D/);

  const idle = await boundDiffusivity(front(0.02), { kind: "potential", E_V: [[0, 3.9]] }, high);
  expect(idle).toMatchObject({ kind: "none", atLeast_cm2_s: null, D_cm2_s: null });
  expect(idle.because).toMatch(/no front runs/);
});

test("under a potential the speed goes with D; what of it is lost on the way is made up by a greater D", async () => {
  const all = await boundDiffusivity(front(0.02), { kind: "potential", E_V: [[0, 4]] }, quick);
  const less = await boundDiffusivity(front(0.02), { kind: "potential", E_V: [[0, 4]], ohmic_V: 0.03 }, quick);
  expect(all.exponent!).toBeGreaterThan(0.8);
  expect(less.D_cm2_s!).toBeGreaterThan(1.2 * all.D_cm2_s!);
  // The flat front of the same speed and depth: a front that closes on a middle is faster.
  const flat_cm2_s = stefanDiffusivity({
    velocity_um_s: 0.02,
    radius_um: 1.45,
    surface_x: surfaceLithium(lco, 4)!,
    poor_x: 0.75,
    rich_x: 0.95,
  });
  expect(all.D_cm2_s! / flat_cm2_s).toBeGreaterThan(1 / 3);
  expect(all.D_cm2_s! / flat_cm2_s).toBeLessThan(1);
});

test("the work is told as it is done, and stops when it is not wanted", async () => {
  const seen: [number, number][] = [];
  const stop = new AbortController();
  const work = boundDiffusivity(front(0.02), fig3, {
    ...quick,
    signal: stop.signal,
    onProgress: (done, total) => {
      seen.push([done, total]);
      if (done === 2) stop.abort(new Error("enough"));
    },
  });
  await expect(work).rejects.toThrow("enough");
  expect(seen.map(([done]) => done)).toEqual([1, 2]);
  for (const [done, total] of seen) expect(total).toBeGreaterThan(done);
});

test("a front's own rate becomes a current: evened, never backwards, over at its end", () => {
  const time_s = Float64Array.from({ length: 600 }, (_, at) => 50 + at);
  const value = Float64Array.from(time_s, (_, at) => (at < 20 ? -1 : 2));
  const { x_per_h, fromFront, error } = frontCurrent({ time_s, value }, 0.5, 0.2);
  expect(x_per_h.length).toBeLessThan(65);
  expect(x_per_h[0]![1]).toBe(0);
  expect(x_per_h[0]![0]).toBeLessThan(10);
  expect(x_per_h.at(-2)![1]).toBe(1);
  expect(x_per_h.at(-1)![1]).toBe(0);
  expect([fromFront, error]).toEqual([true, 0.2]);
});

test("what cannot be is refused by name", async () => {
  const cross: [number, number][] = [
    [0, 0],
    [4, 4],
    [4, 0],
    [0, 4],
  ];
  const wrongs: [Partial<MeasuredFront>, FrontDrive, DiffusivityOptions, RegExp][] = [
    [{ outline_um: cross }, fig3, {}, /outline crosses itself/],
    [
      {
        outline_um: [
          [0, 0],
          [1, 1],
        ],
      },
      fig3,
      {},
      /outline has 2 corners/,
    ],
    [{ velocity_um_s: { value: NaN, sd: 0 } }, fig3, {}, /velocity_um_s is NaN/],
    [{ velocity_um_s: { value: 0, sd: 0 } }, fig3, {}, /velocity_um_s is 0/],
    [{}, fig3, { range_cm2_s: [1e-8, 1e-11] }, /range_cm2_s/],
    [{}, fig3, { range_cm2_s: [0, 1e-8] }, /range_cm2_s is 0/],
    [{}, fig3, { h_um: 0.3, delta_um: 0.25 }, /h_um is 0.3/],
    [{}, fig3, { material: nmc811 }, /solid solution/],
    [{}, { kind: "current", x_per_h: [] }, {}, /x_per_h has no points/],
    [{}, { kind: "current", x_per_h: [[0, NaN]] }, {}, /x_per_h is/],
    [{}, { kind: "current", x_per_h: [[0, 1e9]] }, {}, /x_per_h is .*passes at most/],
    [
      {},
      {
        kind: "potential",
        E_V: [
          [0, 4],
          [-1, 4],
        ],
      },
      {},
      /E_V goes back/,
    ],
  ];
  for (const [measured, drive, options, sentence] of wrongs) {
    const work = boundDiffusivity({ ...front(0.02), ...measured }, drive, options);
    await expect(work, String(sentence)).rejects.toThrow(sentence);
    await work.catch((error: unknown) => expect(error).toBeInstanceOf(ParameterError));
  }
});

test("senseless values in any field are refused, and none keeps the work from stopping", async () => {
  const measured: MeasuredFront = { ...front(0.01, 0.3), since_s: 0 };
  const drives: FrontDrive[] = [
    {
      kind: "current",
      x_per_h: [
        [0, 5],
        [20, 5],
      ],
      error: 0.1,
      fromFront: true,
    },
    { kind: "potential", E_V: [[0, 4.1]], ohmic_V: 0.01, error_V: 0.01, exchange_A_m2: 10 },
  ];
  const options: DiffusivityOptions = {
    ...quick,
    material: lco,
    range_cm2_s: [1e-10, 1e-9],
    scale_error: 0.01,
    size_error: 0.02,
    h_um: 0.25,
    delta_um: 0.25,
    psf_um: 0.118,
  };
  for (const drive of drives) {
    await refusesJunk(
      [measured, drive, options] as const,
      ([of, by, how], signal) => boundDiffusivity(of, by, stoppedBy(how, signal)),
      70,
    );
  }
  const curve = { time_s: Float64Array.of(0, 1, 2), value: Float64Array.of(1, 2, 3) };
  await refusesJunk([curve, 0.5, 0.1] as const, (given) => frontCurrent(...given));
});
