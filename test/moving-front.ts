/** Synthetic movies of one particle with a phase boundary that moves as one asks: the truth for tests of the fronts. */
import { gaussianBlur } from "../src/kernels/filter.js";
import { random } from "../src/kernels/random.js";
import type { Transition } from "../src/model/experiment.js";
import type { Stack } from "../src/model/movie.js";

/** Where the boundary is at a place: x, y in um from the particle's centre, depth in um below its outline. */
export type Passing = (x_um: number, y_um: number, depth_um: number) => number;

export interface Scene {
  /** Semi-axes of the particle, an ellipse. */
  readonly semi_um: readonly [number, number];
  /** Moment at which the boundary passes a place, in s; Infinity where it never does. */
  readonly passing_s: Passing;
  /** Speed of the boundary there, for the width of its bright line. */
  readonly speed_um_s: Passing;
  readonly pixelSize_um?: number;
  readonly psf_um?: number;
  /** Times of the frames; by default every 5 s through the passing with 60 s on both sides. */
  readonly time_s?: Float64Array;
  readonly interval_s?: number;
  readonly margin_s?: number;
  readonly step?: number;
  /** Height of the bright line as a share of the step, and its width. */
  readonly line?: number;
  readonly lineWidth_um?: number;
  /** Brightness of the whole particle in time, apart from the boundary. */
  readonly common?: (t_s: number) => number;
  readonly texture?: number;
  /** Share of the frame interval over which light is gathered; 0 for an instant. */
  readonly exposed?: number;
  readonly seed?: number;
}

export interface MovingFront {
  /** Without camera noise. */
  readonly clean: Stack;
  readonly mask: Uint8Array;
  /** Truth at the pixels' centres; NaN outside the particle. */
  readonly passing_s: Float64Array;
  readonly speed_um_s: Float64Array;
  readonly depth_um: Float64Array;
  readonly window: Transition;
  readonly psf_um: number;
}

/** Parts of a pixel's side at which the object is drawn. */
const FINE = 3;

/** The scene drawn finely, binned to pixels and blurred by the point spread. */
export function movingFront(scene: Scene): MovingFront {
  const { semi_um, passing_s, speed_um_s, pixelSize_um = 0.08, psf_um = 0.118, step = 0.12, line = 0 } = scene;
  const { lineWidth_um = psf_um, common = () => 1, texture = 0.15, exposed = 0, seed = 1 } = scene;
  const ring_um = 0.8;
  const width = 2 * Math.ceil((semi_um[0] + ring_um) / pixelSize_um) + 1;
  const height = 2 * Math.ceil((semi_um[1] + ring_um) / pixelSize_um) + 1;
  const fineWidth = width * FINE;
  const fineHeight = height * FINE;
  const fine_um = pixelSize_um / FINE;
  const inside = new Uint8Array(fineWidth * fineHeight);
  const place = (at: number, count: number): number => (at - (count - 1) / 2) * fine_um;
  for (let y = 0, at = 0; y < fineHeight; y++) {
    for (let x = 0; x < fineWidth; x++, at++) {
      const u = place(x, fineWidth) / semi_um[0];
      const v = place(y, fineHeight) / semi_um[1];
      inside[at] = u * u + v * v <= 1 ? 1 : 0;
    }
  }
  const depth = Float64Array.from(inside, (one, at) =>
    one === 0
      ? 0
      : depthInEllipse(place(at % fineWidth, fineWidth), place(Math.floor(at / fineWidth), fineHeight), semi_um),
  );
  const passing = new Float64Array(inside.length).fill(NaN);
  const speed = new Float64Array(inside.length).fill(NaN);
  let first = Infinity;
  let last = -Infinity;
  for (let y = 0, at = 0; y < fineHeight; y++) {
    for (let x = 0; x < fineWidth; x++, at++) {
      if (inside[at] === 0) continue;
      passing[at] = passing_s(place(x, fineWidth), place(y, fineHeight), depth[at]!);
      speed[at] = speed_um_s(place(x, fineWidth), place(y, fineHeight), depth[at]!);
      if (passing[at]! < first) first = passing[at]!;
      if (passing[at]! > last && Number.isFinite(passing[at]!)) last = passing[at]!;
    }
  }
  const interval_s = scene.interval_s ?? 5;
  const margin_s = scene.margin_s ?? 60;
  const time_s =
    scene.time_s ??
    Float64Array.from(
      { length: Math.ceil((last - first + 2 * margin_s) / interval_s) + 1 },
      (_, k) => first - margin_s + k * interval_s,
    );
  const dice = random(seed);
  const grain = Float64Array.from({ length: width * height }, () => Math.exp(texture * dice.normal()));
  const carbon = Float64Array.from({ length: width * height }, () => 0.45 * Math.exp(0.3 * dice.normal()));
  const data = new Float32Array(time_s.length * width * height);
  const object = new Float64Array(width * height);
  const parts = exposed > 0 ? 5 : 1;
  for (let k = 0; k < time_s.length; k++) {
    object.fill(0);
    for (let part = 0; part < parts; part++) {
      const t_s = time_s[k]! + exposed * interval_s * ((part + 0.5) / parts - 0.5);
      const bright = common(t_s);
      for (let y = 0, at = 0; y < fineHeight; y++) {
        const row = Math.floor(y / FINE) * width;
        for (let x = 0; x < fineWidth; x++, at++) {
          const pixel = row + Math.floor(x / FINE);
          let value = carbon[pixel]!;
          if (inside[at] === 1) {
            const beyond_um = (t_s - passing[at]!) * speed[at]!;
            const done = Math.min(1, Math.max(0, beyond_um / fine_um + 0.5));
            const glow = line === 0 ? 0 : line * Math.exp(-0.5 * (beyond_um / lineWidth_um) ** 2);
            value = grain[pixel]! * bright * (1 + step * (done + glow));
          }
          object[pixel] = object[pixel]! + value / (FINE * FINE * parts);
        }
      }
    }
    data.set(gaussianBlur(object, width, height, psf_um / pixelSize_um), k * width * height);
  }
  const centre = (values: Float64Array): Float64Array =>
    Float64Array.from({ length: width * height }, (_, at) => {
      const x = (at % width) * FINE + (FINE - 1) / 2;
      const y = Math.floor(at / width) * FINE + (FINE - 1) / 2;
      return values[y * fineWidth + x]!;
    });
  const mask = Uint8Array.from(centre(Float64Array.from(inside)));
  return {
    clean: { width, height, pixelSize_um, time_s, data },
    mask,
    passing_s: centre(passing),
    speed_um_s: centre(speed),
    depth_um: centre(depth),
    psf_um,
    window: {
      id: 0,
      particle: 0,
      kind: "biphasic",
      direction: step > 0 ? "brightening" : "darkening",
      directionSource: "intensity",
      halfCycle: null,
      since_half_start_s: null,
      rate_C: null,
      start_s: first,
      end_s: last,
      sd_s: interval_s,
      closed: true,
      order: "front",
      lag_to_dQdV: null,
    },
  };
}

