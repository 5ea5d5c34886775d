import { describe, expect, test } from "vitest";
import { frameBuffer } from "../io/views.js";
import { gaussianBlur } from "../kernels/filter.js";
import { random } from "../kernels/random.js";
import type { MovieFile, Samples } from "../model/movie.js";
import { glance, type Glance } from "./glance.js";
import { glanceFacts, glanceRows } from "./glance-facts.js";
import { glanceSheet } from "./glance-sheet.js";

const [width, height] = [64, 60];

/** Speckle larger than a frame, to be moved under it. */
function speckle(blur_px: number): Float32Array {
  const stream = random(3);
  const white = Float64Array.from({ length: 100 * 100 }, () => stream.normal());
  const smooth = gaussianBlur(white, 100, 100, blur_px);
  const sd = Math.sqrt(smooth.reduce((sum, value) => sum + value * value, 0) / smooth.length);
  return smooth.map((value) => 1 + (0.2 * value) / sd);
}

const sharp = speckle(1.3);

interface Scene {
  readonly frames?: number;
  readonly dtype?: MovieFile["dtype"];
  /** Where the scene of frame 0 lies in a frame, whole px. */
  readonly place?: (frame: number) => readonly [number, number];
  readonly light?: (frame: number) => number;
  readonly image?: (frame: number) => Float32Array;
  /** Changes a frame's samples after all. */
  readonly spoil?: (samples: Samples, frame: number) => unknown;
  readonly over?: Partial<MovieFile>;
}

/** A movie of 60 frames, speckle of 1000 a pixel and noise of 20, unless told otherwise. */
function movieOf(scene: Scene = {}): MovieFile & { readonly asked: number[] } {
  const { frames = 60, dtype = "uint16", place = () => [0, 0], light = () => 1000, image = () => sharp } = scene;
  const asked: number[] = [];
  return {
    name: "scene.tif",
    format: "tiff",
    width,
    height,
    frames,
    dtype,
    pixelSize_um: null,
    pixelSizeSource: "missing",
    time_s: null,
    timeSource: "missing",
    frameStamp: "unknown",
    start: null,
    warnings: [],
    ...scene.over,
    asked,
    async read(frame, into) {
      asked.push(frame);
      const stream = random(1000 + frame);
      const [dx, dy] = place(frame);
      const from = image(frame);
      for (let y = 0, at = 0; y < height; y++) {
        for (let x = 0; x < width; x++, at++) {
          const value = light(frame) * from[(y + 20 - dy) * 100 + x + 18 - dx]! + 20 * stream.normal();
          into[at] = dtype.startsWith("float") ? value : Math.round(Math.max(0, value));
        }
      }
      scene.spoil?.(into, frame);
    },
    async close() {},
  };
}

function warned(seen: Glance, pattern: RegExp): boolean {
  return seen.warnings.some((warning) => pattern.test(warning));
}

describe("moments", () => {
  test("lie spread over the movie, two frames at each, first and last among them", async () => {
    const movie = movieOf({ frames: 5000 });
    const { moments, stopped } = await glance(movie);
    expect(moments).toHaveLength(100);
    expect(stopped).toBe(false);
    expect([moments[0]!.frame, moments[99]!.frame]).toEqual([0, 4998]);
    const gaps = moments.slice(1).map(({ frame }, at) => frame - moments[at]!.frame);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(51);
    expect(movie.asked).toHaveLength(200);
  });

  test("are still spread where the time is used up", async () => {
    const quick = movieOf({ frames: 5000 });
    const slow: MovieFile = {
      ...quick,
      async read(...given) {
        await new Promise((resolve) => setTimeout(resolve, 5));
        return quick.read(...given);
      },
    };
    const { moments, stopped, warnings } = await glance(slow, { budget_s: 0.25 });
    expect(stopped).toBe(true);
    expect(moments.length).toBeGreaterThanOrEqual(1);
    expect(moments.length).toBeLessThan(100);
    expect(warnings.join()).toMatch(/the time ran out: \d+ moments/);
    const gaps = moments.slice(1).map(({ frame }, at) => frame - moments[at]!.frame);
    if (moments.length > 4) expect(Math.max(...gaps)).toBeLessThan((4 * 5000) / moments.length);
  });

  test.each([1, 2, 3])("a movie of %i frames is looked at whole", async (frames) => {
    const seen = await glance(movieOf({ frames }));
    expect(seen.moments.map(({ frame }) => frame)).toEqual(Array.from({ length: frames }, (_, frame) => frame));
    expect(seen.warnings).toEqual([]);
    expect(glanceRows(seen).map(([name]) => name)).toContain("drift");
    expect(JSON.stringify(glanceSheet(seen))).toContain("scene.tif");
  });
});

