import { expect, test } from "vitest";
import type { FrontSpec } from "./prescribed-front.js";
import { scenarios } from "./scenarios.js";
import type { Scenario } from "./scenario.js";
import { truthOf } from "./truth.js";
import { twin } from "./twin.js";

const base = scenarios["plane"]!;
const disc = { kind: "ellipse", centre_um: [5, 5], radii_um: [3, 3], angle_deg: 0 } as const;
const factor = (0.2 * 273.8) / 155;

function withFront(front: FrontSpec, outline: Scenario["particles"][number]["outline"] = disc): Scenario {
  return {
    ...base,
    movie: { ...base.movie, width: 128, height: 128, frames: 4 },
    particles: [
      {
        ...base.particles[0]!,
        outline,
        changes: [
          {
            kind: "front",
            transition: "biphasic",
            direction: "delithiation",
            front,
            to: 1.15,
            line: { height: 0, width_um: 0.1 },
          },
        ],
      },
    ],
  };
}

const square = {
  kind: "polygon",
  points_um: [
    [2, 2],
    [8, 2],
    [8, 8],
    [2, 8],
  ],
  corner_um: 0,
} as const;

test("a plane front over a square turns it evenly in time: fraction, duration and C-rate follow by hand", () => {
  const truth = truthOf(
    twin(withFront({ kind: "plane", angle_deg: 0, start_s: 100, velocity_um_s: 0.02, stages: [] }, square)),
  );
  const { start_s, end_s } = truth.transitions[0]!;
  expect(start_s).toBeCloseTo(100, 6);
  expect(end_s).toBeCloseTo(400, 6);
  const kinetics = truth.kinetics[0]!;
  expect(kinetics.velocity_um_s).toBeCloseTo(0.02, 12);
  expect(kinetics.velocity_range_um_s![1]).toBeCloseTo(0.02, 12);
  expect(Math.abs(kinetics.t50_s - 250)).toBeLessThan(0.1);
  expect(Math.abs(kinetics.duration_s - 270)).toBeLessThan(0.2);
  expect(kinetics.c_rate_mean! / ((factor * 3600) / 300)).toBeCloseTo(1, 2);
  expect(kinetics.c_rate_max! / ((factor * 3600) / 300)).toBeCloseTo(1, 2);
});

test("an even inward front in a disc: half is turned at R (1 - sqrt(1/2)), the edge is fastest in area", () => {
  const v = 0.02;
  const truth = truthOf(twin(withFront({ kind: "inward", start_s: 50, velocity_um_s: v, stages: [] })));
  const kinetics = truth.kinetics[0]!;
  const at = (share: number): number => 50 + (3 * (1 - Math.sqrt(1 - share))) / v;
  expect(Math.abs(kinetics.t50_s - at(0.5))).toBeLessThan(0.2);
  expect(Math.abs(kinetics.duration_s - (at(0.95) - at(0.05)))).toBeLessThan(0.3);
  // The first 20 s turn a ring of 0.4 um.
  const ring = 1 - (2.6 / 3) ** 2;
  expect(kinetics.c_rate_max! / ((factor * 3600 * ring) / 20)).toBeCloseTo(1, 2);
  expect(truth.transitions[0]!.end_s).toBeCloseTo(200, -1);
  expect(truth.mechanisms[0]).toMatchObject({ kind: "core", nuclei_um: [] });
});

test("the map holds the exact arrival at each pixel's centre, NaN outside", () => {
  const made = twin(withFront({ kind: "plane", angle_deg: 0, start_s: 100, velocity_um_s: 0.02, stages: [] }, square));
  const map = truthOf(made).maps[0]!;
  expect(map.arrival_s).toHaveLength(map.width * map.height);
  let inside = 0;
  for (const [at, arrival] of map.arrival_s.entries()) {
    const x = (map.origin_px[0] + (at % map.width)) * 0.08;
    const y = (map.origin_px[1] + Math.floor(at / map.width)) * 0.08;
    if (x > 2 && x < 8 && y > 2 && y < 8) {
      inside++;
      expect(arrival).toBeCloseTo(100 + (x - 2) / 0.02, 3);
    } else if (x < 1.99 || x > 8.01 || y < 1.99 || y > 8.01) expect(arrival).toBeNaN();
  }
  // 74 pixel centres lie within 6 um along each axis.
  expect(inside).toBe(74 * 74);
});

test("velocity leaves out rim, nuclei and the line where fronts meet", () => {
  // Two fronts of 20 nm/s meet in the middle; across their meeting a slope of arrival would have no meaning.
  const front: FrontSpec = {
    kind: "radial",
    nuclei: [
      { rim_deg: 0, delay_s: 0 },
      { rim_deg: 180, delay_s: 0 },
    ],
    start_s: 10,
    velocity_um_s: [0.01, 0.03],
    stages: [],
  };
  const truth = truthOf(twin(withFront(front)));
  const { velocity_um_s, velocity_mean_um_s, velocity_range_um_s } = truth.kinetics[0]!;
  expect(truth.mechanisms[0]!.kind).toBe("hybrid");
  expect(truth.mechanisms[0]!.nuclei_um[0]![0]).toBeCloseTo(8, 2);
  expect(truth.transitions[0]!.start_s).toBeCloseTo(10, 6);
  for (const velocity of [velocity_um_s!, velocity_mean_um_s!, ...velocity_range_um_s!]) {
    expect(velocity).toBeGreaterThan(0.01);
    expect(velocity).toBeLessThan(0.03);
  }
  expect(velocity_range_um_s![0]).toBeLessThan(velocity_um_s!);
  expect(velocity_um_s!).toBeLessThan(velocity_range_um_s![1]);
});

test("a crystal without a front is a mechanism `none` and nothing else", () => {
  const truth = truthOf(twin(scenarios["inert"]!));
  expect(truth.mechanisms).toEqual([{ particle: 0, transition: null, kind: "none", nuclei_um: [] }]);
  expect([truth.transitions, truth.kinetics, truth.maps]).toEqual([[], [], []]);
  expect(truth.particles[0]!.area_um2).toBeCloseTo(Math.PI * 4.8 * 3.4, 1);
  expect(truth.particles[0]!.centre_px[0]).toBeCloseTo(7.64 / 0.08, 6);
});

test("the paper's cycle: core on charge, wave on discharge, levels that come back", () => {
  const truth = truthOf(twin(scenarios["paper-cycle"]!));
  expect(truth.mechanisms.map(({ kind }) => kind)).toEqual(["core", "wave"]);
  expect(truth.transitions.map(({ direction }) => direction)).toEqual(["delithiation", "lithiation"]);
  expect(truth.transitions[0]!.step + truth.transitions[1]!.step).toBeCloseTo(0, 9);
  // As in Fig. 3: near 10C at its end on charge, 2C to 6C on discharge, 20 nm/s and up to 37.
  expect(truth.kinetics[0]!.c_rate_max).toBeGreaterThan(7);
  expect(truth.kinetics[0]!.c_rate_max).toBeLessThan(12);
  expect(truth.kinetics[1]!.c_rate_max).toBeLessThan(7);
  expect(truth.kinetics[0]!.velocity_um_s).toBeGreaterThan(0.015);
  expect(truth.kinetics[0]!.velocity_range_um_s![1]).toBeLessThan(0.037);
});
