/** Synthetic movies of a crystal on speckled carbon that drifts as one asks: the truth for tests of registration. */
import { random } from "../src/kernels/random.js";
import type { Movie, Samples } from "../src/model/movie.js";
import type { Particle } from "../src/model/particle.js";

export interface DriftingCarrier {
  readonly width?: number;
  readonly height?: number;
  readonly frames?: number;
  readonly pixelSize_um?: number;
  readonly interval_s?: number;
  readonly seed?: number;
  /** Where the scene of frame 0 lies in a frame, px. */
  readonly drift_px?: (frame: number) => readonly [number, number];
  /** Standard deviation of the carbon's speckle over its mean; 0 for a bare carrier. */
  readonly contrast?: number;
  /** Size of a speckle grain; by default the point spread. */
  readonly grain_um?: number;
  /** Shot noise of a pixel of mean brightness, as a fraction. */
  readonly noise?: number;
  /** Semi-axes of the crystal; null for none. */
  readonly semi_um?: readonly [number, number] | null;
  /** Brightness of the crystal over the carbon's mean at the start, and what multiplies it at the end. */
  readonly crystal?: number;
  readonly brightening?: number;
  /** Standard deviation of the lamp from frame to frame. */
  readonly flicker?: number;
  /** Fixed to the camera: darkening at the corners, pixel gains, specks of dust. */
  readonly vignette?: number;
  readonly prnu?: number;
  readonly dust?: number;
  readonly blackLevel?: number;
  /** Counts of the mean carbon above the black level. */
  readonly counts?: number;
}

export interface CarrierMovie {
  readonly movie: Movie;
  readonly particles: readonly Particle[];
  readonly drift_px: readonly (readonly [number, number])[];
  readonly lamp: Float64Array;
  /** Illumination of the camera's pixels: vignette and dust. */
  readonly flat: Float64Array;
  readonly blackLevel: number;
}

const PSF_UM = 0.118;

