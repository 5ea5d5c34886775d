import { expect, test } from "vitest";
import { drained, refusesJunk, stoppedBy } from "../../test/junk.js";
import { ParameterError } from "../model/errors.js";
import { simulateOrdering } from "./ordering.js";
import type { OrderingResult, OrderingSpec, OrderingState, WallSpec } from "./ordering-spec.js";

const h_um = 0.1;

type Given = Partial<OrderingSpec>;

function disc(radius_um: number, given: Given = {}): OrderingSpec {
  const radius = radius_um / h_um;
  const width = Math.ceil(2 * radius) + 3;
  const middle = (width - 1) / 2;
  const mask = Uint8Array.from({ length: width * width }, (_, at) =>
    Math.hypot((at % width) - middle, Math.floor(at / width) - middle) <= radius ? 1 : 0,
  );
  return {
    mask,
    width,
    height: width,
    h_um,
    drive: { kind: "undercooling", u: [[0, 1]] },
    until_s: 120,
    nuclei: 3,
    walls: { kind: "isotropic" },
    seed: 1,
    snapshots_s: [],
    ...given,
  };
}

function strip(length: number, cell_um: number, given: Given): OrderingSpec {
  return {
    ...disc(1),
    mask: new Uint8Array(3 * length).fill(1),
    width: length,
    height: 3,
    h_um: cell_um,
    nuclei: [{ at_um: [0, cell_um], variant: 2 }],
    disorderNuclei: [{ at_um: [0, cell_um] }],
    ...given,
  };
}

async function run(spec: OrderingSpec): Promise<OrderingResult & { readonly states: readonly OrderingState[] }> {
  const states: OrderingState[] = [];
  const going = simulateOrdering(spec);
  for (;;) {
    const step = await going.next();
    if (step.done) return { ...step.value, states };
    states.push(step.value);
  }
}

/** Signed angle to the nearest of three rows, -30 to 30. */
function offRow(angle_deg: number, row_deg: number): number {
  return ((((angle_deg - row_deg + 30) % 60) + 60) % 60) - 30;
}

test("a straight front is the travelling wave of its potential, at the velocity that was asked for, both ways", async () => {
  const delta_um = 0.15;
  const velocity = (
    arrival_s: Float32Array,
    length: number,
    cell_um: number,
    from_um: number,
    to_um: number,
  ): number => {
    const [from, to] = [Math.round(from_um / cell_um), Math.round(to_um / cell_um)];
    return ((to - from) * cell_um) / (arrival_s[length + to]! - arrival_s[length + from]!);
  };
  // Cells as large as the front is wide still bend its profile.
  for (const [cell_um, u, within, bent] of [
    [0.05, 1, 0.02, 0.02],
    [0.05, 0.5, 0.02, 0.02],
    [0.1, 1, 0.02, 0.06],
    [0.15, 1, 0.03, 0.1],
  ] as const) {
    const length = Math.round(5 / cell_um);
    const { transitions, states, kinetic_per_s } = await run(
      strip(length, cell_um, {
        drive: {
          kind: "undercooling",
          u: [
            [0, u],
            [90, u],
            [90, -u],
            [125, -u],
          ],
        },
        until_s: 125,
        nucleationAt: 0.4,
        snapshots_s: [30, 105],
      }),
    );
    // v = 3 L D delta, D = 0.13 at full drive, less what cells take of it.
    expect(3 * kinetic_per_s * 0.13 * delta_um).toBeCloseTo(0.075 / (1 - 0.1 * (cell_um / delta_um) ** 2), 12);
    const [ordering, disordering] = transitions;
    expect(Math.abs(velocity(ordering!.arrival_s, length, cell_um, 1.5, 3) / (0.075 * u) - 1)).toBeLessThan(within);
    expect(Math.abs(velocity(disordering!.arrival_s, length, cell_um, 0.6, 1.6) / (0.075 * u) - 1)).toBeLessThan(
      within,
    );
    for (const [at, sign] of [
      [0, 1],
      [1, -1],
    ] as const) {
      const [first, order, third] = states[at]!.order.map((field) => field.subarray(length, 2 * length));
      const half = order!.findIndex((y) => sign * (y - 0.5) < 0);
      const place = half - (order![half]! - 0.5) / (order![half]! - order![half - 1]!);
      order!.forEach((y, cell) => {
        const z = (cell - place) * cell_um;
        if (Math.abs(z) > 0.8) return;
        expect(Math.abs(y - 0.5 * (1 - sign * Math.tanh(z / delta_um)))).toBeLessThan(bent);
        expect(Math.abs(first![cell]!) + Math.abs(third![cell]!)).toBeLessThan(0.01);
      });
    }
  }
});

