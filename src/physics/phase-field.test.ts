import { readFileSync } from "node:fs";
import path from "node:path";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { drained, refusesJunk, stoppedBy } from "../../test/junk.js";
import { dataFolder } from "../../test/data-folder.js";
import { circle, finish, hexagon, phaseFieldOf } from "../../test/phase-field-ladder.js";
import { ParameterError } from "../model/errors.js";
import { outlineGrid } from "./masked-grid.js";
import { lco } from "./materials/lco.js";
import { lfp } from "./materials/lfp.js";
import { materials, withTransport } from "./materials/library.js";
import { simulatePhaseField } from "./phase-field.js";
import type { PhaseFieldSpec } from "./phase-field-spec.js";

/** A small crystal that is quickly run. */
const small: PhaseFieldSpec = {
  ...outlineGrid(hexagon(0.35), 0.175),
  delta_um: 0.25,
  material: lco,
  edge: { seed: 3 },
  drive: { kind: "current", x_per_h: [[0, 2]] },
  x0: 0.97,
  xStop: 0.72,
};

function valueAt(t_s: ArrayLike<number>, values: ArrayLike<number>, at_s: number): number {
  let after = 1;
  while (after < t_s.length - 1 && t_s[after]! < at_s) after++;
  const part = (at_s - t_s[after - 1]!) / (t_s[after]! - t_s[after - 1]!);
  return values[after - 1]! + Math.min(1, part) * (values[after]! - values[after - 1]!);
}

test.skipIf(dataFolder === null)("the reference delithiation at 4C is met", async () => {
  const golden = JSON.parse(
    readFileSync(path.join(dataFolder!, "golden", "phasefield_delithiation_4C.json"), "utf8"),
  ) as {
    nx: number;
    ny: number;
    mask: string[];
    boundary: { i: number; j: number; l: number; k: number; w: number }[];
    t: number[];
    phi: number[];
    new_fraction: number[];
    arrival: number[];
    x_end: number[];
  };
  const mask = Uint8Array.from(golden.mask.join(""), (cell) => (cell === "#" ? 1 : 0));
  const raster = (value: (cell: { l: number; k: number; w: number }) => number): Float64Array => {
    const values = new Float64Array(mask.length);
    for (const cell of golden.boundary) values[cell.j * golden.nx + cell.i] = value(cell);
    return values;
  };
  const spec: PhaseFieldSpec = {
    mask,
    width: golden.nx,
    height: golden.ny,
    h_um: 0.175,
    delta_um: 0.25,
    material: lco,
    drive: { kind: "current", x_per_h: [[0, 2]] },
    x0: 0.97,
    xStop: 0.715,
    boundary: { length_um: raster(({ l }) => 1e6 * l), k: raster(({ k }) => k), wetting: raster(({ w }) => w) },
  };
  const result = await phaseFieldOf(spec);
  for (const [at, t_s] of golden.t.entries()) {
    expect(Math.abs(valueAt(result.t_s, result.fraction, t_s) - golden.new_fraction[at]!)).toBeLessThan(2e-3);
    expect(Math.abs(valueAt(result.t_s, result.phi, t_s) - golden.phi[at]!)).toBeLessThan(0.02);
  }
  const inside = [...mask.keys()].filter((at) => mask[at] === 1);
  const late = inside.map((at, cell) => Math.abs(result.arrival_s[at]! - golden.arrival[cell]!)).sort((a, b) => a - b);
  expect(late[Math.floor(late.length / 2)]).toBeLessThan(0.02);
  expect(late.at(-1)).toBeLessThan(1.5);
  for (const [cell, at] of inside.entries()) expect(Math.abs(result.x[at]! - golden.x_end[cell]!)).toBeLessThan(1e-3);
  expect(result.massError).toBeLessThan(1e-11);

  // The same rim stated cell by cell of the rim, in um.
  const again = await phaseFieldOf({
    ...spec,
    until_s: 20,
    boundary: {
      length_um: golden.boundary.map(({ l }) => 1e6 * l),
      k: golden.boundary.map(({ k }) => 1e6 * k),
      wetting: golden.boundary.map(({ w }) => 1e-6 * w),
    },
  });
  expect(Math.abs(again.phi.at(-1)! - valueAt(result.t_s, result.phi, 20))).toBeLessThan(1e-3);
});