/** The movie, its crystal's outline, and the truth. Frames are made when they are first read, and kept. */
export function driftingCarrier(scene: DriftingCarrier): CarrierMovie {
  const { width = 192, height = 192, frames = 40, pixelSize_um = 0.08, interval_s = 5, seed = 1 } = scene;
  const { contrast = 0.25, grain_um = PSF_UM, noise = 0.01, crystal = 2.2, brightening = 1.6, counts = 6000 } = scene;
  const { flicker = 0, vignette = 0, prnu = 0, dust = 0, blackLevel = 100, semi_um = [4.8, 3.4] } = scene;
  const draw = random(seed);
  const size = width * height;
  const drift_px = Array.from({ length: frames }, (_, frame) => scene.drift_px?.(frame) ?? ([0, 0] as const));
  const lamp = Float64Array.from({ length: frames }, () => 1 + flicker * draw.normal());

  const sigma = grain_um / pixelSize_um;
  const reach = Math.max(...drift_px.flat().map(Math.abs)) + 6 * sigma;
  const [spanX, spanY] = [width + 2 * reach, height + 2 * reach];
  const perArea = 1 / (5 * sigma * sigma);
  const count = contrast > 0 ? Math.round(spanX * spanY * perArea) : 0;
  // Uniform amplitudes 0 ... 2a: variance of the sum = perArea pi sigma^2 (4/3) a^2.
  const amplitude = contrast / Math.sqrt(perArea * Math.PI * sigma * sigma * (4 / 3));
  const base = 1 - perArea * amplitude * 2 * Math.PI * sigma * sigma;
  const grains = Array.from({ length: count }, () => ({
    x: draw.uniform() * spanX - reach,
    y: draw.uniform() * spanY - reach,
    a: 2 * amplitude * draw.uniform(),
  }));

  const [centreX, centreY] = [(width - 1) / 2 + draw.uniform(), (height - 1) / 2 + draw.uniform()];
  const angle = draw.uniform() * Math.PI;
  const semi_px = semi_um === null ? null : ([semi_um[0] / pixelSize_um, semi_um[1] / pixelSize_um] as const);
  const edge = PSF_UM / pixelSize_um;

  const flat = new Float64Array(size);
  const gains = new Float64Array(size);
  const specks = Array.from({ length: dust }, () => ({
    x: draw.uniform() * width,
    y: draw.uniform() * height,
    sigma: 2 + 5 * draw.uniform(),
    depth: 0.1 + 0.2 * draw.uniform(),
  }));
  const [lightX, lightY] = [(0.4 + 0.2 * draw.uniform()) * width, (0.4 + 0.2 * draw.uniform()) * height];
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at++) {
      const r2 = ((x - lightX) ** 2 + (y - lightY) ** 2) / ((width * width + height * height) / 4);
      flat[at] = 1 + vignette * (1 - 2 * r2);
      for (const speck of specks)
        flat[at]! *= 1 - speck.depth * Math.exp(-((x - speck.x) ** 2 + (y - speck.y) ** 2) / (2 * speck.sigma ** 2));
      gains[at] = 1 + prnu * draw.normal();
    }
  }

  const render = (frame: number, into: Samples): void => {
    const [dx, dy] = drift_px[frame]!;
    const light = new Float64Array(size).fill(base);
    const cut = Math.ceil(5 * sigma);
    const alongX = new Float64Array(2 * cut + 2);
    for (const { x, y, a } of grains) {
      const [gx, gy] = [x + dx, y + dy];
      const [left, top] = [Math.floor(gx) - cut, Math.floor(gy) - cut];
      if (left > width || top > height || left + 2 * cut + 1 < 0 || top + 2 * cut + 1 < 0) continue;
      for (let k = 0; k < alongX.length; k++) alongX[k] = Math.exp(-0.5 * ((left + k - gx) / sigma) ** 2);
      for (let k = 0; k < alongX.length; k++) {
        const row = top + k;
        if (row < 0 || row >= height) continue;
        const weight = a * Math.exp(-0.5 * ((row - gy) / sigma) ** 2);
        const end = Math.min(alongX.length, width - left);
        for (let l = Math.max(0, -left); l < end; l++) light[row * width + left + l]! += weight * alongX[l]!;
      }
    }
    if (semi_px !== null) {
      const level = crystal * (1 + ((brightening - 1) * frame) / Math.max(1, frames - 1));
      for (let y = 0, at = 0; y < height; y++) {
        for (let x = 0; x < width; x++, at++) {
          const [ux, uy] = [x - dx - centreX, y - dy - centreY];
          const p = (ux * Math.cos(angle) + uy * Math.sin(angle)) / semi_px[0];
          const q = (uy * Math.cos(angle) - ux * Math.sin(angle)) / semi_px[1];
          const radius = Math.hypot(p, q);
          const slope = Math.hypot(p / semi_px[0], q / semi_px[1]) / Math.max(radius, 1e-9);
          const depth = (1 - radius) / Math.max(slope, 1e-9);
          if (depth < -6 * edge) continue;
          const cover = 1 / (1 + Math.exp((-1.702 * depth) / edge));
          const texture = 1 + 0.03 * Math.sin(0.9 * ux) * Math.sin(0.7 * uy);
          light[at] = light[at]! * (1 - cover) + cover * level * texture;
        }
      }
    }
    const noises = random(seed * 7919 + frame + 1);
    for (let at = 0; at < size; at++) {
      const signal = light[at]! * lamp[frame]! * flat[at]! * gains[at]!;
      const seen = signal + noise * Math.sqrt(Math.max(signal, 0)) * noises.normal();
      into[at] = Math.max(0, Math.min(65535, Math.round(blackLevel + counts * seen)));
    }
  };

  const rendered = new Map<number, Uint16Array>();
  const movie: Movie = {
    name: "synthetic",
    format: "memory",
    width,
    height,
    frames,
    dtype: "uint16",
    pixelSize_um,
    pixelSizeSource: "test",
    time_s: Float64Array.from({ length: frames }, (_, frame) => frame * interval_s),
    timeSource: "test",
    frameStamp: "middle",
    start: null,
    warnings: [],
    async read(index, into) {
      if (!rendered.has(index)) {
        const samples = new Uint16Array(size);
        render(index, samples);
        rendered.set(index, samples);
      }
      into.set(rendered.get(index)!);
    },
    close: async () => undefined,
  };
  const particles: Particle[] = [];
  if (semi_px !== null) {
    const outline_px = Array.from({ length: 120 }, (_, at) => {
      const [p, q] = [semi_px[0] * Math.cos((2 * Math.PI * at) / 120), semi_px[1] * Math.sin((2 * Math.PI * at) / 120)];
      return [
        centreX + p * Math.cos(angle) - q * Math.sin(angle),
        centreY + p * Math.sin(angle) + q * Math.cos(angle),
      ] as const;
    });
    particles.push({
      id: 0,
      centre_px: [centreX, centreY],
      area_um2: Math.PI * semi_um![0] * semi_um![1],
      outline_px,
      source: "found",
      touchesBorder: false,
    });
  }
  return { movie, particles, drift_px, lamp, flat, blackLevel };
}

/** The movie with frames changed after the camera: `change` alters the samples it is given. */
export function altered(movie: Movie, change: (frame: number, samples: Samples) => void): Movie {
  return {
    ...movie,
    async read(index, into, signal) {
      await movie.read(index, into, signal);
      change(index, into);
    },
  };
}
