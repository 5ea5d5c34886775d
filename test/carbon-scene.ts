/** Synthetic images of bright crystals on speckled carbon, and their outlines: the truth for tests of finding particles. */
import { distanceTransform } from "../src/kernels/distance.js";
import { gaussianBlur } from "../src/kernels/filter.js";
import { coverageOfPolygon, distanceToPolygon, maskOfPolygon } from "../src/kernels/polygon.js";
import { random, type Random } from "../src/kernels/random.js";
import type { Image } from "../src/model/movie.js";

export type Outline = readonly (readonly [number, number])[];

export interface SceneCrystal {
  readonly outline_px: Outline;
  /** Light of its face; that of the carbon is 1 on average. */
  readonly brightness: number;
  /** Unevenness of its face, standard deviation as a part of its light, in patches of half a micrometre. */
  readonly texture?: number;
  /** Light lost at the rim, or gained where negative, fading inwards over 0.4 um. */
  readonly rim?: number;
}

export interface CarbonScene {
  readonly width: number;
  readonly height: number;
  readonly pixelSize_um: number;
  readonly psf_um: number;
  readonly crystals: readonly SceneCrystal[];
  /** Standard deviation of the carbon over its mean. */
  readonly contrast: number;
  /** Coherent: |E|^2 of random phasors, exponential. Grainy: independent scatterers seen through the point spread. */
  readonly speckle: "coherent" | "grainy";
  /** Light lost towards the corners, as a part of that in the middle. */
  readonly vignette: number;
  /** Shot noise of a pixel on the carbon, as a part of its light. */
  readonly noise: number;
  /** Counts on the carbon, and at no light. */
  readonly level?: number;
  readonly pedestal?: number;
  readonly seed: number;
}

/** The image that a camera has of a scene. */
export function carbonScene(scene: CarbonScene): Image {
  const { width, height, pixelSize_um, psf_um, crystals, level = 1000, pedestal = 0 } = scene;
  const draw = random(scene.seed);
  const psf_px = psf_um / pixelSize_um;
  const carbon = speckled(scene, draw);
  const covered = new Float32Array(width * height);
  const light = new Float32Array(width * height);
  for (const { outline_px, brightness, texture = 0, rim = 0 } of crystals) {
    const coverage = coverageOfPolygon(outline_px, width, height, 8);
    const face = texture > 0 ? patches(width, height, 0.5 / pixelSize_um, draw) : null;
    const depth = rim === 0 ? null : distanceTransform(maskOfPolygon(outline_px, width, height), width, height);
    for (let at = 0; at < coverage.length; at++) {
      if (coverage[at] === 0) continue;
      const rough = face === null ? 1 : 1 + texture * face[at]!;
      const lost = depth === null ? 0 : rim * Math.exp(-(depth[at]! * pixelSize_um) / 0.4);
      light[at] = light[at]! + coverage[at]! * brightness * rough * (1 - lost);
      covered[at] = Math.min(1, covered[at]! + coverage[at]!);
    }
  }
  const faces = gaussianBlur(light, width, height, psf_px);
  const shade = gaussianBlur(covered, width, height, psf_px);
  const [cx, cy] = [width * (0.4 + 0.2 * draw.uniform()), height * (0.4 + 0.2 * draw.uniform())];
  const reach2 = (width / 2) ** 2 + (height / 2) ** 2;
  const data = Float32Array.from(faces, (face, at) => {
    const away2 = ((at % width) - cx) ** 2 + (Math.floor(at / width) - cy) ** 2;
    const seen = (1 - (scene.vignette * away2) / reach2) * (face + carbon[at]! * (1 - shade[at]!));
    return pedestal + level * (seen + scene.noise * Math.sqrt(Math.max(seen, 0.05)) * draw.normal());
  });
  return { width, height, pixelSize_um, data };
}

function speckled({ width, height, pixelSize_um, psf_um, contrast, speckle }: CarbonScene, draw: Random): Float64Array {
  const n = width * height;
  const psf_px = psf_um / pixelSize_um;
  let field: Float32Array;
  if (speckle === "coherent") {
    const [re, im] = [
      patches(width, height, Math.SQRT2 * psf_px, draw),
      patches(width, height, Math.SQRT2 * psf_px, draw),
    ];
    field = re.map((value, at) => value ** 2 + im[at]! ** 2);
  } else {
    field = gaussianBlur(
      Float32Array.from({ length: n }, () => -Math.log(1 - draw.uniform())),
      width,
      height,
      psf_px,
    );
  }
  const mean = field.reduce((sum, value) => sum + value / n, 0);
  const sd = Math.sqrt(field.reduce((sum, value) => sum + (value - mean) ** 2 / n, 0));
  return Float64Array.from(field, (value) => Math.max(0.02, 1 + (contrast * (value - mean)) / sd));
}