interface ReferenceRun {
  readonly name: string;
  readonly nx: number;
  readonly ny: number;
  readonly mask: string[];
  readonly params: Readonly<
    Record<"h" | "delta" | "hb" | "a_rich" | "D_poor" | "D_rich" | "gmode" | "dmode" | "x0", number>
  >;
  readonly xStop: number;
  readonly kind: "current" | "potential" | "ensemble";
  readonly series: [number, number][];
  readonly contact_ohm_m2?: number[];
  readonly boundary: Readonly<Record<"l" | "k" | "w", number[]>>;
  readonly result: Readonly<Record<"t" | "mean_x" | "fraction" | "phi" | "x_end", number[]>> & {
    readonly arrival: (number | null)[];
  };
}

const referenceRuns = JSON.parse(
  readFileSync(path.join(import.meta.dirname, "../../fixtures/phase-field/reference-runs.json"), "utf8"),
) as ReferenceRun[];

function specOf(run: ReferenceRun): PhaseFieldSpec {
  const { params, series, kind, xStop } = run;
  const direction = xStop < params.x0 ? "delithiation" : "lithiation";
  const mask = Array.from(run.mask.join(""), (cell) => (cell === "#" ? 1 : 0));
  const onMask = (values: readonly number[]): number[] => {
    const rim = values[Symbol.iterator]();
    return mask.map((inside, at) => {
      const open = [-1, 1, -run.nx, run.nx].every((step) => mask[at + step] === 1);
      const edge = at % run.nx === 0 || at % run.nx === run.nx - 1;
      return inside === 1 && (edge || !open) ? rim.next().value! : 0;
    });
  };
  const stated = kind === "ensemble" ? onMask : (values: readonly number[]) => values;
  const { l, k, w } = run.boundary;
  const two = { poor_um2_s: 1e12 * params.D_poor, rich_um2_s: 1e12 * params.D_rich };
  return {
    mask,
    width: run.nx,
    height: run.ny,
    h_um: 1e6 * params.h,
    delta_um: 1e6 * params.delta,
    material: withTransport(
      lco,
      {
        ...two,
        blend: (["log", "linear", "divacancy"] as const)[params.dmode]!,
        rateLaw: (["constant", "lattice-gas", "excluded-site"] as const)[params.gmode]!,
      },
      "test",
    ),
    drive:
      kind === "ensemble"
        ? { kind, steps: [{ kind: direction, x_per_h: Math.abs(series[0]![1]) }], contact_ohm_m2: run.contact_ohm_m2! }
        : kind === "current"
          ? { kind, x_per_h: series }
          : { kind, E_V: series },
    x0: params.x0,
    xStop,
    boundary: { length_um: stated(l.map((length) => 1e6 * length)), k: stated(k), wetting: stated(w) },
  };
}