test("one nucleus makes one domain at 70 nm/s, and disorder comes back from two opposite sides that meet", async () => {
  const spec = disc(2.2, {
    nuclei: 1,
    drive: {
      kind: "undercooling",
      u: [
        [0, 1],
        [100, 1],
        [100, -1],
        [180, -1],
      ],
    },
    until_s: 180,
    snapshots_s: [99, 180],
  });
  const { transitions, states } = await run(spec);
  const [ordering, disordering] = transitions;
  expect(ordering!.kind).toBe("ordering");
  expect(ordering!.domains.count).toBe(1);
  expect(ordering!.domains.walls).toEqual([]);
  expect(ordering!.collision).toBe(false);
  expect(states.map(({ fraction }) => fraction)).toEqual([1, 0]);
  const velocities: number[] = [];
  const { width } = spec;
  for (let at = width; at < spec.mask.length - width; at++) {
    const T = ordering!.arrival_s;
    const slope_s_um = Math.hypot(T[at + 1]! - T[at - 1]!, T[at + width]! - T[at - width]!) / (2 * h_um);
    if (slope_s_um > 1) velocities.push(1 / slope_s_um);
  }
  velocities.sort((one, other) => one - other);
  expect(Math.abs(velocities[velocities.length >> 1]! - 0.07)).toBeLessThan(0.007);
  expect(disordering!.kind).toBe("disordering");
  expect(disordering!.collision).toBe(true);
  const [one, other] = disordering!.nuclei.map(({ at_um, fired_s, variant }) => {
    expect(fired_s).toBeGreaterThanOrEqual(100);
    expect(variant).toBe(0);
    return at_um;
  });
  expect(Math.hypot(one![0] - other![0], one![1] - other![1])).toBeGreaterThan(4);
});

test("three nuclei make three domains whose walls lie along the rows of the lattice, however it is turned", async () => {
  for (let seed = 1; seed <= 6; seed++) {
    const angle_deg = (seed * 41.3) % 60;
    const { transitions } = await run(disc(1.8, { seed, until_s: 90, walls: { kind: "lattice", angle_deg } }));
    const { count, walls } = transitions[0]!.domains;
    expect(count).toBe(3);
    expect(walls.length).toBe(3);
    expect(transitions[0]!.collision).toBe(false);
    for (const wall of walls) {
      expect(Math.abs(offRow(wall.angle_deg, angle_deg))).toBeLessThan(5);
      expect(wall.meeting_um).not.toBeNull();
    }
  }
});

test("the lattice turns walls that the fronts left 16 degrees off its rows; line tension alone does not", async () => {
  const nuclei = ([1, 2, 3] as const).map((variant) => ({ rim_deg: 120 * variant + 16, variant }));
  const off = async (walls: WallSpec): Promise<number[]> => {
    const { transitions } = await run(disc(2, { nuclei, walls }));
    return transitions[0]!.domains.walls.map(({ angle_deg }) => Math.abs(offRow(angle_deg, 0)));
  };
  for (const angle of await off({ kind: "lattice", angle_deg: 0 })) expect(angle).toBeLessThan(5);
  for (const angle of await off({ kind: "isotropic" })) expect(angle).toBeGreaterThan(8);
});

test("without the lattice walls meet at 120 degrees and point anywhere", async () => {
  const thirds: number[] = [];
  for (let seed = 100; seed < 124; seed++) {
    const { transitions } = await run(disc(1.8, { seed, until_s: 80, wallMobility_um2_s: 0.05 }));
    const { count, walls } = transitions[0]!.domains;
    expect(count).toBe(3);
    const angles = walls.map(({ meeting_deg }) => meeting_deg!).sort((one, other) => one - other);
    expect(angles.length).toBe(3);
    angles.forEach((angle, at) => {
      const gap = (angles[(at + 1) % 3]! - angle + 360) % 360;
      expect(Math.abs(gap - 120)).toBeLessThan(10);
    });
    thirds.push(...walls.map(({ angle_deg }) => angle_deg).slice(0, 1));
  }
  // Rayleigh's test, of directions modulo 120 and modulo 60: p = exp(-n R^2).
  for (const fold of [3, 6]) {
    const mean = (part: (angle: number) => number): number =>
      thirds.reduce((sum, angle) => sum + part((fold * angle * Math.PI) / 180), 0) / thirds.length;
    const R2 = mean(Math.cos) ** 2 + mean(Math.sin) ** 2;
    expect(Math.exp(-thirds.length * R2)).toBeGreaterThan(0.01);
  }
});