/** Distance from a place inside an ellipse to its outline, by the nearest point's angle (Newton's method). */
function depthInEllipse(x: number, y: number, [a, b]: readonly [number, number]): number {
  const u = Math.abs(x);
  const v = Math.abs(y);
  // The nearest point has a larger angle where the place is off the axes: from several starts the least is taken.
  let least = Infinity;
  for (const start of [0.15, 0.5, 0.85]) {
    let angle = (start * Math.PI) / 2;
    for (let round = 0; round < 12; round++) {
      const cos = Math.cos(angle);
      const sin = Math.sin(angle);
      const slope = (b * b - a * a) * cos * sin + a * u * sin - b * v * cos;
      const bend = (b * b - a * a) * (cos * cos - sin * sin) + a * u * cos + b * v * sin;
      angle = Math.min(Math.PI / 2, Math.max(0, angle - slope / Math.max(Math.abs(bend), 1e-9)));
    }
    for (const one of [angle, 0, Math.PI / 2]) {
      least = Math.min(least, Math.hypot(a * Math.cos(one) - u, b * Math.sin(one) - v));
    }
  }
  return least;
}

/** The stack with shot-like noise: `noise` is the relative noise of one pixel of one frame at brightness 1. */
export function withNoise(stack: Stack, noise: number, seed: number): Stack {
  const dice = random(seed);
  const data = Float32Array.from(stack.data, (value) => value + noise * Math.sqrt(Math.max(value, 0)) * dice.normal());
  return { ...stack, data };
}

/** A plane front at one speed; the angle is its direction of travel, from +x towards +y. */
export function planeFront(
  velocity_um_s: number,
  angle_deg: number,
  start_s = 100,
): Pick<Scene, "passing_s" | "speed_um_s"> {
  const cos = Math.cos((angle_deg * Math.PI) / 180);
  const sin = Math.sin((angle_deg * Math.PI) / 180);
  return {
    passing_s: (x, y) => start_s + (x * cos + y * sin) / velocity_um_s,
    speed_um_s: () => velocity_um_s,
  };
}

/** A front that starts along the whole outline and runs inward, its speed rising evenly with depth. */
export function inwardFront(
  outer_um_s: number,
  inner_um_s: number,
  inradius_um: number,
  start_s = 100,
): Pick<Scene, "passing_s" | "speed_um_s"> {
  const gain = (inner_um_s - outer_um_s) / inradius_um;
  return {
    passing_s: (_x, _y, depth) =>
      start_s + (gain === 0 ? depth / outer_um_s : Math.log(1 + (gain * depth) / outer_um_s) / gain),
    speed_um_s: (_x, _y, depth) => outer_um_s + gain * depth,
  };
}

/** Round fronts from places in um from the centre, all starting at once. */
export function roundFronts(
  velocity_um_s: number,
  nuclei_um: readonly (readonly [number, number])[],
  start_s = 100,
): Pick<Scene, "passing_s" | "speed_um_s"> {
  return {
    passing_s: (x, y) => start_s + Math.min(...nuclei_um.map(([nx, ny]) => Math.hypot(x - nx, y - ny))) / velocity_um_s,
    speed_um_s: () => velocity_um_s,
  };
}
