import { expect, test } from "vitest";
import { discFitsPlain, discMoments, discOf, MOMENTS } from "./disc.js";
import { random } from "./random.js";

test("sums over a folded disc are those over all its places", () => {
  const draw = random(4);
  for (const radius_px of [1, 1.5, 2.2, 4.7, 7.1]) {
    const disc = discOf(radius_px);
    const stride = 2 * disc.reach + 1;
    const values = Float64Array.from({ length: stride * stride + 1 }, () => draw.normal());
    const middle = disc.reach * stride + disc.reach;
    const powers: readonly (readonly [number, number])[] = [
      [0, 0],
      [2, 0],
      [0, 2],
      [1, 0],
      [0, 1],
      [1, 1],
      [4, 0],
      [2, 2],
      [0, 4],
      [3, 0],
      [1, 2],
      [0, 3],
      [2, 1],
      [3, 1],
      [1, 3],
    ];
    const wanted = new Float64Array(MOMENTS);
    for (let y = -disc.reach; y <= disc.reach; y++) {
      for (let x = -disc.reach; x <= disc.reach; x++) {
        const [u, v] = [x / radius_px, y / radius_px];
        const kernel = Math.max(0, 1 - u * u - v * v) ** 2;
        const value = values[middle + y * stride + x]!;
        for (const [k, [i, j]] of powers.entries()) wanted[k]! += kernel * value * u ** i * v ** j;
        wanted[15]! += (kernel * value) ** 2;
      }
    }
    const found = new Float64Array(MOMENTS);
    discMoments(disc, { values, stride }, middle, found);
    for (let k = 0; k < MOMENTS; k++) expect(found[k]!).toBeCloseTo(wanted[k]!, 10);
    const fits = discFitsPlain(
      disc,
      { values, stride },
      Int32Array.of(middle),
      Float64Array.from({ length: 18 }, (_, at) => 1 + at),
    );
    const [s00, s20, s02, s10, s01, s11] = [...found] as [number, number, number, number, number, number];
    const sum = (first: number): number =>
      [s00, s10, s01, s20, s11, s02].reduce((total, one, k) => total + (first + k) * one, 0);
    expect(fits.value[0]!).toBeCloseTo(sum(1), 10);
    expect(fits.x[0]!).toBeCloseTo(sum(7), 10);
    expect(fits.y[0]!).toBeCloseTo(sum(13), 10);
  }
});
