import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { refusesJunk } from "../../test/junk.js";
import { ParameterError } from "../model/errors.js";
import {
  burstLasts_s,
  cellsOfCamera,
  exposeCamera,
  marginNeeded_px,
  type ExposedMovie,
  type ExposureSpec,
  type LightInTime,
} from "./expose-camera.js";
import { cameraPath } from "./expose-camera-path.js";

/** A camera without faults: still, in focus, noisy by its photons alone. */
const spec: ExposureSpec = {
  field: { width: 64, height: 48, perPixel: 2, margin_px: 6, pixelSize_um: 0.08 },
  timing: { frames: 40, interval_s: 5, dropped: [], droppedFraction: 0, late_s: 0 },
  burst: { exposures: 1, exposure_s: 0.00025, spacing_s: 0.00025, moments: 1 },
  drift: { linear_um: [0, 0], walk_um: 0, wobble_um: 0, wobblePeriod_s: 100 },
  focus: { start_um: 0, linear_um: 0, walk_um: 0, breathing_um: 0, breathingPeriod_s: 100 },
  psf_um: 0.118,
  rayleighRange_um: 0.31,
  lamp: { flicker: 0, fading: 0 },
  sensor: {
    fullWell_e: 32_000,
    electronsPerCount: 8,
    readNoise_e: 0,
    dark_e_s: 0,
    blackLevel: 100,
    bitDepth: 12,
    prnu: 0,
    dsnu_e: 0,
    vignette: 0,
  },
  electronsPerLight: 16_000,
  storedPerCount: 1,
};
type Given = { readonly [key in keyof ExposureSpec]?: Partial<ExposureSpec[key]> | number };

/** The camera with some of its parts changed. */
function camera(given: Given, light: LightInTime | number = 1, seed = 1): ExposedMovie {
  return exposeCamera(changed(given), typeof light === "number" ? (_, into) => into.fill(light) : light, seed);
}

function changed(given: Given): ExposureSpec {
  const whole: Record<string, unknown> = { ...spec };
  for (const [key, part] of Object.entries(given)) {
    whole[key] =
      typeof part === "number" ? part : { ...(spec[key as keyof ExposureSpec] as object), ...(part as object) };
  }
  return whole as unknown as ExposureSpec;
}

function frame(movie: ExposedMovie, index = 0): Float64Array {
  const into = movie.dtype === "uint8" ? new Uint8Array(64 * 48) : new Uint16Array(64 * 48);
  movie.read(index, into);
  return Float64Array.from(into);
}

function light(movie: ExposedMovie, index = 0): Float64Array {
  const into = new Float64Array(64 * 48);
  movie.light(index, into);
  return into;
}

const mean = (values: ArrayLike<number>): number => Array.from(values).reduce((a, b) => a + b, 0) / values.length;
const variance = (values: ArrayLike<number>): number => {
  const middle = mean(values);
  return Array.from(values).reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1);
};
/** Variances of n normal numbers are known to sqrt(2 / n); four times that is allowed. */
const within = (n: number): number => 4 * Math.sqrt(2 / n);

