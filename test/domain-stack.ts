/** Particles that order into one, two or three domains, as still stacks whose walls are known: no physics, only pictures. */
import { gaussianBlur } from "../src/kernels/filter.js";
import { maskOfPolygon } from "../src/kernels/polygon.js";
import { random, type Random } from "../src/kernels/random.js";
import type { Stack } from "../src/model/movie.js";

/** What is drawn; what is left out is drawn at random. */
export interface DomainPicture {
  readonly domains?: 1 | 2 | 3;
  /** Contrast of a wall as it is seen through the point spread, and of order. */
  readonly wall?: number;
  readonly order?: number;
  /** Noise of a pixel of a frame. */
  readonly noise?: number;
  readonly frames?: number;
  /** Spread of the face's brightness, and of its answer to order. */
  readonly speckle?: number;
  /** Walls 120 degrees apart, or wherever. */
  readonly threefold?: boolean;
  /** Spots of dirt that change. */
  readonly spots?: number;
  /** Rms shift of a frame that drift correction left. */
  readonly drift_nm?: number;
  readonly pixelSize_um?: number;
  readonly disordering?: boolean;
}

/** A stack with its truth. */
export interface DrawnDomains {
  readonly stack: Stack;
  readonly mask: Uint8Array;
  readonly outline_px: readonly (readonly [number, number])[];
  readonly window: { readonly start_s: number; readonly end_s: number; readonly sd_s: number };
  readonly count: number;
  readonly angles_deg: readonly number[];
  readonly meeting_px: readonly [number, number] | null;
  /** Contrast of a wall over the noise of the total contrast in one pixel. */
  readonly signal: number;
}

const PSF_UM = 0.118;