test.each(referenceRuns.map((run) => [run.name, run] as const))(
  "what another program finds from the same equations is met: %s",
  async (_, run) => {
    const { result } = run;
    const ours = await phaseFieldOf(specOf(run));
    const cells = result.x_end.length;
    for (const [at, t_s] of result.t.entries()) {
      expect(Math.abs(valueAt(ours.t_s, ours.x_mean, t_s) - result.mean_x[at]!)).toBeLessThan(3e-4);
      expect(Math.abs(valueAt(ours.t_s, ours.fraction, t_s) - result.fraction[at]!)).toBeLessThan(2e-3 + 2 / cells);
      expect(Math.abs(valueAt(ours.t_s, ours.phi, t_s) - result.phi[at]!)).toBeLessThan(0.01);
    }
    const inside = [...ours.x.keys()].filter((at) => !Number.isNaN(ours.x[at]!));
    expect(inside.length).toBe(cells);
    const missing = inside.filter((at, cell) => Number.isNaN(ours.arrival_s[at]!) !== (result.arrival[cell] === null));
    expect(missing.length).toBeLessThan(2);
    const late = inside
      .map((at, cell) => Math.abs(ours.arrival_s[at]! - (result.arrival[cell] ?? NaN)))
      .filter((error) => !Number.isNaN(error))
      .sort((a, b) => a - b);
    expect(late.length).toBeGreaterThan(0.5 * cells);
    expect(late[Math.floor(late.length / 2)]).toBeLessThan(0.05);
    expect(late[Math.floor(0.95 * late.length)]).toBeLessThan(0.3);
    for (const [cell, at] of inside.entries()) expect(Math.abs(ours.x[at]! - result.x_end[cell]!)).toBeLessThan(1e-3);
    expect(ours.massError).toBeLessThan(1e-11);
  },
);

test("a jump of the drive has an entry on each side, and times rise throughout", async () => {
  const drive = {
    kind: "current",
    x_per_h: [
      [0, 1],
      [40, 1],
      [40, 4],
    ],
  } as const;
  const { t_s, x_per_h, phi } = await phaseFieldOf({ ...small, drive, until_s: 60 });
  for (let at = 1; at < t_s.length; at++) expect(t_s[at]!).toBeGreaterThan(t_s[at - 1]!);
  const after = t_s.indexOf(40);
  expect(t_s[after]! - t_s[after - 1]!).toBeLessThan(1e-9);
  expect(x_per_h[after - 1]).toBeCloseTo(-1, 12);
  expect(x_per_h[after]).toBeCloseTo(-4, 12);
  expect(phi[after]! - phi[after - 1]!).toBeGreaterThan(0.1);
});

test("an area of which the wetting's tail alone is left is as in 1/m as the others", async () => {
  const one = outlineGrid(hexagon(0.2), 0.175);
  const width = 2 * one.width;
  const mask = new Uint8Array(width * one.height);
  const wetting = new Float64Array(mask.length);
  one.mask.forEach((inside, at) => {
    const place = Math.floor(at / one.width) * width + (at % one.width);
    mask[place] = inside;
    mask[place + one.width] = inside;
    wetting[place] = -2e5;
    wetting[place + one.width] = -2;
  });
  const spec: PhaseFieldSpec = {
    ...small,
    mask,
    width,
    height: one.height,
    edge: undefined,
    drive: { kind: "ensemble", steps: [{ kind: "delithiation", x_per_h: 2, lasts_s: 30 }] },
  };
  const stated = await phaseFieldOf({ ...spec, boundary: { wetting } });
  const inUm = await phaseFieldOf({ ...spec, boundary: { wetting: wetting.map((value) => 1e-6 * value) } });
  expect(Math.abs(stated.phi.at(-1)! - inUm.phi.at(-1)!)).toBeLessThan(1e-9);
});

