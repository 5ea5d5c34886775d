import * as fc from "fast-check";
import { expect, test } from "vitest";
import { refusesJunk } from "../../test/junk.js";
import { ParameterError } from "../model/errors.js";
import { outlineOf, placesInside, type Place } from "./outline.js";
import { prescribedFront, type FrontSpec } from "./prescribed-front.js";

const square: Place[] = [
  [0, 0],
  [6, 0],
  [6, 6],
  [0, 6],
];
const disc = outlineOf({ kind: "ellipse", centre_um: [5, 5], radii_um: [3, 3], angle_deg: 0 });

/** Any crystal of 2 to 12 um. */
const anyOutline = fc
  .record({
    seed: fc.nat(1e6),
    radius_um: fc.double({ min: 1, max: 6, noNaN: true }),
    corners: fc.integer({ min: 4, max: 9 }),
  })
  .map(({ seed, radius_um, corners }) => outlineOf({ kind: "crystal", centre_um: [7, 7], radius_um, corners, seed }));

const anyVelocity = fc.double({ min: 0.002, max: 0.2, noNaN: true });

const anyFront: fc.Arbitrary<FrontSpec> = fc.oneof(
  fc.record({
    kind: fc.constant("plane" as const),
    angle_deg: fc.double({ min: -360, max: 360, noNaN: true }),
    start_s: fc.double({ min: 0, max: 500, noNaN: true }),
    velocity_um_s: fc.tuple(anyVelocity, anyVelocity),
    stages: fc.constant([]),
  }),
  fc.record({
    kind: fc.constant("inward" as const),
    start_s: fc.double({ min: 0, max: 500, noNaN: true }),
    velocity_um_s: fc.tuple(anyVelocity, anyVelocity),
    stages: fc.constant([
      { until: 0.2, lasts_s: 50 },
      { until: 0.5, lasts_s: null },
      { until: 1, lasts_s: 200 },
    ]),
  }),
  fc.record({
    kind: fc.constant("radial" as const),
    nuclei: fc.array(
      fc.record({
        rim_deg: fc.double({ min: 0, max: 360, noNaN: true }),
        delay_s: fc.double({ min: 0, max: 60, noNaN: true }),
      }),
      { minLength: 1, maxLength: 3 },
    ),
    start_s: fc.double({ min: 0, max: 500, noNaN: true }),
    velocity_um_s: anyVelocity,
    stages: fc.constant([]),
  }),
);

test("a plane front comes at the distance along its way over its velocity", () => {
  for (const angle_deg of [0, 37, 90, 180, 300]) {
    const front = prescribedFront(square, { kind: "plane", angle_deg, start_s: 100, velocity_um_s: 0.02, stages: [] });
    const [nx, ny] = [Math.cos((angle_deg * Math.PI) / 180), Math.sin((angle_deg * Math.PI) / 180)];
    const first = Math.min(0, 6 * nx) + Math.min(0, 6 * ny);
    for (const [x, y] of placesInside(square, 200)) {
      expect(front.arrival_s(x, y)).toBeCloseTo(100 + (x * nx + y * ny - first) / 0.02, 8);
      expect(front.velocity_um_s(x, y)).toBeCloseTo(0.02, 12);
    }
  }
});

test("an inward front reaches the depth d of a disc after the integral of dd / v(d)", () => {
  const [edge, core] = [0.014, 0.037];
  const front = prescribedFront(disc, { kind: "inward", start_s: 50, velocity_um_s: [edge, core], stages: [] });
  for (const radius of [0.1, 0.5, 1, 2, 2.9]) {
    for (const angle of [0.1, 1, 2, 4]) {
      const depth = 3 - radius;
      const exact_s = 50 + (3 / (core - edge)) * Math.log(1 + ((core - edge) * depth) / (3 * edge));
      // The polygon lies up to 2 nm inside its circle.
      expect(
        Math.abs(front.arrival_s(5 + radius * Math.cos(angle), 5 + radius * Math.sin(angle)) - exact_s),
      ).toBeLessThan(0.003 / edge);
    }
  }
  expect(front.velocity_um_s(5, 5)).toBeCloseTo(core, 3);
  expect(front.velocity_um_s(7.999, 5)).toBeCloseTo(edge, 3);
});

test("of two nuclei the first to come wins, and their fronts meet in a hyperbola", () => {
  const front = prescribedFront(square, {
    kind: "radial",
    nuclei: [
      { at_um: [1, 3], delay_s: 0 },
      { at_um: [5, 3], delay_s: 30 },
    ],
    start_s: 10,
    velocity_um_s: 0.02,
    stages: [],
  });
  for (const [x, y] of placesInside(square, 300)) {
    const exact = 10 + Math.min(Math.hypot(x - 1, y - 3) / 0.02, 30 + Math.hypot(x - 5, y - 3) / 0.02);
    expect(front.arrival_s(x, y)).toBeCloseTo(exact, 8);
  }
  // On the line between them the second is 30 s * 0.02 um/s late: the meeting is 0.3 um beyond the middle.
  expect(front.passing(3.29, 3).nucleus).toBe(0);
  expect(front.passing(3.31, 3).nucleus).toBe(1);
});

test("a nucleus on the rim lies on the outline at its angle from the centre", () => {
  const front = prescribedFront(square, {
    kind: "radial",
    nuclei: [
      { rim_deg: 45, delay_s: 0 },
      { rim_deg: 180, delay_s: 0 },
    ],
    start_s: 0,
    velocity_um_s: 0.02,
    stages: [],
  });
  expect(front.nuclei_um[0]![0]).toBeCloseTo(6, 9);
  expect(front.nuclei_um[0]![1]).toBeCloseTo(6, 9);
  expect(front.nuclei_um[1]![0]).toBeCloseTo(0, 9);
  expect(front.nuclei_um[1]![1]).toBeCloseTo(3, 9);
});

