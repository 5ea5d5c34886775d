/** A movie made for the benches in seconds: two crystals on speckled carbon, each crossed by a front, with drift, lamp and noise. */
import { closeSync, openSync, writeFileSync, writeSync } from "node:fs";
import path from "node:path";
import { writeOmeTiff } from "../src/io/ome-tiff-write.js";
import { gaussianBlur } from "../src/kernels/filter.js";
import { random } from "../src/kernels/random.js";
import { sampleSpline, splineCoefficients } from "../src/kernels/resample.js";
import { cycler } from "../test/cycler.js";

/** What is made, and the truth of it. */
export interface MadeMovie {
  readonly movie: string;
  readonly cycling: string;
  readonly pixelSize_um: number;
  readonly blackLevel: number;
  /** Where the scene of frame 0 lies in each frame, px. */
  readonly drift_px: readonly (readonly [number, number])[];
  /** Boxes of the crystals: left, top, width, height. */
  readonly boxes_px: readonly (readonly [number, number, number, number])[];
}

export const PIXEL_UM = 0.05;
const PSF_PX = 0.118 / PIXEL_UM;
export const BLACK = 100;
/** Counts of the mean carbon above black, and noise of a pixel there. */
const LEVEL = 6000;
const NOISE = 0.009;
const START = "2020-10-26T12:49:58.000Z";
const INTERVAL_S = 1;
/** Noise is drawn once and begun at another place in every row. */
const DRAWN = 2 ** 20;
const MARGIN = 16;
/** Shares of the movie before the fronts start, and while they cross: 19 nm/s in 600 frames of 512 x 512. */
const BEFORE = 0.2;
const CROSSING = 0.55;

/** Crystals: centre and half axes as shares of the field, and where the front goes. */
const crystals = [
  { centre: [0.31, 0.31], radii: [0.125, 0.1], angle_deg: 20, direction_deg: 30 },
  { centre: [0.7, 0.66], radii: [0.156, 0.117], angle_deg: -30, direction_deg: 140 },
] as const;

/** A scene whose frames are drawn one after another. */
export interface Scene {
  readonly drift_px: MadeMovie["drift_px"];
  readonly boxes_px: MadeMovie["boxes_px"];
  /** The samples of a frame, good until the next is drawn. */
  render(frame: number): Uint16Array;
}