test("pinned walls stay where the fronts met, at any angles", async () => {
  const nuclei = [
    { rim_deg: 0, variant: 1 },
    { rim_deg: 80, variant: 2 },
    { rim_deg: 200, variant: 3 },
  ] as const;
  const { transitions } = await run(disc(2, { nuclei, walls: { kind: "pinned" } }));
  const angles = transitions[0]!.domains.walls.map(({ angle_deg }) => angle_deg).sort((one, other) => one - other);
  expect(angles.length).toBe(3);
  // Half way between the nuclei.
  [40, 140, 280].forEach((angle, at) => expect(Math.abs(angles[at]! - angle)).toBeLessThan(5));
});

test("drawn junctions of pinned walls have no three-fold order: their angles spread by tens of degrees", async () => {
  const gaps: number[] = [];
  for (let seed = 1; seed <= 12; seed++) {
    const { transitions } = await run(disc(1.8, { seed, until_s: 60, walls: { kind: "pinned" } }));
    const angles = transitions[0]!.domains.walls.map(({ angle_deg }) => angle_deg).sort((one, other) => one - other);
    expect(transitions[0]!.domains.count).toBe(3);
    if (angles.length === 3) gaps.push(...angles.map((angle, at) => (angles[(at + 1) % 3]! - angle + 360) % 360));
  }
  expect(gaps.length).toBeGreaterThan(24);
  const spread = Math.sqrt(gaps.reduce((sum, gap) => sum + (gap - 120) ** 2, 0) / gaps.length);
  expect(spread).toBeGreaterThan(15);
});

test("fronts of one variant join, and their meeting is told; those of two leave a wall", async () => {
  const pair = async (second: 1 | 2): Promise<OrderingResult> =>
    run(
      disc(1.5, {
        until_s: 60,
        nuclei: [
          { rim_deg: 0, variant: 1 },
          { rim_deg: 180, variant: second },
        ],
      }),
    );
  const joined = (await pair(1)).transitions[0]!;
  expect([joined.domains.count, joined.domains.walls.length, joined.collision]).toEqual([1, 0, true]);
  expect([...new Set(joined.origin)].sort()).toEqual([0, 1, 2]);
  const parted = (await pair(2)).transitions[0]!;
  expect([parted.domains.count, parted.domains.walls.length, parted.collision]).toEqual([2, 1, false]);
  const wall = parted.domains.walls[0]!;
  expect(wall.meeting_um).toBeNull();
  expect(Math.abs((wall.angle_deg % 180) - 90)).toBeLessThan(5);
  expect(wall.length_um).toBeGreaterThan(2.6);
});

test("lithium that moves through the window orders and disorders; each domain then has its own front", async () => {
  const { transitions, states } = await run(
    disc(1.8, {
      drive: {
        kind: "lithium",
        x: [
          [0, 0.56],
          [150, 0.5],
          [200, 0.5],
          [330, 0.56],
        ],
      },
      until_s: 330,
      walls: { kind: "lattice", angle_deg: 20 },
      snapshots_s: 30,
    }),
  );
  expect(transitions.map(({ kind }) => kind)).toEqual(["ordering", "disordering"]);
  // x = 0.52 is passed at 100 s and again at 243.3 s.
  expect(transitions[0]!.start_s).toBeCloseTo(100, 3);
  expect(transitions[1]!.start_s).toBeCloseTo(243.33, 1);
  expect(transitions[1]!.domains.count).toBe(3);
  const fired = transitions[1]!.nuclei.map(({ at_um, fired_s }) => {
    expect(fired_s).not.toBeNull();
    const { variant } = transitions[0]!.domains;
    return variant[Math.round(at_um[1] / h_um) * 39 + Math.round(at_um[0] / h_um)];
  });
  expect(fired.sort()).toEqual([1, 2, 3]);
  expect(states.map(({ t_s }) => t_s)).toEqual(Array.from({ length: 12 }, (_, at) => 30 * at));
  expect(states[3]!.fraction).toBe(0);
  expect(states[7]!.fraction).toBe(1);
  expect(states[11]!.fraction).toBe(0);
});

