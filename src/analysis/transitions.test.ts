import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { distanceTransform } from "../kernels/distance.js";
import { gaussianBlur } from "../kernels/filter.js";
import { random } from "../kernels/random.js";
import type { Stack } from "../model/movie.js";
import { findTransitions } from "./transitions.js";

const PSF_UM = 0.118;

/** A front that crosses the crystal; `share` of the face (in the order of passing) that it takes along. */
interface Front {
  readonly kind: "plane" | "corner" | "core";
  readonly start_s: number;
  readonly velocity_um_s: number;
  readonly step: number;
  readonly angle?: number;
  readonly share?: readonly [number, number];
  /** Height of a bright line on the boundary, as wide as the PSF. */
  readonly line?: number;
}

interface Scene {
  readonly seed: number;
  readonly fronts?: readonly Front[];
  readonly pixelSize_um?: number;
  readonly size_um?: readonly [number, number];
  readonly interval_s?: number;
  readonly duration_s?: number;
  readonly noise?: number;
  /** Brightness of the whole face in time. */
  readonly ramp?: (t_s: number) => number;
  /** Widening of the PSF in time, as a factor. */
  readonly focus?: (t_s: number) => number;
  /** A spot of dirt that does not brighten. */
  readonly dirt?: boolean;
  /** Share of frames that were not stored. */
  readonly dropped?: number;
}

/**
 * A crystal on speckled carbon: arrival fields, texture, PSF, residual drift of 0.03 px, flicker of 0.1 %, noise. The truth
 * is the first and the last arrival of each front.
 */
function movie({
  seed,
  fronts = [],
  pixelSize_um = 0.1,
  size_um = [3, 2.4],
  interval_s = 5,
  duration_s = 600,
  noise = 0.01,
  ramp = () => 1,
  focus = () => 1,
  dirt = false,
  dropped = 0,
}: Scene): { stack: Stack; mask: Uint8Array; truth: { start_s: number; end_s: number }[] } {
  const source = random(seed);
  const ring = Math.ceil(0.5 / pixelSize_um);
  const [width, height] = size_um.map((size) => Math.ceil(size / pixelSize_um) + 2 * ring) as [number, number];
  const n = width * height;
  const sigma_px = PSF_UM / pixelSize_um;
  const x = (at: number): number => ((at % width) - (width - 1) / 2) * pixelSize_um;
  const y = (at: number): number => (Math.floor(at / width) - (height - 1) / 2) * pixelSize_um;
  const mask = Uint8Array.from({ length: n }, (_, at) =>
    (2 * x(at)) ** 2 / size_um[0] ** 2 + (2 * y(at)) ** 2 / size_um[1] ** 2 < 1 ? 1 : 0,
  );
  const inside = Array.from(mask.keys()).filter((at) => mask[at] === 1);
  const depth_um = distanceTransform(mask, width, height).map((d) => (d - 0.5) * pixelSize_um);
  const face = Float32Array.from({ length: n }, (_, at) =>
    mask[at] === 1 ? 1 + 0.1 * source.normal() : 0.4 + 0.2 * source.normal(),
  );
  const arrivals = fronts.map(({ kind, start_s, velocity_um_s, angle = 0.7, share = [0, 1] }) => {
    const along = (at: number): number => x(at) * Math.cos(angle) + y(at) * Math.sin(angle);
    const corner = inside.reduce((a, b) => (along(b) < along(a) ? b : a));
    const way = (at: number): number => {
      if (kind === "core") return depth_um[at]!;
      return kind === "plane" ? along(at) - along(corner) : Math.hypot(x(at) - x(corner), y(at) - y(corner));
    };
    const order = inside.map(way).sort((a, b) => a - b);
    const [from, to] = share.map((part) => order[Math.round(part * (order.length - 1))]!) as [number, number];
    const arrival_s = new Float64Array(n).fill(NaN);
    for (const at of inside) {
      if (way(at) >= from && way(at) <= to) arrival_s[at] = start_s + (way(at) - from) / velocity_um_s;
    }
    return arrival_s;
  });
  const time_s = Float64Array.from(
    { length: Math.floor(duration_s / interval_s) + 1 },
    (_, frame) => frame * interval_s,
  ).filter(() => source.uniform() >= dropped);
  const data = new Float32Array(time_s.length * n);
  time_s.forEach((t_s, frame) => {
    const scene = face.map((level, at) => {
      if (mask[at] === 0) return level;
      const clean = dirt && Math.hypot(x(at) - 0.5, y(at) - 0.3) < 0.4 ? level : level * ramp(t_s);
      return fronts.reduce((light, { step, velocity_um_s, line = 0 }, front) => {
        const behind_um = (t_s - arrivals[front]![at]!) * velocity_um_s;
        if (Number.isNaN(behind_um)) return light;
        const bright = 1 + line * Math.exp(-0.5 * (behind_um / PSF_UM) ** 2);
        return light * bright * (1 + step * Math.min(1, Math.max(0, behind_um / pixelSize_um + 0.5)));
      }, clean);
    });
    const image = gaussianBlur(scene, width, height, sigma_px * focus(t_s));
    const [dx, dy] = [0.03 * source.normal(), 0.03 * source.normal()];
    const gain = 1 + 0.001 * source.normal();
    for (let at = 0; at < n; at++) {
      const slopeX = 0.5 * ((image[at + 1] ?? image[at]!) - (image[at - 1] ?? image[at]!));
      const slopeY = 0.5 * ((image[at + width] ?? image[at]!) - (image[at - width] ?? image[at]!));
      const light = gain * (image[at]! - dx * slopeX - dy * slopeY);
      data[frame * n + at] = 1000 * (light + noise * Math.sqrt(Math.max(light, 0.1)) * source.normal());
    }
  });
  const truth = arrivals.map((arrival_s) => {
    const known = [...arrival_s].filter((t_s) => !Number.isNaN(t_s));
    return { start_s: Math.min(...known), end_s: Math.max(...known) };
  });
  return { stack: { width, height, pixelSize_um, time_s, data }, mask, truth };
}