test("a wetting that holds the old phase, or a run that is left early, is no fault", async () => {
  for (const [x0, xStop, sign] of [
    [0.97, 0.8, 1],
    [0.73, 0.9, -1],
  ] as const) {
    const wetting = new Float64Array(small.mask.length).fill(sign * 3e5);
    const run = await phaseFieldOf({ ...small, x0, xStop, boundary: { wetting } });
    expect(run.ended).toBe("xStop");
    expect(run.massError).toBeLessThan(1e-11);
  }
  let seen = 0;
  for await (const state of simulatePhaseField(small)) {
    expect(state.t_s).toBeGreaterThanOrEqual(0);
    if (++seen === 3) break;
  }
  expect(seen).toBe(3);
  const reason = new Error("not wanted");
  await expect(phaseFieldOf({ ...small, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
});

test("whatever one field is replaced by, a run comes to its end or is refused by name", async () => {
  const nonsense: unknown[] = [
    NaN,
    Infinity,
    -1,
    0,
    1e300,
    "x",
    null,
    true,
    [],
    {},
    [NaN],
    Array.from({ length: 500 }, () => 1),
  ];
  const whole: Record<string, unknown> = { ...small, until_s: 5, snapshots_s: [0, 1], stepChange_x: 0.01 };
  const wrong: Record<string, unknown>[] = [];
  for (const value of nonsense) {
    for (const key of Object.keys(whole)) wrong.push({ ...whole, [key]: value });
    for (const key of Object.keys(lco)) {
      if (key !== "name" && key !== "formula") wrong.push({ ...whole, material: { ...lco, [key]: value } });
    }
    for (const key of ["length_um", "k", "wetting"]) wrong.push({ ...whole, boundary: { [key]: value } });
    for (const key of ["seed", "hotSpots", "hotSpotsAt"]) wrong.push({ ...whole, edge: { seed: 1, [key]: value } });
  }
  for (const one of wrong) {
    try {
      const { x_mean, potential_V } = await phaseFieldOf({
        ...(one as unknown as PhaseFieldSpec),
        signal: AbortSignal.timeout(500),
      });
      expect(x_mean.every((x) => x > 0 && x < 1)).toBe(true);
      expect(potential_V.every(Number.isFinite)).toBe(true);
    } catch (error) {
      if ((error as Error).name === "TimeoutError") continue;
      expect(error).toBeInstanceOf(ParameterError);
      expect((error as ParameterError).message).toMatch(/^\S+ .*\. .*(Give|give|must|Say)/s);
      expect((error as ParameterError).message.length).toBeLessThan(400);
    }
  }
});

test("lithium is what the current brought, whatever shape, rate, direction and law", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        angles: fc.array(fc.double({ min: 0.5, max: 1, noNaN: true }), { minLength: 5, maxLength: 9 }),
        rates: fc.array(fc.double({ min: 0.5, max: 8, noNaN: true }), { minLength: 2, maxLength: 4 }),
        lithiation: fc.boolean(),
        blend: fc.constantFrom("log", "linear", "divacancy"),
        rateLaw: fc.constantFrom("constant", "lattice-gas", "excluded-site"),
        seed: fc.nat(1000),
      }),
      async ({ angles, rates, lithiation, blend, rateLaw, seed }) => {
        const outline = angles.map((radius, at): [number, number] => [
          1.5 * radius * Math.cos((2 * Math.PI * at) / angles.length),
          1.5 * radius * Math.sin((2 * Math.PI * at) / angles.length),
        ]);
        const x_per_h = rates.map((rate, at) => [30 * at, rate] as const);
        const result = await phaseFieldOf({
          ...small,
          ...outlineGrid(outline, 0.175),
          edge: { seed, hotSpots: 2 },
          material: withTransport(lco, { blend: blend as "log", rateLaw: rateLaw as "constant" }, "test"),
          drive: { kind: "current", x_per_h },
          x0: lithiation ? 0.72 : 0.96,
          xStop: lithiation ? 0.93 : 0.74,
        });
        expect(result.massError).toBeLessThan(1e-9);
        const end = result.t_s.length - 1;
        expect(Math.max(...result.potential_V)).toBeLessThan(4.3 + 1e-9);
        expect(Math.min(...result.potential_V)).toBeGreaterThan(3 - 1e-9);
        if (result.limited_s !== null) return;
        let brought = 0;
        for (let at = 0; at < end; at++) {
          const rise = result.x_per_h[at + 1]! + result.x_per_h[at]!;
          brought += (0.5 * rise * (result.t_s[at + 1]! - result.t_s[at]!)) / 3600;
        }
        expect(Math.abs(result.x_mean[end]! - result.x_mean[0]! - brought)).toBeLessThan(1e-9);
      },
    ),
    { numRuns: 8 },
  );
});