test("drift is that of the scene, in px, and a large one is said", async () => {
  const seen = await glance(movieOf({ place: (frame) => [Math.round(frame / 6), -Math.round(frame / 12)] }));
  for (const { frame, x_px, y_px } of seen.moments) {
    expect(Math.abs(x_px - Math.round(frame / 6))).toBeLessThan(0.3);
    expect(Math.abs(y_px + Math.round(frame / 12))).toBeLessThan(0.3);
  }
  expect(seen.warnings).toHaveLength(1);
  expect(seen.warnings[0]).toMatch(/^the scene moved by 11 px, farthest in frame 5[7-9]\.$/);
  expect(new Map(glanceRows(seen)).get("drift")).toMatch(
    /^(9\.[89]|10\.[01]) px right, (4\.9|5\.[01]) px up by frame 59, farthest 11\.\d px$/,
  );
});

test("a jump is told with its frames, and another scene is not found", async () => {
  const jumped = await glance(movieOf({ place: (frame) => (frame < 30 ? [0, 0] : [6, 0]) }));
  expect(warned(jumped, /the scene jumped by 6 px between frames 29 and 30\./)).toBe(true);
  const other = speckle(1.4).reverse();
  const changed = await glance(movieOf({ image: (frame) => (frame < 45 ? sharp : other) }));
  expect(warned(changed, /the scene of frame 0 is not found again in frames 45 to 59/)).toBe(true);
});

test("flicker is that of the lamp between neighbours, a slow change is none", async () => {
  const stream = random(9);
  const lamp = Float64Array.from({ length: 60 }, () => 1 + 0.03 * stream.normal());
  const flickering = await glance(movieOf({ light: (frame) => 1000 * lamp[frame]! }));
  expect(Math.abs(flickering.flicker.value / 0.03 - 1)).toBeLessThan(0.4);
  expect(warned(flickering, /the light flickers by \d\.\d %/)).toBe(true);
  const fading = await glance(movieOf({ light: (frame) => 1000 - 4 * frame }));
  expect(fading.flicker.value).toBeLessThan(0.002);
  expect(warned(fading, /the mean light changes by 31 % over the movie, lowest in frame 59, highest in frame 0/)).toBe(
    true,
  );
});

test("a loss of focus is told with the frame after which it came", async () => {
  const blurred = speckle(2.2);
  const seen = await glance(movieOf({ image: (frame) => (frame < 40 ? sharp : blurred) }));
  expect(warned(seen, /^sharpness fell by up to \d\d % after frame 3[89]: the focus may have been lost\.$/)).toBe(true);
});

describe("limits of the camera", () => {
  test("saturated pixels are counted at its full value, the frames told", async () => {
    const spoil = (samples: Samples, frame: number): void => {
      if (frame >= 30) samples.fill(4095, 0, 0.12 * samples.length);
    };
    const seen = await glance(movieOf({ spoil }));
    expect(seen.saturation).toBe(4095);
    expect(warned(seen, /up to 12 % of the pixels are saturated \(at 4095\) in frames 30 to 59/)).toBe(true);
  });

  test("a full value of no type is known by what piles up at it; a bright scene alone is not full", async () => {
    const clip = (samples: Samples): void => {
      for (let at = 0; at < samples.length; at++) samples[at] = Math.min(samples[at]!, 1300);
    };
    expect((await glance(movieOf({ spoil: clip }))).saturation).toBe(1300);
    expect((await glance(movieOf())).saturation).toBeNull();
    expect((await glance(movieOf({ dtype: "float32" }))).saturation).toBeNull();
  });

  test("pixels cut off at 0 are said", async () => {
    const dark = (samples: Samples): void => {
      for (let at = 0; at < samples.length; at++) samples[at] = Math.max(0, samples[at]! - 900);
    };
    expect(warned(await glance(movieOf({ spoil: dark })), /of the pixels are 0 in all frames looked at/)).toBe(true);
  });
});