describe("noise", () => {
  test("of photons: the variance of counts is their mean over the electrons a count, at every light", () => {
    for (const level of [0.02, 0.1, 0.5, 1, 1.5]) {
      const counts = [0, 1, 2].flatMap((index) => [...frame(camera({}, level), index)]);
      const signal = mean(counts) - 100;
      expect(Math.abs(signal / (level * 2000) - 1)).toBeLessThan(4 / Math.sqrt(level * 16_000 * counts.length));
      // Rounding adds its twelfth.
      expect(Math.abs(variance(counts) / (signal / 8 + 1 / 12) - 1)).toBeLessThan(within(counts.length));
    }
  });

  test("of reading and of dark current stands beside it, without light", () => {
    const dark = camera({ sensor: { readNoise_e: 40, dark_e_s: 4e6 } }, 0);
    const counts = [0, 1, 2].flatMap((index) => [...frame(dark, index)]);
    expect(mean(counts)).toBeCloseTo(100 + (4e6 * 0.00025) / 8, 0);
    expect(Math.abs(variance(counts) / ((1600 + 1000) / 64 + 1 / 12) - 1)).toBeLessThan(within(counts.length));
  });

  test("of a full well of 32 000 electrons is 0.56 %, that of a burst of n is sqrt(n) less", () => {
    for (const exposures of [1, 25, 400]) {
      const movie = camera({ burst: { exposures }, sensor: { bitDepth: 16, fullWell_e: 1e5 }, storedPerCount: 1 }, 2);
      const fine = camera({ burst: { exposures }, sensor: { bitDepth: 13, fullWell_e: 1e5 }, storedPerCount: 8 }, 2);
      expect(movie.storedPerLight).toBe(2000);
      const signal = frame(fine).map((value) => value - fine.blackLevel);
      const exact = (8 * 8 * (4000 / 8 + 1 / 12)) / exposures + 1 / 12;
      expect(Math.abs(variance(signal) / exact - 1)).toBeLessThan(within(signal.length));
      if (exposures === 1) expect(Math.sqrt(variance(signal)) / mean(signal)).toBeCloseTo(0.0056, 3);
    }
  });

  test("of a burst drawn as one sum is that of its exposures drawn one by one", () => {
    // A black level within reach of the noise makes the camera draw each exposure.
    const each = camera(
      { burst: { exposures: 30 }, sensor: { readNoise_e: 60, blackLevel: 25 }, storedPerCount: 10 },
      0.01,
    );
    const sum = camera(
      { burst: { exposures: 30 }, sensor: { readNoise_e: 60, blackLevel: 80 }, storedPerCount: 10 },
      0.01,
    );
    // Noise of 14 in each of 3072 pixels.
    expect(Math.abs(mean(frame(each)) - 250 - (mean(frame(sum)) - 800))).toBeLessThan(1.4);
    expect(Math.abs(variance(frame(each)) / variance(frame(sum)) - 1)).toBeLessThan(1.5 * within(64 * 48));
  });
});

describe("a burst", () => {
  const rising: LightInTime = (time_s, into) => into.fill(0.5 + 0.02 * time_s);

  test("is the mean over its time: of light that grows evenly, that of its middle", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 12 }), (exposures, moments) => {
        const movie = camera({ burst: { exposures, exposure_s: 0.05, spacing_s: 0.16, moments } }, rising);
        for (const index of [0, 7]) expect(light(movie, index)[100]).toBeCloseTo(0.5 + 0.02 * 5 * index, 9);
      }),
      { numRuns: 20 },
    );
  });

  test("of light that bends is not that of an instant: a square gains the variance of its moments", () => {
    const square: LightInTime = (time_s, into) => into.fill((time_s - 10) ** 2);
    const burst = { exposures: 21, exposure_s: 0.01, spacing_s: 0.2, moments: 21 };
    const spread = (0.2 ** 2 * (21 ** 2 - 1)) / 12;
    expect(light(camera({ burst }, square), 2)[0]).toBeCloseTo(spread, 9);
    expect(light(camera({ burst: { ...burst, moments: 1 } }, square), 2)[0]).toBe(0);
  });

  test("of one long exposure is a mean too", () => {
    const square: LightInTime = (time_s, into) => into.fill((time_s - 10) ** 2);
    const movie = camera({ burst: { exposures: 1, exposure_s: 3, spacing_s: 3, moments: 40 } }, square);
    expect(light(movie, 2)[0]).toBeCloseTo(3 ** 2 / 12, 2);
  });

  test("blurs a spot that moves in it", () => {
    const moving: LightInTime = (time_s, into) => spot(into, 2.6 + 0.2 * time_s, 2, 0.2);
    const still: LightInTime = (_, into) => spot(into, 2.6, 2, 0.2);
    const burst = { exposures: 64, exposure_s: 0.01, spacing_s: 0.05, moments: 64 };
    const wide = moments(light(camera({ burst }, moving)));
    const narrow = moments(light(camera({ burst }, still)));
    expect(wide.x_um).toBeCloseTo(2.6, 6);
    expect(wide.varX_um2 - narrow.varX_um2).toBeCloseTo((0.2 * 0.05 * 64) ** 2 / 12, 3);
  });

  test("of light that bends is stored as that mean", () => {
    const square: LightInTime = (time_s, into) => into.fill(0.5 + 0.1 * (time_s - 10) ** 2);
    const movie = camera({ burst: { exposures: 21, exposure_s: 0.01, spacing_s: 0.2, moments: 21 } }, square);
    const bent = (0.1 * (0.2 ** 2 * (21 ** 2 - 1))) / 12;
    expect(Math.abs((mean(frame(movie, 2)) - 100) / 2000 - 0.5 - bent)).toBeLessThan(0.001);
  });

  test("has counts about its light", () => {
    const movie = camera({ burst: { exposures: 50, exposure_s: 0.01, spacing_s: 0.05, moments: 5 } }, rising);
    const counts = frame(movie, 10);
    const exact = light(movie, 10)[0]! * movie.storedPerLight + movie.blackLevel;
    expect(Math.abs(mean(counts) - exact)).toBeLessThan(0.2);
  });
});