/** A Gaussian random field of mean 0 and standard deviation 1. */
function patches(width: number, height: number, scale_px: number, draw: Random): Float32Array {
  const smooth = gaussianBlur(
    Float32Array.from({ length: width * height }, () => draw.normal()),
    width,
    height,
    scale_px,
  );
  return smooth.map((value) => value * 2 * Math.sqrt(Math.PI) * scale_px);
}

/** A convex polygon with its corners on an ellipse, and no side under a fifth of a turn. */
export function crystalShape(
  centre_px: readonly [number, number],
  diameter_px: number,
  draw: Random,
): [number, number][] {
  const corners = 5 + draw.integer(4);
  const aspect = 0.7 + 0.3 * draw.uniform();
  const [turn, lean] = [2 * Math.PI * draw.uniform(), 2 * Math.PI * draw.uniform()];
  return Array.from({ length: corners }, (_, at): [number, number] => {
    const angle = turn + (2 * Math.PI * (at + 0.5 * (draw.uniform() - 0.5))) / corners;
    const x = (diameter_px / 2) * Math.cos(angle);
    const y = (diameter_px / 2) * aspect * Math.sin(angle);
    return [
      centre_px[0] + x * Math.cos(lean) - y * Math.sin(lean),
      centre_px[1] + x * Math.sin(lean) + y * Math.cos(lean),
    ];
  });
}

export interface ScatterWish {
  readonly width: number;
  readonly height: number;
  readonly pixelSize_um: number;
  readonly count: number;
  readonly diameter_um: readonly [number, number];
  /** Carbon between any two, and to the border. */
  readonly gap_um: number;
}

/** Crystals strewn over the field without touching; fewer than wished for where there is no room. */
export function strewn(wish: ScatterWish, draw: Random): [number, number][][] {
  const { width, height, pixelSize_um, gap_um } = wish;
  const placed: { x: number; y: number; radius: number; outline: [number, number][] }[] = [];
  for (let trial = 0; trial < 400 && placed.length < wish.count; trial++) {
    const [least, most] = wish.diameter_um;
    const diameter = (least + (most - least) * draw.uniform()) / pixelSize_um;
    const radius = diameter / 2 + gap_um / pixelSize_um;
    if (2 * radius > Math.min(width, height)) continue;
    const x = radius + (width - 2 * radius) * draw.uniform();
    const y = radius + (height - 2 * radius) * draw.uniform();
    const room = gap_um / pixelSize_um;
    if (placed.some((other) => Math.hypot(x - other.x, y - other.y) < radius + other.radius - room)) continue;
    placed.push({ x, y, radius, outline: crystalShape([x, y], diameter, draw) });
  }
  return placed.map(({ outline }) => outline);
}

/** Shared area over joint area of two outlines within the image. */
export function overlapOf(a: Outline, b: Outline, width: number, height: number): number {
  const first = coverageOfPolygon(a, width, height, 8);
  const second = coverageOfPolygon(b, width, height, 8);
  let shared = 0;
  let joint = 0;
  for (let at = 0; at < first.length; at++) {
    shared += Math.min(first[at]!, second[at]!);
    joint += Math.max(first[at]!, second[at]!);
  }
  return shared / joint;
}

/** Root mean square distance of a found outline from the true one, over points half a pixel apart, away from the border. */
export function outlineError_px(found: Outline, truth: Outline, width: number, height: number): number {
  let sum = 0;
  let n = 0;
  found.forEach(([ax, ay], at) => {
    const [bx, by] = found[(at + 1) % found.length]!;
    const steps = Math.max(1, Math.ceil(2 * Math.hypot(bx - ax, by - ay)));
    for (let step = 0; step < steps; step++) {
      const x = ax + ((bx - ax) * step) / steps;
      const y = ay + ((by - ay) * step) / steps;
      if (x < 0 || y < 0 || x > width - 1 || y > height - 1) continue;
      sum += distanceToPolygon(truth, x, y) ** 2;
      n++;
    }
  });
  return Math.sqrt(sum / n);
}