/** Draws a particle before and after (or, disordering, after and before) ordering. */
export function domainStack(seed: number, given: DomainPicture = {}): DrawnDomains {
  const from = random(seed);
  const between = (low: number, high: number): number => low + (high - low) * from.uniform();
  const pixelSize_um = given.pixelSize_um ?? 0.08;
  const domains = given.domains ?? ((1 + from.integer(3)) as 1 | 2 | 3);
  const wall = given.wall ?? between(0.02, 0.06);
  const order = given.order ?? between(0.01, 0.05) * (from.uniform() < 0.3 ? -1 : 1);
  const noise = given.noise ?? 0.005;
  const frames = given.frames ?? 12;
  const speckle = given.speckle ?? between(0, 0.1);
  const radius_px = between(2.6, 4.4) / pixelSize_um;
  const size = Math.ceil(2.5 * radius_px + 1.6 / pixelSize_um);
  const middle = size / 2;
  const corners = 5 + from.integer(3);
  const turn = between(0, 2 * Math.PI);
  const outline_px = Array.from({ length: corners }, (_, k): [number, number] => {
    const angle = turn + (2 * Math.PI * (k + between(-0.2, 0.2))) / corners;
    const radius = radius_px * between(0.85, 1.15);
    return [middle + radius * Math.cos(angle), middle + radius * Math.sin(angle)];
  });
  const mask = maskOfPolygon(outline_px, size, size);
  const meeting_px: [number, number] = [
    middle + between(-0.3, 0.3) * radius_px,
    middle + between(-0.3, 0.3) * radius_px,
  ];
  const angles_deg = anglesOf(domains, given.threefold ?? true, from);
  const width_px = Math.max(0.5, between(0.03, 0.15) / pixelSize_um);
  const blurred = Math.hypot(width_px, PSF_UM / pixelSize_um) / width_px;
  const lines = Float64Array.from({ length: size * size }, (_, at) => {
    const [x, y] = [(at % size) - meeting_px[0], Math.floor(at / size) - meeting_px[1]];
    return Math.max(
      0,
      ...angles_deg.map((deg) => {
        const [cos, sin] = [Math.cos((deg * Math.PI) / 180), Math.sin((deg * Math.PI) / 180)];
        const u = cos * x + sin * y;
        const v = u < 0 && domains !== 2 ? Math.hypot(x, y) : cos * y - sin * x;
        return Math.exp(-0.5 * (v / width_px) ** 2);
      }),
    );
  });
  const psf_px = PSF_UM / pixelSize_um;
  const grain_px = between(0.15, 0.5) / pixelSize_um;
  const face = texture(size, grain_px, from).map((value) => 1 + speckle * value);
  const answer = texture(size, grain_px, from).map((value) => 1 + 2 * speckle * value);
  const carbon = texture(size, psf_px, from).map((value) => (1 / 3) * Math.exp(0.3 * value));
  const spots = Array.from({ length: given.spots ?? from.integer(3) }, () => ({
    x: middle + between(-0.7, 0.7) * radius_px,
    y: middle + between(-0.7, 0.7) * radius_px,
    light: between(0.2, 1.5),
    change: between(-0.15, 0.15),
  }));
  const spot = Float64Array.from({ length: size * size }, (_, at) =>
    spots.reduce((sum, { x, y, light }) => sum + light * bell(at, size, x, y, 1), 0),
  );
  const changed = Float64Array.from({ length: size * size }, (_, at) =>
    spots.reduce((sum, { x, y, change }) => sum + change * bell(at, size, x, y, 1), 0),
  );
  const rim = between(0, 0.1);
  const cover = gaussianBlur(mask, size, size, 0.25 / pixelSize_um);
  const slope = [between(-2e-4, 2e-4), between(-1e-4, 1e-4), between(-1e-4, 1e-4), between(-1e-4, 1e-4)];
  const image = (t_s: number, ordered: number): Float32Array => {
    const light = Float64Array.from({ length: size * size }, (_, at) => {
      if (mask[at] === 0) return carbon[at]!;
      const [x, y] = [((at % size) - middle) / radius_px, (Math.floor(at / size) - middle) / radius_px];
      const even =
        (given.disordering ? -t_s : t_s) *
        (4e-4 + slope[0]! * x + slope[1]! * y + slope[2]! * x * x + slope[3]! * x * y);
      const edge = rim * (1 - cover[at]!) * 2;
      return (
        (face[at]! + spot[at]! + edge) *
        (1 + even + ordered * (order * answer[at]! * (1 + edge) + wall * blurred * lines[at]! + changed[at]!))
      );
    });
    return gaussianBlur(light, size, size, psf_px);
  };
  const n = size * size;
  const length = 2 * frames + 12;
  const time_s = Float64Array.from({ length }, (_, frame) => 5 * frame);
  const window = { start_s: time_s[frames]! - 2, end_s: time_s[length - frames - 1]! + 2, sd_s: 2 };
  const [first, last] = given.disordering ? [1, 0] : [0, 1];
  const ends = [image(time_s[0]!, first), image(time_s[frames - 1]!, first)];
  const late = [image(time_s[length - frames]!, last), image(time_s[length - 1]!, last)];
  const data = new Float32Array(length * n);
  const drift_px = (given.drift_nm ?? 3) / 1000 / pixelSize_um;
  const left = [drift_px * from.normal(), drift_px * from.normal()];
  for (let frame = 0; frame < length; frame++) {
    const [one, other] = frame < length / 2 ? ends : late;
    const begin = frame < length / 2 ? 0 : length - frames;
    const share = Math.min(1, Math.max(0, (frame - begin) / (frames - 1)));
    const after = frame < length / 2 ? 0 : 1;
    const [dx, dy] = [drift_px * from.normal() + after * left[0]!, drift_px * from.normal() + after * left[1]!];
    for (let at = 0; at < n; at++) {
      const value = one![at]! + share * (other![at]! - one![at]!);
      const ahead = (step: number): number => one![Math.min(n - 1, Math.max(0, at + step))]!;
      const moved = -0.5 * (dx * (ahead(1) - ahead(-1)) + dy * (ahead(size) - ahead(-size)));
      data[frame * n + at] = 1e4 * (value + moved + noise * Math.sqrt(Math.max(0, value)) * from.normal());
    }
  }
  return {
    stack: { width: size, height: size, pixelSize_um, time_s, data },
    mask,
    outline_px,
    window,
    count: domains,
    angles_deg: domains === 2 ? angles_deg.map((angle) => angle % 180) : angles_deg,
    meeting_px: domains === 3 ? meeting_px : null,
    signal: wall / (noise * Math.sqrt(2 / frames)),
  };
}

function anglesOf(domains: 1 | 2 | 3, threefold: boolean, from: Random): number[] {
  const first = 360 * from.uniform();
  if (domains === 1) return [];
  if (domains === 2) return [first];
  if (threefold) return [first, (first + 120) % 360, (first + 240) % 360];
  const second = first + 70 + 60 * from.uniform();
  return [first, second % 360, (second + 70 + 60 * from.uniform()) % 360];
}

/** Smooth noise of standard deviation 1. */
function texture(size: number, grain_px: number, from: Random): Float32Array {
  const rough = Float32Array.from({ length: size * size }, () => from.normal());
  const smooth = gaussianBlur(rough, size, size, grain_px);
  const sd = Math.sqrt(smooth.reduce((sum, value) => sum + value * value, 0) / smooth.length);
  return smooth.map((value) => value / sd);
}

function bell(at: number, size: number, x: number, y: number, sigma: number): number {
  return Math.exp((-0.5 * (((at % size) - x) ** 2 + (Math.floor(at / size) - y) ** 2)) / sigma ** 2);
}