/** A Gaussian spot on all the camera's cells; places in um from the centre of pixel (0, 0). */
function spot(into: Float64Array, x_um: number, y_um: number, sd_um: number, margin_px = 6): void {
  const { width, cell_um, origin_um } = cellsOfCamera({ ...spec.field, margin_px });
  for (let at = 0; at < into.length; at++) {
    const x = origin_um[0] + (at % width) * cell_um - x_um;
    const y = origin_um[1] + Math.floor(at / width) * cell_um - y_um;
    into[at] = Math.exp(-(x * x + y * y) / (2 * sd_um * sd_um));
  }
}

/** Sum, centre and variances of an image's light. */
function moments(image: Float64Array): { sum: number; x_um: number; y_um: number; varX_um2: number } {
  let [sum, x, y, xx] = [0, 0, 0, 0];
  for (let at = 0; at < image.length; at++) {
    sum += image[at]!;
    x += image[at]! * (at % 64);
    y += image[at]! * Math.floor(at / 64);
    xx += image[at]! * (at % 64) ** 2;
  }
  return { sum, x_um: (0.08 * x) / sum, y_um: (0.08 * y) / sum, varX_um2: 0.0064 * (xx / sum - (x / sum) ** 2) };
}

describe("motion", () => {
  const still: LightInTime = (_, into) => spot(into, 2.4, 1.9, 0.2);

  test("a scene lies where its place in pixels says, and its light is kept", () => {
    const { sum, x_um, y_um } = moments(light(camera({}, still)));
    expect(x_um).toBeCloseTo(2.4, 6);
    expect(y_um).toBeCloseTo(1.9, 6);
    expect(sum * 0.0064).toBeCloseTo(2 * Math.PI * 0.04, 6);
  });

  test("drift moves it by parts of a pixel, as the path tells", () => {
    const given: Given = {
      drift: { linear_um: [0.4, -0.3], walk_um: 0.05, wobble_um: 0.03 },
      field: { margin_px: 20 },
    };
    const movie = camera(given, (_, into) => spot(into, 2.4, 1.9, 0.2, 20), 5);
    for (const index of [0, 3, 17, 39]) {
      const t = movie.path.time_s[index]!;
      const { x_um, y_um } = moments(light(movie, index));
      expect(x_um - 2.4).toBeCloseTo(movie.path.x_um(t), 5);
      expect(y_um - 1.9).toBeCloseTo(movie.path.y_um(t), 5);
      expect(Math.abs(movie.path.x_um(t))).toBeLessThanOrEqual(movie.path.reach_um);
    }
    expect([movie.path.x_um(0), movie.path.y_um(0)]).toEqual([0, 0]);
  });

  test("drift and focus go as far as they are told: evenly, as a sine, as a walk", () => {
    const timing = { ...spec.timing, frames: 41 };
    const none = { drift: spec.drift, focus: spec.focus, lamp: spec.lamp };
    const path = (given: Partial<typeof none>, seed = 1): ReturnType<typeof cameraPath> => {
      const { drift, focus, lamp } = { ...none, ...given };
      return cameraPath(timing, drift, focus, lamp, seed);
    };
    const range = (at: (t: number) => number): number => {
      const all = Array.from({ length: 2001 }, (_, index) => at(index / 10));
      return Math.max(...all) - Math.min(...all);
    };
    const even = path({
      drift: { ...spec.drift, linear_um: [0.4, -0.3] },
      focus: { ...spec.focus, start_um: 0.1, linear_um: 0.2 },
    });
    expect([even.x_um(100), even.y_um(100), even.focus_um(100)]).toEqual([0.2, -0.15, 0.2]);
    const sine = path({
      drift: { ...spec.drift, wobble_um: 0.03, wobblePeriod_s: 80 },
      focus: { ...spec.focus, breathing_um: 0.2, breathingPeriod_s: 70 },
    });
    expect([range(sine.x_um), range(sine.y_um)].map((um) => Number(um.toFixed(4)))).toEqual([0.06, 0.06]);
    expect(range(sine.focus_um)).toBeCloseTo(0.4, 4);
    expect([sine.x_um(90) - sine.x_um(10), sine.focus_um(80) - sine.focus_um(10)].map(Math.abs)).toEqual([
      expect.closeTo(0, 9),
      expect.closeTo(0, 9),
    ]);
    const ends = Array.from({ length: 400 }, (_, seed) =>
      path({ drift: { ...spec.drift, walk_um: 0.05 }, focus: { ...spec.focus, walk_um: 0.1 } }, seed),
    );
    for (const [at, sd] of [
      [ends.map(({ x_um }) => x_um(200)), 0.05],
      [ends.map(({ y_um }) => y_um(200)), 0.05],
      [ends.map(({ focus_um }) => focus_um(200)), 0.1],
    ] as const) {
      expect(Math.abs(variance(at) / sd ** 2 - 1)).toBeLessThan(within(400));
    }
  });

  test("focus that breathes widens a spot by the objective's law and keeps its light", () => {
    const given: Given = {
      focus: { start_um: 0.1, breathing_um: 0.25, breathingPeriod_s: 70 },
      field: { margin_px: 19 },
    };
    const movie = camera(given, (_, into) => spot(into, 2.4, 1.9, 0.118, 19));
    const pixel = 0.08 ** 2 / 12;
    const widths = new Set<number>();
    for (const index of [0, 2, 5, 9, 12]) {
      const z = movie.path.focus_um(movie.path.time_s[index]!);
      const { sum, varX_um2 } = moments(light(movie, index));
      const exact = 0.118 ** 2 * (1 + (z / 0.31) ** 2) + pixel - 0.04 ** 2 / 12;
      expect(Math.abs(varX_um2 / exact - 1)).toBeLessThan(0.002);
      expect(sum * 0.0064).toBeCloseTo(2 * Math.PI * 0.118 ** 2, 4);
      widths.add(Math.round(1e5 * varX_um2));
    }
    expect(widths.size).toBe(5);
  });

  test("a margin that drift or focus would overrun is refused, one as wide as asked for is not", () => {
    const given: Given = { drift: { linear_um: [1, 0], walk_um: 0.1 }, focus: { start_um: 0.4 } };
    const least = marginNeeded_px(changed(given), 3);
    expect(() => camera(given, 1, 3)).toThrow(new RegExp(`field\\.margin_px is 6\\. .*Give at least ${least}`));
    const enough = camera({ ...given, field: { margin_px: least } }, 1, 3);
    for (let index = 0; index < enough.frames; index++) {
      const seen = light(enough, index);
      expect(Math.max(...seen.map((value) => Math.abs(value - 1)))).toBeLessThan(1e-9);
    }
  });
});