test("a run depends on its seed alone, and can be stopped", async () => {
  const spec = disc(1.2, { until_s: 40, walls: { kind: "lattice", angle_deg: 7 } });
  const [one, again, other] = [
    await run(spec),
    await run({ ...spec, snapshots_s: [] }),
    await run({ ...spec, seed: 2 }),
  ];
  expect(one.last.order).toEqual(again.last.order);
  expect(one.transitions).toEqual(again.transitions);
  expect(one.transitions[0]!.nuclei).not.toEqual(other.transitions[0]!.nuclei);
  const stop = new AbortController();
  const going = simulateOrdering({ ...spec, snapshots_s: 1, signal: stop.signal });
  await going.next();
  stop.abort(new Error("enough"));
  await expect(going.next()).rejects.toThrow("enough");
});

test("what cannot be is refused, with its name and value", async () => {
  const whole = disc(1);
  const cases: [string, Given][] = [
    ["mask", { mask: new Uint8Array(whole.mask.length) }],
    ["h_um", { h_um: 0.3 }],
    ["delta_um", { delta_um: NaN }],
    ["frontVelocity_um_s", { frontVelocity_um_s: -1 }],
    ["wallMobility_um2_s", { wallMobility_um2_s: -1 }],
    ["wallSettling_s", { wallSettling_s: 0 }],
    ["drive.u", { drive: { kind: "undercooling", u: [[0, 2]] } }],
    ["drive.u", { drive: { kind: "undercooling", u: [[0, NaN]] } }],
    ["drive.x", { drive: { kind: "lithium", x: [[0, 1.2]] } }],
    ["drive.window_x", { drive: { kind: "lithium", x: [[0, 0.5]], window_x: [0.6, 0.4] } }],
    ["until_s", { until_s: 0 }],
    ["nuclei", { nuclei: 0 }],
    ["nuclei", { nuclei: [] }],
    ["nuclei.0.at_um", { nuclei: [{ at_um: [50, 50] }] }],
    ["nuclei.0.rim_deg", { nuclei: [{ rim_deg: NaN }] }],
    ["nuclei.0.variant", { nuclei: [{ rim_deg: 0, variant: 4 as 3 }] }],
    ["disorderNuclei.0.delay_s", { disorderNuclei: [{ rim_deg: 0, delay_s: -1 }] }],
    ["nucleationAt", { nucleationAt: 2 }],
    ["walls.angle_deg", { walls: { kind: "lattice", angle_deg: NaN } }],
    ["walls.strength", { walls: { kind: "lattice", angle_deg: 0, strength: 2 } }],
    ["walls.kind", { walls: { kind: "square" } as never }],
    ["snapshots_s", { snapshots_s: [NaN] }],
    ["seed", { seed: 0.5 }],
  ];
  for (const [parameter, given] of cases) {
    const refused = await run({ ...whole, ...given }).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(ParameterError);
    expect((refused as ParameterError).parameter).toBe(parameter);
  }
});

test("senseless values in any field are refused, and none keeps the run from stopping", async () => {
  const quick = disc(0.4, {
    delta_um: 0.15,
    frontVelocity_um_s: 0.075,
    until_s: 12,
    nuclei: 2,
    disorderNuclei: [{ rim_deg: 0, delay_s: 0 }],
    nucleationAt: 0.9,
    walls: { kind: "lattice", angle_deg: 10, strength: 1 },
    wallMobility_um2_s: 0.01,
    wallSettling_s: 10,
    snapshots_s: 4,
  });
  const drives: OrderingSpec["drive"][] = [
    {
      kind: "undercooling",
      u: [
        [0, 0],
        [2, 1],
      ],
    },
    {
      kind: "lithium",
      x: [
        [0, 0.6],
        [2, 0.5],
      ],
      window_x: [0.48, 0.52],
    },
  ];
  for (const drive of drives) {
    const nuclei = drive.kind === "lithium" ? [{ at_um: [0.4, 0.4] as const, variant: 2 as const, delay_s: 0 }] : 2;
    const given = { ...quick, drive, nuclei };
    await refusesJunk([given], ([spoiled], signal) => drained(simulateOrdering(stoppedBy(spoiled, signal))));
  }
});