test("one specification gives one result, alone or beside others", async () => {
  const alone = await phaseFieldOf(small);
  const [one, other, third] = await Promise.all([
    phaseFieldOf(small),
    phaseFieldOf(small),
    phaseFieldOf({ ...small, edge: { seed: 4 } }),
  ]);
  expect(one).toEqual(alone);
  expect(other).toEqual(alone);
  expect(third.phi).not.toEqual(alone.phi);
});

test("snapshots come at their times, and do not move the answer", async () => {
  const plain = await phaseFieldOf(small);
  const { states, result } = await finish(simulatePhaseField({ ...small, snapshots_s: [0, 50, 125.5, 1e6] }));
  expect(states.map(({ t_s }) => t_s)).toEqual([0, 50, 125.5]);
  for (const state of states) {
    const inside = state.x.filter((x) => !Number.isNaN(x));
    expect(inside.reduce((sum, x) => sum + x, 0) / inside.length).toBeCloseTo(state.x_mean, 12);
    expect(valueAt(plain.t_s, plain.phi, state.t_s)).toBeCloseTo(state.phi, 2);
  }
  expect(result.arrival_s.every((t_s, at) => Number.isNaN(t_s) || Math.abs(t_s - plain.arrival_s[at]!) < 0.1)).toBe(
    true,
  );
  const every = await finish(simulatePhaseField({ ...small, snapshots_s: 0.7 * 60 }));
  expect(every.states.slice(0, 4).map(({ t_s }) => t_s)).toEqual([0, 42, 84, 126]);
  expect(every.states.every(({ progress }, at, all) => at === 0 || progress >= all[at - 1]!.progress)).toBe(true);
});

test("the sign of the first rate is that of the way; its reversal goes back", async () => {
  const minus = await phaseFieldOf({ ...small, drive: { kind: "current", x_per_h: [[0, -2]] } });
  expect(minus).toEqual(await phaseFieldOf(small));
  const back = await phaseFieldOf({
    ...small,
    drive: {
      kind: "current",
      x_per_h: [
        [0, 2],
        [200, 2],
        [200, -2],
        [300, -2],
        [300, 2],
      ],
    },
  });
  expect(valueAt(back.t_s, back.x_mean, 300)).toBeCloseTo(0.97 - 100 / 1800, 9);
  expect(back.t_s.at(-1)! - minus.t_s.at(-1)!).toBeCloseTo(200, 6);
});

test("a current that would pass the voltage limits is held there", async () => {
  const run = await phaseFieldOf({ ...small, drive: { kind: "current", x_per_h: [[0, 80]] }, x0: 0.72, xStop: 0.95 });
  expect(run.limited_s).toBeGreaterThan(0);
  expect(Math.min(...run.potential_V)).toBeCloseTo(3, 9);
  const late = run.x_per_h.at(-1)!;
  expect(late).toBeLessThan(79);
  expect(run.ended).toBe("xStop");
  expect(run.massError).toBeLessThan(1e-11);
  const own = await phaseFieldOf({ ...small, drive: { kind: "current", x_per_h: [[0, 4]], limits_V: [3.5, 3.99] } });
  expect(Math.max(...own.potential_V)).toBeCloseTo(3.99, 9);
});

test("a held potential leads to its own lithium, and a run that comes no nearer ends", async () => {
  const far = await phaseFieldOf({
    ...small,
    drive: {
      kind: "potential",
      E_V: [
        [0, 3.92],
        [60, 4.02],
      ],
    },
  });
  expect(far.ended).toBe("xStop");
  expect(far.potential_V.at(-1)).toBeCloseTo(4.02, 9);
  // At rest 4.02 V is x = 0.75 - 0.1 V / 0.637 V.
  const stalled = await phaseFieldOf({ ...small, drive: { kind: "potential", E_V: [[0, 4.02]] }, xStop: 0.5 });
  expect(stalled.ended).toBe("stalled");
  expect(stalled.x_mean.at(-1)).toBeCloseTo(0.75 - 0.1 / 0.6372, 2);
  const short = await phaseFieldOf({
    ...small,
    drive: {
      kind: "current",
      x_per_h: [
        [0, 2],
        [60, 0],
      ],
    },
  });
  expect(short.ended).toBe("drive");
  const until = await phaseFieldOf({ ...small, until_s: 33 });
  expect([until.ended, until.t_s.at(-1)]).toEqual(["until", 33]);
});

