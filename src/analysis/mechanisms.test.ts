import { describe, expect, test } from "vitest";
import { arrivalMap } from "../../test/arrival-maps.js";
import { random } from "../kernels/random.js";
import { classifyMechanism } from "./mechanisms.js";

const round = (x: number, y: number, places: readonly (readonly [number, number])[]): number =>
  Math.min(...places.map(([nx, ny]) => Math.hypot(x - nx, y - ny))) / 0.02;
/** Depth below the outline of an ellipse of 2.4 by 2, to first order in its flattening. */
const depth = (x: number, y: number): number => 2 * (1 - Math.hypot(x / 2.4, y / 2));

const cases: readonly {
  readonly name: string;
  readonly kind: string;
  readonly passing_s: (x: number, y: number) => number;
  readonly nuclei_um?: readonly (readonly [number, number])[];
}[] = [
  { name: "inward from the whole rim", kind: "core", passing_s: (x, y) => depth(x, y) / 0.02 },
  { name: "inward, earlier below", kind: "core", passing_s: (x, y) => depth(x, y) / 0.02 - 8 * y },
  { name: "straight across", kind: "wave", passing_s: (x, y) => (x + 0.5 * y) / 0.02 },
  {
    name: "from one place on the rim",
    kind: "wave",
    passing_s: (x, y) => round(x, y, [[-2.3, 0.3]]),
    nuclei_um: [[-2.3, 0.3]],
  },
  { name: "from the middle", kind: "wave", passing_s: (x, y) => round(x, y, [[0, 0]]), nuclei_um: [[0, 0]] },
  {
    name: "from two ends",
    kind: "hybrid",
    passing_s: (x, y) =>
      round(x, y, [
        [-2.4, 0],
        [2.4, 0],
      ]),
    nuclei_um: [
      [-2.4, 0],
      [2.4, 0],
    ],
  },
  {
    name: "from three places",
    kind: "hybrid",
    passing_s: (x, y) =>
      round(x, y, [
        [-2.3, 0.4],
        [1.3, 1.6],
        [1.3, -1.6],
      ]),
  },
  { name: "at one moment", kind: "uniform", passing_s: () => 100 },
  { name: "faster than can be seen", kind: "uniform", passing_s: (x) => x / 2 },
];

describe.each([0, 2])("with %d s of noise", (sd_s) => {
  test.each(cases)("$name: $kind", ({ kind, passing_s, nuclei_um }) => {
    const map = arrivalMap(passing_s, { sd_s, seed: random(kind.length + sd_s).integer(1e6) });
    const found = classifyMechanism(map);
    expect(found.kind).toBe(kind);
    expect(found.score).toBeGreaterThan(0.8);
    const middle_um = [((map.width - 1) / 2) * 0.08, ((map.height - 1) / 2) * 0.08] as const;
    for (const [x, y] of nuclei_um ?? []) {
      const nearest = Math.min(
        ...found.nuclei_um.map(([nx, ny]) => Math.hypot(nx - middle_um[0] - x, ny - middle_um[1] - y)),
      );
      expect(nearest).toBeLessThan(0.35);
    }
    if (nuclei_um !== undefined) expect(found.nuclei_um).toHaveLength(nuclei_um.length);
  });
});

test("nuclei stand in the image of frame 0", () => {
  const map = arrivalMap((x, y) => round(x, y, [[0, 0]]));
  const [here] = classifyMechanism(map).nuclei_um;
  const [there] = classifyMechanism({ ...map, origin_px: [100, 40] }).nuclei_um;
  expect(there![0] - here![0]).toBeCloseTo(8, 9);
  expect(there![1] - here![1]).toBeCloseTo(3.2, 9);
});

test("a rim that closes from several places about a place near it is a hybrid, not a core", () => {
  const found = classifyMechanism(
    arrivalMap(
      (x, y) => (4 - Math.hypot(x - 1.15, y - 0.8)) / 0.02 + 5 * (x * x + y * y) * Math.cos(4 * Math.atan2(y, x)),
    ),
  );
  expect(found.kind).toBe("hybrid");
  expect(Number(/(\d+) % of the rim/.exec(found.because)![1])).toBeGreaterThan(90);
});

test("a front that stopped halfway is undecided", () => {
  const found = classifyMechanism(arrivalMap((x) => (x > 0 ? Infinity : x / 0.02)));
  expect(found.kind).toBe("undecided");
  expect(found.because).toMatch(/only 5[01] %/);
});

test("a front near a threshold is undecided, or says how sure it is", () => {
  // Most of the rim at once, the rest of it late: between core and wave.
  const found = classifyMechanism(arrivalMap((x, y) => depth(x, y) / 0.02 + 60 * Math.max(0, x), { sd_s: 2, seed: 8 }));
  expect(found.kind === "undecided" || found.score < 1).toBe(true);
  const probabilities = Object.values(found.probabilities!);
  expect(probabilities.length).toBeGreaterThan(1);
  expect(probabilities.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 12);
});