test("nothing arrives outside the outline", () => {
  const front = prescribedFront(square, { kind: "inward", start_s: 0, velocity_um_s: 0.02, stages: [] });
  expect(front.arrival_s(-0.01, 3)).toBeNaN();
  expect(front.arrival_s(3, 6.01)).toBeNaN();
  expect(front.arrival_s(0.01, 3)).toBeCloseTo(0.5, 9);
});

test("stages take their share of the area in their time: a burst of 10 %, a lag of three minutes", () => {
  const front = prescribedFront(disc, {
    kind: "inward",
    start_s: 180,
    velocity_um_s: [0.014, 0.037],
    stages: [
      { until: 0.1, lasts_s: 78 },
      { until: 0.14, lasts_s: 180 },
      { until: 1, lasts_s: null },
    ],
  });
  const arrivals = placesInside(disc, 8000).map(([x, y]) => front.arrival_s(x, y));
  const share = (t: number): number => arrivals.filter((arrival) => arrival <= t).length / arrivals.length;
  expect(share(179.9)).toBe(0);
  expect(share(258)).toBeCloseTo(0.1, 2);
  expect(share(438)).toBeCloseTo(0.14, 2);
  // After the lag the front goes at its own velocity again, and slowly in it.
  expect(front.velocity_um_s(5, 5)).toBeCloseTo(0.037, 3);
  expect(front.velocity_um_s(5 + 3 - 0.18, 5)).toBeLessThan(0.004);
});

test("whatever the outline, the way and the speed: velocity is one over the slope of arrival", () => {
  fc.assert(
    fc.property(anyOutline, anyFront, (outline, spec) => {
      const front = prescribedFront(outline, spec);
      const e = 1e-5;
      let tried = 0;
      for (const [x, y] of placesInside(outline, 60)) {
        const around = [
          [x + e, y],
          [x - e, y],
          [x, y + e],
          [x, y - e],
        ].map(([px, py]) => front.passing(px!, py!));
        // A slope has no meaning where fronts meet or where the pace changes.
        const stretch = around.map(({ phase_s }) => front.time_s(phase_s + 1e-7) - front.time_s(phase_s));
        const smooth = around.every(
          (one, at) =>
            one.nx * around[0]!.nx + one.ny * around[0]!.ny > 0.99 && Math.abs(stretch[at]! / stretch[0]! - 1) < 0.01,
        );
        if (!smooth) continue;
        tried++;
        const times = around.map(({ phase_s }) => front.time_s(phase_s));
        const slope = Math.hypot(times[0]! - times[1]!, times[2]! - times[3]!) / (2 * e);
        expect(front.velocity_um_s(x, y) * slope).toBeCloseTo(1, 3);
      }
      expect(tried).toBeGreaterThan(5);
    }),
    { numRuns: 30 },
  );
});

test("the front's clock runs through a stretch of time in pieces that add up to it", () => {
  fc.assert(
    fc.property(
      anyOutline,
      anyFront,
      fc.double({ min: -50, max: 900, noNaN: true }),
      fc.double({ min: 0, max: 300, noNaN: true }),
      (outline, spec, from_s, lasts_s) => {
        const front = prescribedFront(outline, spec);
        const pieces = front.phases(from_s, from_s + lasts_s);
        expect(pieces.reduce((sum, { weight }) => sum + weight, 0)).toBeCloseTo(1, 9);
        expect(front.time_s(pieces[0]!.from_s)).toBeCloseTo(from_s, 6);
        expect(front.time_s(pieces[pieces.length - 1]!.to_s)).toBeCloseTo(from_s + lasts_s, 6);
        for (let at = 1; at < pieces.length; at++) expect(pieces[at]!.from_s).toBeCloseTo(pieces[at - 1]!.to_s, 9);
      },
    ),
    { numRuns: 20 },
  );
});

test("a velocity that is not positive, no nucleus, stages that do not end at 1 are refused", () => {
  const plane = { kind: "plane", angle_deg: 0, start_s: 0, velocity_um_s: 0.02, stages: [] } as const;
  const wrong: FrontSpec[] = [
    { ...plane, velocity_um_s: 0 },
    { ...plane, velocity_um_s: [0.02, -0.01] },
    { ...plane, velocity_um_s: NaN },
    { kind: "radial", nuclei: [], start_s: 0, velocity_um_s: 0.02, stages: [] },
    { ...plane, stages: [{ until: 0.5, lasts_s: 10 }] },
    {
      ...plane,
      stages: [
        { until: 0.5, lasts_s: 10 },
        { until: 0.4, lasts_s: 10 },
        { until: 1, lasts_s: null },
      ],
    },
    { ...plane, stages: [{ until: 1, lasts_s: -5 }] },
  ];
  for (const spec of wrong) expect(() => prescribedFront(square, spec), JSON.stringify(spec)).toThrow(ParameterError);
});

test("senseless values in any field of an outline or a front are refused", async () => {
  const fronts: FrontSpec[] = [
    { kind: "plane", angle_deg: 10, start_s: 1, velocity_um_s: 0.02, stages: [] },
    {
      kind: "radial",
      start_s: 1,
      velocity_um_s: [0.02, 0.03],
      stages: [
        { until: 0.5, lasts_s: 10 },
        { until: 1, lasts_s: null },
      ],
      nuclei: [
        { at_um: [1, 1], delay_s: 0 },
        { rim_deg: 20, delay_s: 1 },
      ],
    },
  ];
  for (const front of fronts) {
    await refusesJunk([square, front, "front"] as const, (given) => {
      const made = prescribedFront(...given);
      made.arrival_s(3, 3);
      made.phases(0, 1);
    });
  }
});
