import { expect, test } from "vitest";
import { random } from "../kernels/random.js";
import { resampleWindow } from "../kernels/resample.js";
import { noiseKept, patternBetween, type Shifts } from "./camera-pattern.js";

const N = 160;
const EDGE = 20;

/** Mean of frames of one pattern, each laid on the scene. */
function laid(pattern: Float64Array, shifts: Shifts): Float64Array {
  const mean = new Float64Array(N * N);
  const moved = new Float32Array(N * N);
  for (const [x, y] of shifts) {
    resampleWindow(pattern.slice(), N, N, x, y, moved, 0, N, N);
    for (let at = 0; at < mean.length; at++) mean[at] = mean[at]! + moved[at]! / shifts.length;
  }
  return mean;
}

function inner(values: (at: number) => number): number[] {
  const found: number[] = [];
  for (let y = EDGE; y < N - EDGE; y++) for (let x = EDGE; x < N - EDGE; x++) found.push(values(y * N + x));
  return found;
}

const variance = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + (value * value) / values.length, 0);

test("a still pattern shows between two means of moved frames as stated, and noise keeps what is stated", () => {
  const draw = random(11);
  for (let turn = 0; turn < 6; turn++) {
    const pattern = Float64Array.from({ length: N * N }, () => draw.normal());
    const shiftsOf = (far: number): [number, number][] =>
      Array.from({ length: 1 + draw.integer(5) }, () => [far + draw.uniform(), far * draw.uniform()]);
    const [a, b] = [shiftsOf(0), shiftsOf(2 * draw.uniform())];
    const [early, late] = [laid(pattern, a), laid(pattern, b)];
    const found = variance(inner((at) => late[at]! - early[at]!));
    // 14,400 pixels: 1.2 % of the variance, and neighbours share some of it.
    expect(Math.abs(found - patternBetween(a, b))).toBeLessThan(0.05 * (variance(inner((at) => early[at]!)) + found));
    const alone = a.map((one) =>
      laid(
        Float64Array.from({ length: N * N }, () => draw.normal()),
        [one],
      ),
    );
    const mean = inner((at) => alone.reduce((sum, image) => sum + image[at]! / alone.length, 0));
    expect(variance(mean) / noiseKept(a)).toBeGreaterThan(0.95);
    expect(variance(mean) / noiseKept(a)).toBeLessThan(1.05);
  }
});

test("a scene that did not move shows nothing of it", () => {
  const place = [[0.3, -1.7]] as const;
  expect(patternBetween(place, place)).toBeCloseTo(0, 12);
});