/** A scene for so many frames. Where it `loops`, the last frame leads to the first: no front passes, and the scene sways. */
export function madeScene(frames: number, width: number, height: number, loops = false): Scene {
  const draw = random(width + height + frames);
  const side = Math.min(width, height);
  const [wide, tall] = [width + 2 * MARGIN, height + 2 * MARGIN];
  const n = wide * tall;
  const speckle = gaussianBlur(
    Float32Array.from({ length: n }, () => draw.normal()),
    wide,
    tall,
    PSF_PX,
  );
  const contrast = 0.3 * Math.sqrt(4 * Math.PI) * PSF_PX;
  const grain = gaussianBlur(
    Float32Array.from({ length: n }, () => draw.normal()),
    wide,
    tall,
    2 * PSF_PX,
  );
  const still = speckle.map((value) => Math.max(0.1, 1 + contrast * value));
  const inside: { at: number; bright: number; passing_s: number; speed_px_s: number }[] = [];
  const boxes_px: [number, number, number, number][] = [];
  for (const { centre, radii, angle_deg, direction_deg } of crystals) {
    const [cos, sin] = [Math.cos((angle_deg * Math.PI) / 180), Math.sin((angle_deg * Math.PI) / 180)];
    const [goX, goY] = [Math.cos((direction_deg * Math.PI) / 180), Math.sin((direction_deg * Math.PI) / 180)];
    const reach = radii[0] * side;
    const speed_px_s = (2 * reach) / (CROSSING * frames * INTERVAL_S);
    for (let y = 0, at = 0; y < tall; y++) {
      for (let x = 0; x < wide; x++, at++) {
        const [u, v] = [x - MARGIN - centre[0] * width, y - MARGIN - centre[1] * height];
        const [p, q] = [(u * cos + v * sin) / (radii[0] * side), (v * cos - u * sin) / (radii[1] * side)];
        const radius = Math.hypot(p, q);
        const depth_px = (1 - radius) * radii[1] * side;
        if (depth_px < -5 * PSF_PX) continue;
        const cover = 1 / (1 + Math.exp((-1.702 * depth_px) / PSF_PX));
        const bright = 2.5 * cover * (1 + 0.03 * Math.sqrt(4 * Math.PI) * 2 * PSF_PX * grain[at]!);
        still[at] = still[at]! * (1 - cover) + bright;
        const passing_s = BEFORE * frames * INTERVAL_S + (u * goX + v * goY + reach) / speed_px_s;
        inside.push({ at, bright, passing_s, speed_px_s });
      }
    }
    const left = Math.max(0, Math.round(centre[0] * width - reach - 6));
    const top = Math.max(0, Math.round(centre[1] * height - reach - 6));
    const size = Math.round(2 * reach + 12);
    boxes_px.push([left, top, Math.min(size, width - left), Math.min(size, height - top)]);
  }
  let [walkX, walkY] = [0, 0];
  const drift_px = Array.from({ length: frames }, (_, frame): [number, number] => {
    const turn = (2 * Math.PI * frame) / frames;
    if (loops) return [0.3 * Math.sin(turn), 0.3 * Math.cos(turn) - 0.3];
    if (frame > 0) [walkX, walkY] = [walkX + 0.02 * draw.normal(), walkY + 0.02 * draw.normal()];
    const share = frame / frames;
    return [5 * share + 0.2 * Math.sin(15 * share) + walkX, -4 * share + 0.2 * Math.cos(15 * share) - 0.2 + walkY];
  });
  const flat = Float32Array.from({ length: width * height }, (_, at) => {
    const [u, v] = [(at % width) / width - 0.5, Math.floor(at / width) / height - 0.5];
    return (1.1 - 0.4 * (u * u + v * v)) * (1 + 0.01 * draw.normal());
  });
  const normals = Float32Array.from({ length: DRAWN + width }, () => NOISE * draw.normal());
  const scene = new Float32Array(n);
  const moved = new Float32Array(width * height);
  const samples = new Uint16Array(width * height);
  const render = (frame: number): Uint16Array => {
    scene.set(still);
    const t_s = frame * INTERVAL_S;
    for (const { at, bright, passing_s, speed_px_s } of loops ? [] : inside) {
      const beyond = ((t_s - passing_s) * speed_px_s) / PSF_PX;
      if (beyond < -4) continue;
      const done = 1 / (1 + Math.exp(-1.702 * beyond));
      scene[at] = scene[at]! + bright * (0.16 * done + 0.06 * Math.exp(-0.5 * beyond * beyond));
    }
    splineCoefficients(scene, wide, tall);
    const [dx, dy] = drift_px[frame]!;
    sampleSpline(scene, wide, tall, MARGIN - dx, MARGIN - dy, moved, 0, width, height);
    const lamp = LEVEL * (1 + 0.01 * draw.normal());
    for (let y = 0, at = 0; y < height; y++) {
      const from = Math.floor(draw.uniform() * DRAWN);
      for (let x = 0; x < width; x++, at++) {
        const light = moved[at]! * flat[at]!;
        samples[at] = BLACK + lamp * (light + Math.sqrt(light) * normals[from + x]!) + 0.5;
      }
    }
    return samples;
  };
  return { drift_px, boxes_px, render };
}

/** Writes movie.ome.tif and cycling.csv into a folder; `side` a side of its square frames. */
export async function makeMovie(folder: string, frames: number, side: number): Promise<MadeMovie> {
  const { drift_px, boxes_px, render } = madeScene(frames, side, side);
  const movie = path.join(folder, "movie.ome.tif");
  const descriptor = openSync(movie, "w");
  await writeOmeTiff({
    width: side,
    height: side,
    dtype: "uint16",
    pixelSize_um: PIXEL_UM,
    time_s: Float64Array.from({ length: frames }, (_, frame) => frame * INTERVAL_S),
    start: START,
    frameStamp: "middle",
    frames: rendered(frames, render),
    sink: { write: async (bytes, position) => void writeSync(descriptor, bytes, 0, bytes.length, position) },
  });
  closeSync(descriptor);
  const cycling = path.join(folder, "cycling.csv");
  writeFileSync(cycling, cyclingText(frames * INTERVAL_S));
  return { movie, cycling, pixelSize_um: PIXEL_UM, blackLevel: BLACK, drift_px, boxes_px };
}

function* rendered(frames: number, render: (frame: number) => Uint16Array): Generator<Uint16Array> {
  for (let frame = 0; frame < frames; frame++) yield render(frame);
}

/** A rest and a charge at 2C that ends with the movie. */
function cyclingText(lasts_s: number): string {
  const { cycling } = cycler(
    [
      { current_mA: 0, for_s: 0.15 * lasts_s },
      { current_mA: 0.25, until_V: 4.3 },
    ],
    { interval_s: 1, noise_V: 2e-5, capacity_mAh: 0.126 },
  );
  const start_s = Date.parse(START) / 1000;
  const lines = ["Test Time / s,Voltage / V,Current / A,Net Capacity / Ah,Unix Time / s"];
  for (let row = 0; row < cycling.time_s.length; row++) {
    const t_s = cycling.time_s[row]!;
    lines.push(
      `${t_s},${cycling.potential_V[row]!},${cycling.current_mA[row]! / 1000},${cycling.charge_mAh[row]! / 1000},${(start_s + t_s).toFixed(3)}`,
    );
  }
  return `${lines.join("\n")}\n`;
}