const defaults = { particle: 3, lag_s: 20, threshold: 5, psf_um: PSF_UM, splits_s: [] as number[] };

function windowsOf(scene: Scene, splits_s: number[] = []) {
  const { stack, mask, truth } = movie(scene);
  return { ...findTransitions(stack, mask, { ...defaults, splits_s }), truth };
}

const there = { kind: "core", start_s: 150, velocity_um_s: 0.02, step: 0.1 } as const;

describe("a front", () => {
  test("has one window, its ends within two frames of the first and the last light, whatever its way, speed and step", () => {
    const draw = fc.record({
      seed: fc.integer({ min: 1, max: 1e6 }),
      kind: fc.constantFrom("plane" as const, "corner" as const, "core" as const),
      velocity_um_s: fc.double({ min: Math.log(0.006), max: Math.log(0.05), noNaN: true }).map(Math.exp),
      size: fc.double({ min: 0.05, max: 0.3, noNaN: true }),
      darkens: fc.boolean(),
      angle: fc.double({ min: 0, max: 6.28, noNaN: true }),
      noise: fc.double({ min: Math.log(0.002), max: Math.log(0.02), noNaN: true }).map(Math.exp),
      interval_s: fc.constantFrom(2.5, 5, 10),
      brightens: fc.boolean(),
    });
    fc.assert(
      fc.property(draw, ({ kind, velocity_um_s, size, darkens, angle, brightens, interval_s, ...scene }) => {
        const way_um = kind === "core" ? 1.2 : 3;
        // The image of a front faster than that has no place at any time.
        const speed = Math.min(velocity_um_s, way_um / (3 * Math.max(interval_s, 5)));
        const duration_s = 350 + way_um / speed;
        const front = { kind, start_s: 150, velocity_um_s: speed, step: darkens ? -size : size, angle };
        const ramp = brightens ? (t_s: number) => 1 + (0.4 * t_s) / duration_s : undefined;
        const { windows, truth } = windowsOf({
          ...scene,
          interval_s,
          duration_s,
          fronts: [front],
          ...(ramp ? { ramp } : {}),
        });
        expect(windows).toHaveLength(1);
        const [window] = windows;
        const tolerance_s = 2 * Math.max(interval_s, 5);
        expect(Math.abs(window!.start_s - truth[0]!.start_s)).toBeLessThan(tolerance_s);
        expect(Math.abs(window!.end_s - truth[0]!.end_s)).toBeLessThan(tolerance_s);
        expect(Math.sign(window!.step)).toBe(darkens ? -1 : 1);
        expect(window!.closed).toBe(true);
        expect(window!.order).not.toBe("homogeneous");
      }),
      { numRuns: 20, seed: 20210601 },
    );
  });

  test("is seen at 5 nm/s under 3 % noise, where one lag shows almost nothing", () => {
    const front = { kind: "plane", start_s: 120, velocity_um_s: 0.005, step: 0.05 } as const;
    const { windows, truth } = windowsOf({ seed: 2, noise: 0.03, duration_s: 850, fronts: [front] });
    expect(windows).toHaveLength(1);
    expect(windows[0]!.order).toBe("front");
    expect(Math.abs(windows[0]!.start_s - truth[0]!.start_s)).toBeLessThan(2 * windows[0]!.sd_s);
    expect(Math.abs(windows[0]!.end_s - truth[0]!.end_s)).toBeLessThan(2 * windows[0]!.sd_s);
  });

  test("at 70 nm/s crosses in half a minute and is still a front", () => {
    const { windows, truth } = windowsOf({ seed: 5, fronts: [{ ...there, kind: "plane", velocity_um_s: 0.07 }] });
    expect(windows.map(({ order }) => order)).toEqual(["front"]);
    expect(Math.abs(windows[0]!.start_s - truth[0]!.start_s)).toBeLessThan(5);
    expect(Math.abs(windows[0]!.end_s - truth[0]!.end_s)).toBeLessThan(5);
  });

  test("whose boundary is a bright line is not seen earlier for it", () => {
    const front = { ...there, kind: "plane", line: 0.06, velocity_um_s: 0.012 } as const;
    const { windows, truth } = windowsOf({ seed: 8, duration_s: 650, fronts: [front] });
    expect(windows).toHaveLength(1);
    // Half of the light of a spot is changed 8 s before the boundary's middle is there.
    expect(Math.abs(windows[0]!.start_s - truth[0]!.start_s)).toBeLessThan(5);
    expect(Math.abs(windows[0]!.end_s - truth[0]!.end_s)).toBeLessThan(5);
  });

  test("that runs when the movie begins or ends has a window to the movie's end that is not closed", () => {
    const early = windowsOf({ seed: 1, duration_s: 300, fronts: [{ ...there, kind: "plane", start_s: -60 }] });
    expect(early.windows.map(({ closed, start_s }) => [closed, start_s])).toEqual([[false, 0]]);
    const late = windowsOf({ seed: 1, duration_s: 220, fronts: [{ ...there, kind: "plane" }] });
    expect(late.windows.map(({ closed, end_s }) => [closed, end_s])).toEqual([[false, 220]]);
  });

  test("keeps its window when frames were dropped, were dark, or the camera paused", () => {
    const front = { ...there, kind: "plane" } as const;
    const { stack, mask, truth } = movie({ seed: 7, dropped: 0.1, fronts: [front] });
    const n = stack.width * stack.height;
    const dark = { ...stack, data: stack.data.map((one, at) => (Math.floor(at / n) % 9 === 0 ? NaN : one)) };
    const late_s = (t_s: number): number => (t_s > 220 ? t_s + 200 : t_s);
    const paused = { ...stack, time_s: stack.time_s.map(late_s) };
    for (const [seen, end_s] of [
      [dark, truth[0]!.end_s],
      [paused, late_s(truth[0]!.end_s)],
    ] as const) {
      const { windows } = findTransitions(seen, mask, defaults);
      expect(windows).toHaveLength(1);
      expect(Math.abs(windows[0]!.start_s - truth[0]!.start_s)).toBeLessThan(10);
      expect(Math.abs(windows[0]!.end_s - end_s)).toBeLessThan(10);
    }
  });
});

