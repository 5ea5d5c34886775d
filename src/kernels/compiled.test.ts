import { assert, integer, property } from "fast-check";
import { expect, test } from "vitest";
import "../../test/seed.js";
import { compiledKernels, newArena } from "./compiled.js";
import { discFits, discFitsPlain, discOf } from "./disc.js";
import * as correlation from "./correlation-sums.js";
import { nextFastSize } from "./fft.js";
import { convolve, convolvePlain, gaussianBlur, gaussianBlurPlain } from "./filter.js";
import { random } from "./random.js";
import { halfSpectrum, realFft2, realFft2Inverse, realFft2InversePlain, realFft2Plain } from "./real-fft.js";
import { sampleSpline, sampleSplinePlain, splineCoefficients, splineCoefficientsPlain } from "./resample.js";
import { sampledBlur, sampledBlurPlain } from "./sampled-blur.js";
import { slowRatio, slowRatioPlain } from "./slow-ratio.js";
import { explain, explainPlain, setTemplate, templateBlock } from "./templates.js";
import * as sums from "./texture-sums.js";
import * as frame from "./window.js";

const side = integer({ min: 1, max: 70 });
const seed = integer({ min: 1, max: 1e6 });

/** Equal but for single precision, against the greatest of what is wanted; NaN where that is NaN. */
function expectAlike(ours: ArrayLike<number>, wanted: ArrayLike<number>, within = 2e-6): void {
  let greatest = 1e-30;
  for (let at = 0; at < wanted.length; at++) {
    if (Number.isFinite(wanted[at]!)) greatest = Math.max(greatest, Math.abs(wanted[at]!));
  }
  expect(ours.length).toBe(wanted.length);
  for (let at = 0; at < wanted.length; at++) {
    const alike = Number.isNaN(wanted[at]!)
      ? Number.isNaN(ours[at]!)
      : Math.abs(ours[at]! - wanted[at]!) <= within * greatest;
    if (!alike) expect.fail(`at ${at}: ${ours[at]} for ${wanted[at]}`);
  }
}

function normals(n: number, draw: ReturnType<typeof random>, mean = 0): Float32Array {
  return Float32Array.from({ length: n }, () => mean + draw.normal());
}

/** A few values are not numbers, as where a frame ends. */
function withGaps(values: Float32Array, draw: ReturnType<typeof random>): Float32Array {
  return values.map((value) => (draw.uniform() < 0.03 ? NaN : value));
}

test("the compiled kernels run here", () => {
  expect(compiledKernels()).not.toBeNull();
});

test("a compiled convolution is that of TypeScript to the last bit, whatever the size and the reach", () => {
  assert(
    property(
      integer({ min: 1, max: 70 }),
      integer({ min: 1, max: 70 }),
      integer({ min: 0, max: 90 }),
      integer({ min: 1, max: 1e6 }),
      (width, height, reach, seed) => {
        const draw = random(seed);
        const image = Float64Array.from({ length: width * height }, () => draw.normal());
        const half = Float64Array.from({ length: reach + 1 }, () => draw.normal());
        const [ours, plain] = [image.slice(), image.slice()];
        convolve(ours, width, height, half);
        convolvePlain(plain, width, height, half);
        expect(ours).toEqual(plain);
      },
    ),
  );
});

test("memory grows with the image and is used again", () => {
  const [width, height] = [1500, 900];
  const image = new Float64Array(width * height).fill(1);
  const half = Float64Array.from([0.5, 0.25]);
  convolve(image, width, height, half);
  expect(image[width * 450 + 700]).toBe(1);
  expect(image[0]).toBe(0.75 * 0.75);
  const small = Float64Array.from([1, 2, 3]);
  convolve(small, 3, 1, Float64Array.from([1, 0]));
  expect(small).toEqual(Float64Array.from([1, 2, 3]));
});

test("compiled spline coefficients are those of TypeScript", () => {
  assert(
    property(side, side, seed, (width, height, start) => {
      const image = normals(width * height, random(start), 5);
      const [ours, plain] = [image.slice(), Float64Array.from(image)];
      splineCoefficients(ours, width, height);
      splineCoefficientsPlain(plain, width, height);
      expectAlike(ours, plain);
    }),
  );
});

