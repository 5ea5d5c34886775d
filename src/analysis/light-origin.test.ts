import { expect, test } from "vitest";
import { random } from "../kernels/random.js";
import { alongDirection, lightOrigin } from "./light-origin.js";

const size = { width: 31, height: 27 };
const all = Array.from({ length: size.width * size.height }, (_, at) => at);

test("deep inside, light comes evenly from all around with the variance of lens and blur together", () => {
  const mask = new Uint8Array(all.length).fill(1);
  const weight = new Float64Array(all.length).fill(1);
  const middle = Int32Array.of(13 * size.width + 15);
  const origin = lightOrigin(mask, weight, middle, size, { psf_px: 1.5, blur_px: 1.1 });
  expect(Math.hypot(origin.x_px[0]!, origin.y_px[0]!)).toBeLessThan(1e-6);
  for (const angle of [0, 0.7, 2]) {
    const { spread_px, skewness } = alongDirection(origin, 0, Math.cos(angle), Math.sin(angle));
    expect(spread_px).toBeCloseTo(Math.hypot(1.5, 1.1), 2);
    expect(Math.abs(skewness)).toBeLessThan(1e-6);
  }
});

test("moments are those of the light summed one place at a time, in any mask with any weights", () => {
  const { uniform } = random(11);
  const mask = Uint8Array.from(all, (at) => {
    const [x, y] = [at % size.width, Math.floor(at / size.width)];
    return Math.hypot(x - 15, y - 13) < 9 && !(x > 16 && y > 15) ? 1 : 0;
  });
  const weight = Float64Array.from(mask, (one) => (one === 0 ? 0 : 0.3 + 0.7 * uniform()));
  const [psf_px, blur_px] = [1.2, 0.9];
  const inside = all.filter((at) => mask[at] === 1);
  const pixels = Int32Array.from([0, 7, 40, 90, 150].map((k) => inside[k]!));
  const origin = lightOrigin(mask, weight, pixels, size, { psf_px, blur_px });
  const gauss = (dx: number, dy: number, sigma: number): number => Math.exp((-0.5 * (dx * dx + dy * dy)) / sigma ** 2);
  const at2 = (at: number): readonly [number, number] => [at % size.width, Math.floor(at / size.width)];
  for (const [k, p] of pixels.entries()) {
    const [px, py] = at2(p);
    // Light of each place: over pixels q of the blur, what the lens mixes into q, each q's light summing to 1.
    const light = new Map<number, number>();
    for (const q of inside) {
      const [qx, qy] = at2(q);
      const share = weight[q]! * gauss(qx - px, qy - py, blur_px);
      if (share < 1e-9) continue;
      const seen = inside.map((from) => gauss(at2(from)[0] - qx, at2(from)[1] - qy, psf_px));
      const total = seen.reduce((sum, one) => sum + one, 0);
      for (const [j, from] of inside.entries()) light.set(from, (light.get(from) ?? 0) + (share * seen[j]!) / total);
    }
    const sum = [...light.values()].reduce((all_, one) => all_ + one, 0);
    const mean = (of: (x: number, y: number) => number): number =>
      [...light].reduce((all_, [from, one]) => all_ + (one / sum) * of(at2(from)[0] - px, at2(from)[1] - py), 0);
    const [mx, my] = [mean((x) => x), mean((_, y) => y)];
    expect(origin.x_px[k]!).toBeCloseTo(mx, 2);
    expect(origin.y_px[k]!).toBeCloseTo(my, 2);
    expect(origin.xx_px2[k]!).toBeCloseTo(
      mean((x) => (x - mx) ** 2),
      2,
    );
    expect(origin.xy_px2[k]!).toBeCloseTo(
      mean((x, y) => (x - mx) * (y - my)),
      2,
    );
    expect(origin.xxy_px3[k]!).toBeCloseTo(
      mean((x, y) => (x - mx) ** 2 * (y - my)),
      1,
    );
    expect(origin.yyy_px3[k]!).toBeCloseTo(
      mean((_, y) => (y - my) ** 3),
      1,
    );
  }
});