describe("the sensor", () => {
  test("ends at its full well or its last bit, whichever comes first", () => {
    const well = camera({ sensor: { readNoise_e: 5 } }, 100);
    expect(well.saturation).toBe(4095);
    expect(Math.max(...frame(well))).toBe(4095);
    const full = camera({ sensor: { fullWell_e: 16_000 } }, 100);
    expect(full.saturation).toBe(2100);
    expect(new Set(frame(full))).toEqual(new Set([2100]));
    const burst = camera({ sensor: { fullWell_e: 16_000 }, burst: { exposures: 9 } }, 100);
    expect(new Set(frame(burst))).toEqual(new Set([2100]));
  });

  test("ends each exposure of a burst, not their mean", () => {
    // Half of the exposures end at the last bit, in their photons' noise of sqrt(32 000) / 8.
    const movie = camera({ burst: { exposures: 16 }, sensor: { fullWell_e: 1e6 } }, (4095 - 100) / 2000);
    expect(Math.abs(mean(frame(movie)) - (4095 - Math.sqrt(3995 * 8) / 8 / Math.sqrt(2 * Math.PI)))).toBeLessThan(0.5);
  });

  test("that is nearly full is dimmer than its light and quieter than its photons", () => {
    const near = camera({ burst: { exposures: 4 }, sensor: { fullWell_e: 16_000 } }, 1);
    const counts = frame(near);
    // The mean of the lower half of a normal distribution: sd / sqrt(2 pi) below.
    expect(mean(counts)).toBeCloseTo(2100 - Math.sqrt(16_000) / Math.sqrt(2 * Math.PI) / 8, 0);
    expect(variance(counts)).toBeLessThan(16_000 / 64 / 4);
  });

  test("keeps its pattern: uneven response grows with the light, uneven black does not, and both stay from frame to frame", () => {
    const quiet = { burst: { exposures: 4000 }, storedPerCount: 8 };
    const response = camera({ ...quiet, sensor: { prnu: 0.02 } }, 1);
    const black = camera({ ...quiet, sensor: { dsnu_e: 80 } }, 1);
    for (const [movie, sd] of [[response, 0.02 * 2000] as const, [black, 10] as const]) {
      const [a, b] = [frame(movie, 0), frame(movie, 1)];
      expect(Math.abs(Math.sqrt(variance(a)) / 8 / sd - 1)).toBeLessThan(within(a.length));
      expect(Math.sqrt(variance(a.map((value, at) => value - b[at]!))) / 8).toBeLessThan(0.05 * sd);
    }
    const halves = camera({ ...quiet, sensor: { prnu: 0.02 } }, 0.5);
    expect(Math.sqrt(variance(frame(halves)) / variance(frame(response)))).toBeCloseTo(0.5, 1);
  });

  test("loses light in its corners", () => {
    const movie = camera({ burst: { exposures: 2000 }, sensor: { vignette: 0.4 } }, 1);
    const counts = frame(movie);
    expect((counts[0]! - 100) / 2000).toBeCloseTo(0.6, 2);
    expect((counts[24 * 64 + 32]! - 100) / 2000).toBeCloseTo(1, 2);
  });

  test("stores the type that its bits and its scale ask for", () => {
    expect(camera({ sensor: { bitDepth: 8, blackLevel: 5 } }).dtype).toBe("uint8");
    expect(camera({ sensor: { bitDepth: 8, blackLevel: 5 }, storedPerCount: 16 }).dtype).toBe("uint16");
    expect(camera({ storedPerCount: 16 }).blackLevel).toBe(1600);
  });
});