test("compiled values between pixels are those of TypeScript, NaN where those are", () => {
  assert(
    property(side, side, side, side, seed, (width, height, windowWidth, windowHeight, start) => {
      const draw = random(start);
      const coefficients = normals(width * height, draw, 5);
      const [x0, y0] = [(draw.uniform() - 0.5) * 1.5 * width, (draw.uniform() - 0.5) * 1.5 * height];
      const ours = new Float32Array(windowWidth * windowHeight + 3).fill(-1);
      const plain = Float64Array.from(ours);
      sampleSpline(coefficients, width, height, x0, y0, ours, 2, windowWidth, windowHeight);
      sampleSplinePlain(coefficients, width, height, x0, y0, plain, 2, windowWidth, windowHeight);
      expectAlike(ours, plain);
    }),
  );
});

test("a compiled slow ratio is that of TypeScript", () => {
  assert(
    property(side, side, integer({ min: 1, max: 30 }), seed, (width, height, sigma_px, start) => {
      const draw = random(start);
      const a = withGaps(normals(width * height, draw, 50), draw);
      const b = normals(width * height, draw, 1).map((value) => (value > 0.5 ? value : 0));
      const [ours, plain] = [new Float32Array(a.length), new Float64Array(a.length)];
      slowRatio(a, b, width, height, sigma_px, ours);
      slowRatioPlain(a, b, width, height, sigma_px, plain);
      expectAlike(ours, plain, 1e-5);
    }),
  );
});

test("a compiled transform is that of TypeScript, and its inverse undoes it", () => {
  assert(
    property(side, side, seed, (across, down, start) => {
      const [width, height] = [nextFastSize(across), nextFastSize(down)];
      const image = normals(width * height, random(start));
      const n = halfSpectrum(width) * height;
      const [re, im, plainRe, plainIm] = Array.from({ length: 4 }, () => new Float32Array(n));
      realFft2(image, re!, im!, width, height);
      realFft2Plain(image, plainRe!, plainIm!, width, height);
      expectAlike([...re!, ...im!], [...plainRe!, ...plainIm!]);
      const [back, plainBack] = [new Float32Array(image.length), new Float32Array(image.length)];
      realFft2Inverse(re!, im!, back, width, height);
      realFft2InversePlain(plainRe!, plainIm!, plainBack, width, height);
      expectAlike(back, image);
      expectAlike(plainBack, image);
    }),
  );
});

test("compiled sums of a correlation are those of TypeScript", () => {
  assert(
    property(side, side, seed, (width, height, start) => {
      const draw = random(start);
      const n = halfSpectrum(width) * height;
      const reference = { re: normals(n, draw), im: normals(n, draw) };
      const [re, im] = [normals(n, draw), normals(n, draw)];
      const ours = [re.slice(), im.slice(), new Float32Array(n), new Float32Array(n)] as const;
      const plain = [re.slice(), im.slice(), new Float32Array(n), new Float32Array(n)] as const;
      correlation.crossSpectrum(reference, ...ours);
      correlation.crossSpectrumPlain(reference, ...plain);
      for (const [which, one] of ours.entries()) expectAlike(one, plain[which]!);
      const [one, other] = [correlation.highest(re), correlation.highestPlain(re)];
      expect(one.at).toBe(other.at);
      expectAlike([one.squares], [other.squares]);
      const [dx, dy] = [(draw.uniform() - 0.5) * width, (draw.uniform() - 0.5) * height];
      const hill = correlation.hill(re, im, width, height, dx, dy);
      // Sums of either sign are compared with what they might be: frequencies reach pi.
      expectAlike([...hill, 10 * n], [...correlation.hillPlain(re, im, width, height, dx, dy), 10 * n], 1e-5);
    }),
  );
});

test("a compiled blur is that of TypeScript, with holes and without", () => {
  assert(
    property(side, side, integer({ min: 1, max: 40 }), seed, (width, height, tenths, start) => {
      const draw = random(start);
      const whole = normals(width * height, draw, 3);
      const holed = withGaps(whole, draw).map((value, at) => (at % 7 < 3 ? value : NaN));
      for (const image of [whole, holed]) {
        const ours = gaussianBlur(image, width, height, tenths / 10);
        expectAlike(ours, gaussianBlurPlain(image, width, height, tenths / 10), 1e-5);
      }
    }),
  );
});