describe("several changes", () => {
  test("a burst at the edge, a pause of three minutes and the rest are one transition", () => {
    const { windows, truth } = windowsOf({
      seed: 4,
      size_um: [4, 3.4],
      duration_s: 640,
      noise: 0.005,
      fronts: [
        { ...there, share: [0, 0.2], start_s: 120, velocity_um_s: 0.006 },
        { ...there, share: [0.2, 1], start_s: 340 },
      ],
    });
    expect(windows).toHaveLength(1);
    expect(Math.abs(windows[0]!.start_s - truth[0]!.start_s)).toBeLessThan(10);
    expect(Math.abs(windows[0]!.end_s - truth[1]!.end_s)).toBeLessThan(10);
  });

  test("the same spots that change again make a second transition, also if they change much less", () => {
    for (const step of [0.08, 0.025]) {
      const { windows } = windowsOf({
        seed: 4,
        noise: 0.005,
        fronts: [there, { kind: "plane", start_s: 400, velocity_um_s: 0.05, step }],
      });
      expect(windows).toHaveLength(2);
      expect(Math.abs(windows[0]!.start_s - 150)).toBeLessThan(10);
      expect(Math.abs(windows[1]!.start_s - 400)).toBeLessThan(10);
    }
  });

  test("two that undo each other half a minute apart are told apart", () => {
    const { windows } = windowsOf({
      seed: 3,
      fronts: [
        { kind: "plane", start_s: 200, velocity_um_s: 0.07, step: 0.06, angle: 0 },
        { kind: "plane", start_s: 275, velocity_um_s: 0.07, step: -0.06, angle: 2 },
      ],
    });
    expect(windows.map(({ step }) => Math.sign(step))).toEqual([1, -1]);
  });

  test("no window spans the start of a half cycle", () => {
    const fronts = [
      { ...there, start_s: 215, velocity_um_s: 0.015 },
      { ...there, start_s: 310, step: -0.09 },
    ];
    const { windows } = windowsOf({ seed: 6, fronts }, [0, 300]);
    expect(windows).toHaveLength(2);
    expect(windows[0]!.end_s).toBeLessThanOrEqual(300);
    expect(windows[1]!.start_s).toBeGreaterThanOrEqual(300);
  });
});