describe("the clock", () => {
  test("frames that are dropped are gone with their times, and the others stay as they were", () => {
    const all = camera({ lamp: { flicker: 0.02 }, timing: { late_s: 1 } }, 1);
    const some = camera({ lamp: { flicker: 0.02 }, timing: { late_s: 1, dropped: [3, 4], droppedFraction: 0.2 } }, 1);
    expect(some.frames).toBeLessThan(all.frames - 2);
    expect([...some.path.planned]).not.toContain(3);
    expect(some.path.planned[0]).toBe(0);
    for (let index = 0; index < some.frames; index += 5) {
      const planned = some.path.planned[index]!;
      expect(some.path.time_s[index]).toBe(all.path.time_s[planned]);
      expect(frame(some, index)).toEqual(frame(all, planned));
    }
  });

  test("frames that are late say so, and show the scene of their own time", () => {
    const movie = camera({ timing: { late_s: 2 } }, (time_s, into) => into.fill(time_s));
    const late = Array.from(movie.path.time_s, (time_s, index) => time_s - 5 * index);
    expect(late[0]).toBe(0);
    expect(Math.min(...late)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...late)).toBeGreaterThan(1);
    for (const index of [0, 5, 39]) expect(light(movie, index)[9]).toBeCloseTo(movie.path.time_s[index]!, 9);
  });

  test("the lamp flickers from frame to frame and fades over the movie", () => {
    const movie = camera({ lamp: { flicker: 0.01, fading: -0.2 }, timing: { frames: 2000 } }, 1);
    const rest = Array.from(movie.path.lamp, (lamp, index) => lamp - 1 + (0.2 * index) / 1999);
    expect(Math.abs(Math.sqrt(variance(rest)) / 0.01 - 1)).toBeLessThan(within(2000));
    expect(Math.abs(mean(rest))).toBeLessThan(4 * (0.01 / Math.sqrt(2000)));
    const faded = camera({ lamp: { flicker: 0, fading: -0.2 } }, 1);
    expect((mean(frame(faded, 39)) - 100) / 2000).toBeCloseTo(0.8, 2);
    expect(light(faded, 39)[0]).toBeCloseTo(0.8, 6);
  });

  test("a film is the same from the same seed in whatever order, and another from another", () => {
    const given: Given = { drift: { walk_um: 0.02 }, sensor: { prnu: 0.01, readNoise_e: 20 }, lamp: { flicker: 0.01 } };
    const [one, two] = [camera(given, 1, 8), camera(given, 1, 8)];
    const later = frame(one, 9);
    frame(two, 3);
    expect(frame(two, 9)).toEqual(later);
    expect(frame(camera(given, 1, 9), 9)).not.toEqual(later);
  });
});