test("a run is stopped from outside", async () => {
  const stop = new AbortController();
  const run = simulatePhaseField({ ...small, signal: stop.signal });
  await run.next();
  stop.abort(new Error("enough"));
  await expect(finish(run)).rejects.toThrow("enough");
});

test("other materials need no code: two phases of another kind, and solid solutions", async () => {
  const two = await phaseFieldOf({
    ...small,
    ...outlineGrid(circle(0.03), 0.0025),
    material: lfp,
    delta_um: 0.0035,
    edge: undefined,
    drive: { kind: "current", x_per_h: [[0, 0.2]] },
    x0: 0.98,
    xStop: 0.1,
  });
  expect(two.fraction.at(-1)).toBeGreaterThan(0.85);
  expect(two.massError).toBeLessThan(1e-9);
  for (const name of ["nmc811", "nb14w3o44"]) {
    const run = await phaseFieldOf({
      ...small,
      material: materials[name]!,
      drive: { kind: "current", x_per_h: [[0, 0.05]] },
      x0: 0.6,
      xStop: 0.5,
    });
    const inside = run.x.filter((x) => !Number.isNaN(x));
    expect(Math.max(...inside) - Math.min(...inside)).toBeLessThan(0.2);
    expect(run.x_mean.at(-1)).toBeCloseTo(0.5, 9);
    expect(run.potential_V.at(-1)!).toBeGreaterThan(run.potential_V[0]!);
  }
});

test.each<[string, Partial<PhaseFieldSpec>, string]>([
  ["no cell inside", { mask: new Uint8Array(small.mask.length) }, "mask"],
  ["a mask of another size", { width: small.width + 1 }, "mask"],
  ["cells larger than the boundary", { delta_um: 0.1 }, "h_um"],
  ["cells without a size", { h_um: NaN }, "h_um"],
  ["no boundary width", { delta_um: 0 }, "delta_um"],
  ["no diffusion", { material: withTransport(lco, { D_um2_s: 0 }, "test") }, "material.diffusivity.D_um2_s"],
  [
    "negative diffusion",
    { material: withTransport(lco, { rich_um2_s: -1 }, "test") },
    "material.diffusivity.rich_um2_s",
  ],
  ["no reaction", { material: withTransport(lco, { exchange_A_m2: 0 }, "test") }, "material.exchange_A_m2"],
  [
    "a plateau of NaN",
    {
      material: {
        ...lco,
        freeEnergy: { ...lco.freeEnergy, plateau_V: { value: NaN, source: "test" } } as typeof lco.freeEnergy,
      },
    },
    "material.freeEnergy.plateau_V.value",
  ],
  ["an empty end", { xStop: 0 }, "xStop"],
  ["a negative end", { xStop: -0.2 }, "xStop"],
  ["more than full", { x0: 1.2 }, "x0"],
  ["NaN", { x0: NaN }, "x0"],
  ["nowhere to go", { xStop: 0.97 }, "xStop"],
  ["an end beyond the limits", { xStop: 0.1 }, "xStop"],
  ["no rate", { drive: { kind: "current", x_per_h: [[0, 0]] } }, "drive.x_per_h"],
  ["no points", { drive: { kind: "current", x_per_h: [] } }, "drive.x_per_h"],
  ["a rate of NaN", { drive: { kind: "current", x_per_h: [[0, NaN]] } }, "drive.x_per_h"],
  [
    "time going back",
    {
      drive: {
        kind: "potential",
        E_V: [
          [0, 4],
          [-1, 4],
        ],
      },
    },
    "drive.E_V",
  ],
  ["a current that empties the rim", { drive: { kind: "current", x_per_h: [[0, 1e5]] } }, "drive.x_per_h"],
  ["the same without limits", { drive: { kind: "current", x_per_h: [[0, 1e6]], limits_V: null } }, "drive"],
  ["limits the wrong way", { drive: { kind: "current", x_per_h: [[0, 2]], limits_V: [4.3, 3] } }, "drive.limits_V"],
  ["a rim of another length", { boundary: { k: [1, 2, 3] } }, "boundary.k"],
  ["a rim of NaN", { boundary: { wetting: new Float64Array(small.mask.length).fill(NaN) } }, "boundary.wetting"],
  ["a dead rim", { boundary: { k: new Float64Array(small.mask.length) } }, "boundary.k"],
  ["a snapshot before the start", { snapshots_s: [-1] }, "snapshots_s"],
])("refused with the value and the cure: %s", async (_, change, parameter) => {
  const error = await phaseFieldOf({ ...small, ...change }).then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ParameterError);
  expect((error as ParameterError).parameter).toBe(parameter);
  expect((error as ParameterError).message).toMatch(/\. .*(Give|give|must|Say)/);
});