describe("no window is made by", () => {
  const seeds = Array.from({ length: 50 }, (_, at) => 100 + at);
  const small = { size_um: [2.2, 2], duration_s: 500 } as const;

  test("an inert crystal, whatever the noise: none in fifty movies", () => {
    const noises = [0.002, 0.01, 0.03];
    const found = seeds.flatMap((seed) => windowsOf({ ...small, seed, noise: noises[seed % 3]! }).windows);
    expect(found).toEqual([]);
  });

  test("a solid solution that brightens 1.6 times, turns back and stops, however fast", () => {
    const triangle = (half_s: number) => (t_s: number) => 1 + 0.6 * Math.max(0, 1 - Math.abs(t_s - 250) / half_s);
    const found = seeds.slice(0, 15).flatMap((seed) => {
      const ramp = triangle(50 + 10 * (seed % 15));
      return windowsOf({ ...small, seed, noise: 0.003, ramp, dirt: seed % 3 === 0 }).windows;
    });
    expect(found).toEqual([]);
  });

  test("a focus that breathes by 5 %", () => {
    const focus = (t_s: number): number => 1 + 0.05 * Math.sin(t_s / 40);
    expect(seeds.slice(0, 5).flatMap((seed) => windowsOf({ seed, noise: 0.005, focus }).windows)).toEqual([]);
  });
});

test("a sudden step of the whole face is homogeneous, but none at the start of a half cycle", () => {
  const ramp = (t_s: number): number => (t_s < 302 ? 1 : 1.05);
  const { windows } = windowsOf({ seed: 1, ramp });
  expect(windows.map(({ order }) => order)).toEqual(["homogeneous"]);
  expect(windows[0]!.start_s).toBeLessThanOrEqual(302);
  expect(windows[0]!.end_s).toBeGreaterThanOrEqual(302);
  expect(windowsOf({ seed: 1, ramp }, [300]).windows).toEqual([]);
});

test("nor is one whose face answers unevenly, a part of it less, just before the current turns", () => {
  const fronts = [{ kind: "core", start_s: 300, velocity_um_s: 0.6, step: 0.05 }] as const;
  const orders = (splits_s: number[]): string[] =>
    windowsOf({ seed: 2, fronts }, splits_s).windows.map(({ order }) => order);
  expect(orders([])).toEqual(["homogeneous"]);
  expect(orders([316])).toEqual([]);
});

test("evenness tells every frame: unknown without a partner, noise where nothing moves, far above it in a front", () => {
  const { stack, mask, truth } = movie({ seed: 9, fronts: [there] });
  const { evenness } = findTransitions(stack, mask, defaults);
  expect(evenness.particle).toBe(3);
  expect(evenness.time_s).toEqual(stack.time_s);
  const ratio = evenness.unevenness.map((one, frame) => one / evenness.expected[frame]!);
  const between = (from_s: number, to_s: number) =>
    [...ratio].filter((_, frame) => stack.time_s[frame]! > from_s && stack.time_s[frame]! < to_s);
  expect(between(-1, 14.9).every(Number.isNaN)).toBe(true);
  const quiet = between(25, truth[0]!.start_s - 10);
  expect(quiet.reduce((sum, one) => sum + one, 0) / quiet.length).toBeCloseTo(1, 1);
  expect(Math.min(...between(truth[0]!.start_s + 15, truth[0]!.end_s))).toBeGreaterThan(3);
});

test("frames farther apart than the lag are compared one by one, with a sentence", () => {
  const { windows, warnings } = windowsOf({
    seed: 2,
    interval_s: 30,
    duration_s: 1800,
    fronts: [{ ...there, kind: "plane", start_s: 600, velocity_um_s: 0.006 }],
  });
  expect(warnings).toEqual(["frames are 30 s apart, so images are compared over that instead of 20 s."]);
  expect(windows).toHaveLength(1);
});

test("a movie of one frame and an empty outline have no window, and say so", () => {
  const { stack, mask } = movie({ seed: 1, duration_s: 0 });
  const one = findTransitions(stack, mask, defaults);
  expect([one.windows, one.warnings.length, one.evenness.unevenness.length]).toEqual([[], 1, 1]);
  const { stack: whole } = movie({ seed: 1, duration_s: 100 });
  expect(findTransitions(whole, new Uint8Array(mask.length), defaults).windows).toEqual([]);
});
