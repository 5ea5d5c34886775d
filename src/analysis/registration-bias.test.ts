import { assert, double, integer, property } from "fast-check";
import { expect, test } from "vitest";
import { random } from "../kernels/random.js";
import { sampleSpline, splineCoefficients } from "../kernels/resample.js";
import { prepareTexture, type Texture } from "../kernels/texture-shift.js";
import { interpolationError, patternError } from "./registration-bias.js";

const N = 128;
const REFERENCE = 20;

/** Bumps of a Gaussian on even ground, exact at any shift. */
function scene(seed: number, sigma: number): (dx: number, dy: number) => Float64Array {
  const draw = random(seed);
  const bumps = Array.from({ length: 1500 }, () => [
    draw.uniform() * (N + 20) - 10,
    draw.uniform() * (N + 20) - 10,
    draw.uniform(),
  ]);
  const reach = Math.ceil(7 * sigma);
  return (dx, dy) => {
    const image = new Float64Array(N * N).fill(10);
    for (const [x0, y0, a] of bumps) {
      const [cx, cy] = [x0! + dx, y0! + dy];
      for (let y = Math.max(0, Math.ceil(cy - reach)); y <= Math.min(N - 1, cy + reach); y++) {
        for (let x = Math.max(0, Math.ceil(cx - reach)); x <= Math.min(N - 1, cx + reach); x++)
          image[y * N + x]! += a! * Math.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (2 * sigma * sigma));
      }
    }
    return image;
  };
}

const inner = Float64Array.from({ length: N * N }, (_, at) => {
  const [x, y] = [at % N, Math.floor(at / N)];
  return Math.min(x, y, N - 1 - x, N - 1 - y) >= REFERENCE ? 1 : 0;
});

function textureOf(image: Float64Array, sigma: number): Texture {
  return prepareTexture(image, N, N, inner, new Uint8Array(N * N), { sharp_px: sigma, slow_px: 8 });
}

/** The step that a small change of the image makes the fit take, from its normal equations. */
function pulledBy(texture: Texture, change: (at: number) => number): [number, number] {
  let [x, y, xx, xy, yx, yy] = [0, 0, 0, 0, 0, 0];
  texture.pixels.forEach((at, k) => {
    const r = change(at);
    x += texture.pullX[k]! * r;
    y += texture.pullY[k]! * r;
    xx += texture.pullX[k]! * texture.gradientX[k]!;
    xy += texture.pullX[k]! * texture.gradientY[k]!;
    yx += texture.pullY[k]! * texture.gradientX[k]!;
    yy += texture.pullY[k]! * texture.gradientY[k]!;
  });
  const determinant = xx * yy - xy * yx;
  return [-(yy * x - xy * y) / determinant, -(xx * y - yx * x) / determinant];
}

test("what cubic splines leave in a shift is the stated wave", () => {
  assert(
    property(integer({ min: 1, max: 1e6 }), double({ min: 1.1, max: 2, noNaN: true }), (seed, sigma) => {
      const at = scene(seed, sigma);
      const texture = textureOf(at(0, 0), sigma);
      const [waveX, waveY] = interpolationError(texture);
      const back = at(0, 0);
      const left = ([dx, dy]: readonly [number, number]): [number, number] => {
        const frame = at(dx, dy);
        splineCoefficients(frame, N, N);
        const moved = new Float64Array(N * N);
        sampleSpline(frame, N, N, dx, dy, moved, 0, N, N);
        return pulledBy(texture, (pixel) => (moved[pixel]! - back[pixel]!) / texture.slow[pixel]!);
      };
      // The wave alone is odd about half a pixel; what the samples lose there is even.
      const alongX = (left([0.25, 0])[0] - left([0.75, 0])[0]) / 2;
      const alongY = (left([0, 0.25])[1] - left([0, 0.75])[1]) / 2;
      for (const [found, stated] of [
        [alongX, waveX],
        [alongY, waveY],
      ] as const) {
        expect(Math.abs(found - stated)).toBeLessThan(0.2 * stated + 4e-5);
      }
    }),
    { numRuns: 6 },
  );
});

test("the pull of a pattern that stands still is the stated one, mean over patterns", () => {
  const sigma = 1.4;
  const at = scene(5, sigma);
  const pattern = 0.02;
  const shifts = [
    [0, 0],
    [0.4, 0.2],
  ] as const;
  const draw = random(7);
  let [sumX, sumY, squares] = [0, 0, 0];
  const PATTERNS = 60;
  const [dx, dy] = [1.3, 0.6];
  let stated: readonly [number, number] = [NaN, NaN];
  for (let one = 0; one < PATTERNS; one++) {
    const gains = Float64Array.from({ length: N * N }, () => 1 + pattern * draw.normal());
    // Laid still exactly, but for the pattern, which moves against the scene.
    const laid = ([x, y]: readonly [number, number]): Float64Array => {
      const moved = new Float64Array(N * N);
      const coefficients = gains.slice();
      splineCoefficients(coefficients, N, N);
      sampleSpline(coefficients, N, N, x, y, moved, 0, N, N);
      return at(0, 0).map((value, pixel) => value * moved[pixel]!);
    };
    const [first, second] = shifts.map(laid);
    const texture = textureOf(
      first!.map((value, pixel) => (value + second![pixel]!) / 2),
      sigma,
    );
    const frame = laid([dx, dy]);
    const [x, y] = pulledBy(
      texture,
      (pixel) => frame[pixel]! / texture.slow[pixel]! - texture.light[pixel]! / texture.slow[pixel]!,
    );
    sumX += x / PATTERNS;
    sumY += y / PATTERNS;
    squares += (x * x + y * y) / PATTERNS;
    const [perVarianceX, perVarianceY] = patternError(texture, inner, shifts, sigma)(dx, dy);
    stated = [pattern ** 2 * perVarianceX, pattern ** 2 * perVarianceY];
  }
  const error = Math.sqrt(Math.max(0, squares - sumX * sumX - sumY * sumY) / PATTERNS / 2);
  expect(Math.hypot(...stated)).toBeGreaterThan(4 * error);
  expect(Math.abs(sumX - stated[0])).toBeLessThan(3 * error + 0.15 * Math.abs(stated[0]));
  expect(Math.abs(sumY - stated[1])).toBeLessThan(3 * error + 0.15 * Math.abs(stated[1]));
});