test("compiled templates explain what those of TypeScript do", () => {
  assert(
    property(integer({ min: 1, max: 40 }), integer({ min: 1, max: 70 }), seed, (count, frames, start) => {
      const draw = random(start);
      const arena = newArena();
      const block = templateBlock(count, 4, arena);
      for (let k = 0; k < count; k++) {
        const first = draw.integer(frames);
        const template = Float64Array.from({ length: 1 + draw.integer(frames - first) }, () => draw.normal());
        setTemplate(block, k, first, template, 1 + draw.uniform());
      }
      const values = arena.floats(3 + frames);
      values.set(normals(3 + frames, draw));
      for (const sign of [-1, 0, 1] as const) {
        const [ours, plain] = [arena.doubles(count), new Float64Array(count)];
        const best = explain(block, values, 3, 0, count, sign, ours);
        expect(best).toBe(explainPlain(block, values, 3, 0, count, sign, plain));
        expectAlike(ours, plain, 1e-5);
      }
      arena.release();
    }),
  );
});

test("compiled sums over a texture are those of TypeScript", () => {
  assert(
    property(integer({ min: 1, max: 400 }), seed, (fours, start) => {
      const draw = random(start);
      const n = 4 * fours;
      const positive = (): Float32Array => normals(n, draw).map((value) => 1 + 0.1 * value ** 2);
      const maps = {
        value: positive(),
        gradientX: normals(n, draw),
        gradientY: normals(n, draw),
        pullX: normals(n, draw),
        pullY: normals(n, draw),
        slow: positive(),
        half: normals(n, draw).map((value) => (value > 0 ? 1 : 0)),
      };
      const moved = withGaps(positive(), draw);
      const share = positive();
      const [ratio, plainRatio] = [new Float32Array(n), new Float32Array(n)];
      // Sums of either sign are compared with the greatest they might be.
      const within = (ours: readonly number[], wanted: readonly number[]): void =>
        expectAlike([...ours, n], [...wanted, n]);
      within(sums.shiftSums(maps, moved, share, 0.5, ratio), sums.shiftSumsPlain(maps, moved, share, 0.5, plainRatio));
      expectAlike(ratio, plainRatio);
      const [one, other] = sums.influenceSums(maps, plainRatio, 0.5);
      within(one, sums.influencesPlain(maps, plainRatio, 0.5, 0));
      within(other, sums.influencesPlain(maps, plainRatio, 0.5, 1));
      const lights = { light: positive(), counted: maps.half, fine: normals(n, draw), coarse: normals(n, draw) };
      const usual = [1.1, 0.1] as const;
      within(
        Object.values(sums.lightSums(maps, lights, moved, share, plainRatio, 0.5, usual)) as number[],
        Object.values(sums.lightSumsPlain(maps, lights, moved, share, plainRatio, 0.5, usual)) as number[],
      );
    }),
  );
});

test("a compiled window is that of TypeScript", () => {
  assert(
    property(side, side, integer({ min: 1, max: 5 }), seed, (width, height, binning, start) => {
      const draw = random(start);
      const margin = 2;
      const stride = width + 2 * margin;
      const n = stride * (height + 2 * margin);
      const words = Uint16Array.from({ length: n }, () => Math.floor(65536 * draw.uniform()));
      const [light, plainLight] = [new Float32Array(n), new Float32Array(n)];
      frame.floatsOfWords(words, 100, light);
      frame.floatsOfWordsPlain(words, 100, plainLight);
      expect(light).toEqual(plainLight);
      const [across, down] = [Math.floor(stride / binning), Math.floor((height + 2 * margin) / binning)];
      const [squares, plainSquares] = [new Float32Array(across * down), new Float32Array(across * down)];
      frame.floatsOfSquares(words, stride, binning, across, 100, squares);
      frame.floatsOfSquaresPlain(words, stride, binning, across, 100, plainSquares);
      expectAlike(squares, plainSquares);
      const broken = withGaps(light, draw);
      const open = normals(n, draw).map((value) => (value > 0 ? 1 : 0));
      const [ours, plain] = [frame.openLight(broken, open), frame.openLightPlain(broken, open)];
      expect(ours.known).toBe(plain.known);
      expectAlike([ours.total], [plain.total]);
      const slow = withGaps(
        light.map((value) => 0.8 * value),
        draw,
      );
      const [a, b, c, d] = [broken.slice(), slow.slice(), broken.slice(), slow.slice()];
      frame.fillLight(a, b, 1000);
      frame.fillLightPlain(c, d, 1000);
      expect([a, b]).toEqual([c, d]);
      const [coarseWidth, coarseHeight] = [Math.ceil(width / binning) + 1, Math.ceil(height / binning)];
      const shape = { stride, margin, width, height, binning, coarseWidth, coarseHeight };
      const taper = normals(width * height, draw);
      const [coarse, plainCoarse] = Array.from({ length: 2 }, () =>
        new Float32Array(coarseWidth * coarseHeight).fill(9),
      );
      frame.coarseLight(a, b, taper, shape, coarse!);
      frame.coarseLightPlain(a, b, taper, shape, plainCoarse!);
      // A ratio less 1 is as precise as the ratio.
      expectAlike([...coarse!, 1], [...plainCoarse!, 1]);
    }),
  );
});