test("a film that makes no sense is refused with its value and the cure", () => {
  const cases: [Given, RegExp][] = [
    [{ burst: { exposures: 0 } }, /burst\.exposures is 0\. Give a whole number/],
    [{ burst: { exposures: 30_000 } }, /burst\.exposures is 30000\. The burst lasts 7\.500 s/],
    [{ burst: { exposures: 2, exposure_s: 0.1, spacing_s: 0.05 } }, /burst\.spacing_s is 0\.05/],
    [{ sensor: { fullWell_e: NaN } }, /sensor\.fullWell_e is NaN/],
    [{ sensor: { bitDepth: 17 } }, /sensor\.bitDepth is 17/],
    [{ storedPerCount: 20 }, /storedPerCount is 20\. Give 0\.001 to 16/],
    [{ field: { pixelSize_um: 0 } }, /field\.pixelSize_um is 0/],
    [{ timing: { late_s: 6 } }, /timing\.late_s is 6/],
    [{ timing: { dropped: [0] } }, /timing\.dropped is 0/],
    [{ psf_um: -1 }, /psf_um is -1/],
    [{ rayleighRange_um: 0 }, /rayleighRange_um is 0/],
    [{ electronsPerLight: -1 }, /electronsPerLight is -1/],
  ];
  for (const [given, words] of cases) {
    expect(() => camera(given)).toThrow(ParameterError);
    expect(() => camera(given)).toThrow(words);
  }
  expect(burstLasts_s({ exposures: 3, exposure_s: 0.1, spacing_s: 0.5, moments: 1 })).toBeCloseTo(1.1, 12);
});

test("senseless values in any field of a film, its light, or what it is read into are refused", async () => {
  const few = changed({
    field: { width: 8, height: 8, margin_px: 8 },
    timing: { frames: 4, interval_s: 1, dropped: [2], droppedFraction: 0.1, late_s: 0.1 },
    burst: { exposures: 3, exposure_s: 0.01, spacing_s: 0.02, moments: 2 },
    drift: { linear_um: [0.05, 0.05], walk_um: 0.01, wobble_um: 0.01 },
    focus: { walk_um: 0.01, breathing_um: 0.01 },
    sensor: { readNoise_e: 5, dark_e_s: 1, prnu: 0.01, dsnu_e: 1, vignette: 0.1 },
  });
  const even: LightInTime = (_, into) => into.fill(1);
  const [counts, seen] = [new Uint16Array(64), new Float64Array(64)];
  await refusesJunk([few, even, 3] as const, ([film, scene, seed]) => {
    const made = exposeCamera(film, scene, seed);
    made.read(0, new Uint16Array(made.width * made.height));
  });
  const made = exposeCamera(few, even, 1);
  await refusesJunk([0, counts, seen] as const, ([index, into, lightInto]) => {
    made.read(index, into);
    made.light(index, lightInto);
  });
  await refusesJunk([few, 3] as const, (given) => marginNeeded_px(...given));
  await refusesJunk([few.field] as const, (given) => cellsOfCamera(...given));
});