test("blank, dark and repeated frames are told", async () => {
  let before: Samples | null = null;
  const seen = await glance(
    movieOf({
      spoil: (samples, frame) => {
        if (frame === 30) samples.fill(7);
        if (frame === 40 || frame === 41)
          for (let at = 0; at < samples.length; at++) samples[at] = 100 + (samples[at]! % 5);
        if (frame === 50) before = samples.slice();
        if (frame === 51 && before !== null) samples.set(before);
      },
    }),
  );
  expect(warned(seen, /^frame 30 holds one value alone/)).toBe(true);
  expect(warned(seen, /^frames 40 to 41 are dark/)).toBe(true);
  expect(warned(seen, /^1 of the 60 frames looked at is the same as the next one, first frame 50/)).toBe(true);
});

test("pauses, missing and disordered stamps are counted from all frame times", async () => {
  const time_s = Float64Array.from({ length: 60 }, (_, frame) => 10 * frame + (frame > 40 ? 600 : 0));
  time_s[10] = NaN;
  time_s[25] = time_s[24]!;
  const seen = await glance(movieOf({ over: { time_s, timeSource: "OME DeltaT" } }));
  expect(seen.time).toMatchObject({
    median_interval_s: 10,
    longest_interval_s: 610,
    unstamped: 1,
    backwards: 1,
    gaps: 2,
  });
  expect(seen.time!.longestGaps[0]).toEqual({ after: 40, interval_s: 610 });
  expect(warned(seen, /2 pauses in the frame times, the longest 10\.2 min after frame 40 \(61\.0 times/)).toBe(true);
  expect(warned(seen, /1 frame is stamped no later than the frame before/)).toBe(true);
});

test("nothing is guessed: without scale and times places are in px and frames are counted", async () => {
  const seen = await glance(movieOf());
  const rows = new Map(glanceRows(seen));
  expect(rows.get("pixel size")).toMatch(/^not in the file/);
  expect(rows.get("time")).toMatch(/^not in the file/);
  expect(glanceFacts(seen)).toMatchObject({ kind: "glance", pixelSize_um: null, time: null, time_s: null });
  const sheet = JSON.stringify(glanceSheet(seen));
  expect(sheet).toContain('"place / px"');
  expect(sheet).toContain('"frame"');
  expect(sheet).not.toContain("µm");
  const scaled = JSON.stringify(glanceSheet({ ...seen, movie: { ...seen.movie, pixelSize_um: 0.1 } }));
  expect(scaled).toContain('"place / µm"');
});

const odd: readonly (readonly [string, Scene])[] = [
  ["NaN everywhere", { dtype: "float32", spoil: (samples) => samples.fill(NaN) }],
  ["infinite pixels", { dtype: "float64", spoil: (samples) => samples.fill(Infinity, 0, 9) }],
  ["zeros", { spoil: (samples) => samples.fill(0) }],
  ["negative light", { dtype: "int16", spoil: (samples) => samples.fill(-5, 0, 2000) }],
];

test.each(odd)("%s end in facts that are JSON and a picture", async (_, scene) => {
  const seen = await glance(movieOf({ frames: 12, ...scene }));
  expect(seen.moments).toHaveLength(12);
  expect(() => JSON.stringify([glanceFacts(seen), glanceRows(seen), glanceSheet(seen)])).not.toThrow();
});

test("a frame of one pixel and frames in colour are looked at", async () => {
  const tiny = { ...movieOf({ frames: 3 }), width: 1, height: 1, read: async () => {} };
  expect((await glance(tiny)).moments).toHaveLength(3);
  const colour: MovieFile = {
    ...movieOf({ frames: 3, dtype: "uint8" }),
    samplesPerPixel: 3,
    async read(frame, into) {
      for (let at = 0; at < into.length; at++) into[at] = at % 3 === 0 ? 30 + frame : 60;
    },
  };
  expect(frameBuffer(colour)).toHaveLength(3 * width * height);
  const seen = await glance(colour);
  expect(seen.moments[2]!.small.data[0]).toBeCloseTo((32 + 60 + 60) / 3, 4);
});

test("it stops when told to", async () => {
  const stop = new AbortController();
  const looking = glance(movieOf(), {
    signal: stop.signal,
    onMoment: (done) => {
      if (done === 2) stop.abort(new Error("enough"));
    },
  });
  await expect(looking).rejects.toThrow("enough");
});