test("senseless values in any field are refused, and none keeps the run from stopping", async () => {
  const run: PhaseFieldSpec = {
    ...small,
    edge: { seed: 3, lnRate_sd: 0.3, hotSpots: 1, hotSpot_um: 0.5, hotSpotsAt: "corners", cycle: 0 },
    drive: {
      kind: "current",
      x_per_h: [
        [0, 20],
        [5, 20],
      ],
      limits_V: [3, 4.3],
    },
    xStop: 0.92,
    until_s: 1e4,
    snapshots_s: [1, 2],
    stepChange_x: 0.01,
  };
  const drives: PhaseFieldSpec["drive"][] = [
    run.drive,
    { kind: "potential", E_V: [[0, 4.1]] },
    { kind: "ensemble", steps: [{ kind: "delithiation", x_per_h: 20 }], weights: [1], contact_ohm_m2: [0.001] },
  ];
  for (const drive of drives) {
    const given = drive.kind === "ensemble" ? { ...run, until_s: undefined, drive } : { ...run, drive };
    await refusesJunk([given], ([spoiled], signal) => drained(simulatePhaseField(stoppedBy(spoiled, signal))), 150);
  }
});

test("lithium stays between empty and full, whatever the material, the rate and the limits: a run that cannot go on says so", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom("lco", "lco-measured", "lfp", "nmc811", "nb14w3o44"),
      fc.constantFrom(2, 20, 60),
      fc.boolean(),
      fc.boolean(),
      async (name, rate, lithiation, limited) => {
        const going = finish(
          simulatePhaseField({
            ...small,
            material: materials[name]!,
            drive: { kind: "current", x_per_h: [[0, rate]], ...(limited ? {} : { limits_V: null }) },
            x0: lithiation ? 0.6 : 0.9,
            xStop: lithiation ? 0.985 : 0.3,
            snapshots_s: 20 / rate,
            until_s: 1000 / rate,
          }),
        );
        try {
          const { states, result } = await going;
          for (const { x } of [...states, result]) {
            expect(x.every((one) => Number.isNaN(one) || (one >= 0 && one <= 1))).toBe(true);
          }
        } catch (error) {
          expect(error).toBeInstanceOf(ParameterError);
          expect((error as Error).message).toMatch(/empties or overfills the rim|beyond the limits|passes at most/);
        }
      },
    ),
    { numRuns: 12 },
  );
});

test("at the material's least potential a particle fills, and no place of it is fuller than full", async () => {
  const run = await phaseFieldOf({ ...small, drive: { kind: "potential", E_V: [[0, 3]] }, x0: 0.7, xStop: 0.999 });
  expect(run.ended).toBe("xStop");
  const most = run.x.reduce((full, x) => (Number.isNaN(x) ? full : Math.max(full, x)), 0);
  expect(most).toBeGreaterThan(0.9995);
  expect(most).toBeLessThan(1);
});