test("an arena's arrays are worked on in place, begin as zeros, and its room is used again", () => {
  const arena = newArena();
  const image = arena.floats(64 * 64);
  expect(image.every((value) => value === 0)).toBe(true);
  image.set(normals(64 * 64, random(5)));
  const wanted = Float64Array.from(image);
  splineCoefficientsPlain(wanted, 64, 64);
  // What lies elsewhere and makes the memory grow moves nothing.
  const large = normals(900 * 900, random(6));
  splineCoefficients(large, 900, 900);
  splineCoefficients(image, 64, 64);
  expectAlike(image, wanted);
  const before = image.byteOffset;
  arena.release();
  const other = newArena();
  const again = other.floats(64 * 64);
  expect(again.every((value) => value === 0)).toBe(true);
  expect(again.byteOffset).toBe(before);
  other.release();
});

test("compiled fits over a disc are those of TypeScript, at the edge of a map and in pairs or alone", () => {
  assert(
    property(side, side, integer({ min: 3, max: 90 }), seed, (width, height, tenths, from) => {
      const draw = random(from);
      const disc = discOf(tenths / 10);
      const stride = width + 2 * disc.reach;
      const values = Float64Array.from({ length: stride * (height + 2 * disc.reach) + 1 }, () => draw.normal());
      const places: number[] = [];
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) {
          if (draw.uniform() < 0.6) places.push((y + disc.reach) * stride + x + disc.reach);
        }
      }
      const at = Int32Array.from(places);
      const coefficients = Float64Array.from({ length: 18 * at.length }, () => draw.normal());
      const ours = discFits(disc, { values, stride }, at, coefficients);
      const plain = discFitsPlain(disc, { values, stride }, at, coefficients);
      expectAlike(ours.value, plain.value, 1e-12);
      expectAlike(ours.x, plain.x, 1e-12);
      expectAlike(ours.y, plain.y, 1e-12);
    }),
  );
});

test("a compiled blur at the points of a grid is that of TypeScript, whatever the grid", () => {
  assert(
    property(
      side,
      side,
      integer({ min: 1, max: 5 }),
      integer({ min: 0, max: 30 }),
      seed,
      (width, height, stride, reach, from) => {
        const draw = random(from);
        const image = normals(width * height, draw);
        const half = Float64Array.from({ length: reach + 1 }, () => draw.uniform());
        const left = draw.integer(width);
        const top = draw.integer(height);
        const grid = {
          left,
          top,
          stride,
          columns: 1 + Math.floor((width - 1 - left) / stride),
          rows: 1 + Math.floor((height - 1 - top) / stride),
        };
        const [ours, plain] = [new Float32Array(grid.columns * grid.rows), new Float32Array(grid.columns * grid.rows)];
        sampledBlur(image, width, height, half, grid, ours);
        sampledBlurPlain(image, width, height, half, grid, plain);
        expectAlike(ours, plain, 1e-5);
        const all = Float64Array.from(image);
        convolvePlain(all, width, height, half);
        const wanted = Float64Array.from(ours, (_, at) => {
          const [x, y] = [at % grid.columns, Math.floor(at / grid.columns)];
          return all[(top + y * stride) * width + left + x * stride]!;
        });
        expectAlike(plain, wanted, 1e-5);
      },
    ),
  );
});
