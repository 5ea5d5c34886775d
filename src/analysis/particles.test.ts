import * as fc from "fast-check";
import { expect, test } from "vitest";
import {
  carbonScene,
  crystalShape,
  outlineError_px,
  overlapOf,
  strewn,
  type CarbonScene,
  type Outline,
} from "../../test/carbon-scene.js";
import { clipPolygon, containsPoint, crossesItself, polygonArea, polygonCentroid } from "../kernels/polygon.js";
import { random } from "../kernels/random.js";
import { median } from "../kernels/stats.js";
import { ParameterError } from "../model/errors.js";
import type { Image } from "../model/movie.js";
import type { Particle } from "../model/particle.js";
import { drawnParticle, findParticles } from "./particles.js";

const psf_um = 0.118;
const search = { minDiameter_um: 1.5, psf_um, region_px: null };

/** A field of some 20 x 16 um under light that falls off, as the seed will have it. */
function field(seed: number, given: Partial<CarbonScene> = {}): CarbonScene {
  const source = random(seed);
  const pixelSize_um = 0.05 + 0.05 * source.uniform();
  return {
    width: Math.round(20 / pixelSize_um),
    height: Math.round(16 / pixelSize_um),
    pixelSize_um,
    psf_um,
    crystals: [],
    contrast: 0.2,
    speckle: source.uniform() < 0.5 ? "coherent" : "grainy",
    vignette: 0.2 * source.uniform(),
    noise: 0.002 + 0.028 * source.uniform(),
    pedestal: source.uniform() < 0.5 ? 0 : 100,
    seed,
    ...given,
  };
}

function found(scene: CarbonScene, given: Partial<typeof search> = {}): Particle[] {
  return findParticles(carbonScene(scene), { ...search, ...given });
}

/** The one particle that holds the middle of a true outline. */
function match(particles: readonly Particle[], truth: Outline): Particle {
  const holding = particles.filter(({ outline_px }) => containsPoint(outline_px, ...polygonCentroid(truth)));
  expect(holding).toHaveLength(1);
  return holding[0]!;
}

function diameter_um(outline: Outline, pixelSize_um: number): number {
  return 2 * Math.sqrt(polygonArea(outline) / Math.PI) * pixelSize_um;
}

test("one to twelve crystals on carbon are counted, each outlined within 120 nm and most within 30 nm", () => {
  const errors_nm: number[] = [];
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const source = random(seed);
      const base = field(seed, { contrast: 0.1 + 0.4 * source.uniform() });
      // The step is ten times the spread of the carbon, or more.
      const brightness = Math.max(1.3, 1 + base.contrast * 10) * (1 + source.uniform());
      const wish = { ...base, count: 1 + source.integer(12), diameter_um: [3, 11] as const, gap_um: 0.6 };
      const truths = strewn(wish, source);
      const crystals = truths.map((outline_px) => ({ outline_px, brightness, texture: 0.05 * source.uniform() }));
      const particles = found({ ...base, crystals });
      expect(particles).toHaveLength(truths.length);
      for (const truth of truths) {
        const { outline_px, area_um2, touchesBorder, source: origin } = match(particles, truth);
        const overlap = overlapOf(outline_px, truth, base.width, base.height);
        expect(overlap).toBeGreaterThan(diameter_um(truth, base.pixelSize_um) > 7 ? 0.97 : 0.93);
        const error_nm = 1000 * base.pixelSize_um * outlineError_px(outline_px, truth, base.width, base.height);
        expect(error_nm).toBeLessThan(120);
        errors_nm.push(error_nm);
        expect(area_um2).toBeCloseTo(polygonArea(outline_px) * base.pixelSize_um ** 2, 9);
        expect(touchesBorder).toBe(false);
        expect(origin).toBe("found");
        expect(outline_px.length).toBeLessThanOrEqual(300);
        expect(crossesItself(outline_px)).toBe(false);
      }
    }),
    { numRuns: 5 },
  );
  expect(median(errors_nm)).toBeLessThan(30);
});

test("where the speckle is a third of the step, most outlines are still within 80 nm and none is lost", () => {
  const errors_nm: number[] = [];
  for (let seed = 1; seed <= 6; seed++) {
    const base = field(seed, { contrast: 0.3 });
    const truths = strewn({ ...base, count: 3, diameter_um: [4.5, 9], gap_um: 0.8 }, random(seed));
    const particles = found({ ...base, crystals: truths.map((outline_px) => ({ outline_px, brightness: 1.95 })) });
    expect(particles).toHaveLength(truths.length);
    for (const truth of truths) {
      const { outline_px } = match(particles, truth);
      errors_nm.push(1000 * base.pixelSize_um * outlineError_px(outline_px, truth, base.width, base.height));
    }
  }
  expect(median(errors_nm)).toBeLessThan(80);
});

test("in speckle of any contrast and grain, in noise and in nothing, no crystal is found", () => {
  fc.assert(
    fc.property(fc.integer(), fc.double({ min: 0, max: 0.7, noNaN: true }), (seed, contrast) => {
      expect(found(field(seed, { contrast }))).toEqual([]);
    }),
    { numRuns: 8 },
  );
  const source = random(2);
  const flat = (value: () => number, width = 120, height = 96): Image => ({
    width,
    height,
    pixelSize_um: 0.06,
    data: Float32Array.from({ length: width * height }, value),
  });
  for (const image of [
    flat(() => 7),
    flat(() => 0),
    flat(() => NaN),
    flat(() => source.normal()),
    flat(() => -5 + source.normal()),
    flat(() => source.poisson(0.3)),
    flat(() => 3, 1, 1),
    flat(() => source.uniform(), 4, 3),
  ]) {
    expect(findParticles(image, search)).toEqual([]);
  }
});

test("a disc has its radius to a twentieth of a pixel, wherever it lies between the pixels", () => {
  for (const [radius, psf_px] of [
    [20, 1.5],
    [30, 2.4],
    [60, 2],
  ] as const) {
    const source = random(radius);
    const pixelSize_um = psf_um / psf_px;
    const errors = Array.from({ length: 3 }, (_, seed) => {
      const [x, y] = [80 + source.uniform(), 80 + source.uniform()];
      const outline_px = Array.from({ length: 300 }, (_, at): [number, number] => {
        const angle = (2 * Math.PI * at) / 300;
        return [x + radius * Math.cos(angle), y + radius * Math.sin(angle)];
      });
      const [disc] = found({
        ...field(seed, { crystals: [{ outline_px, brightness: 3 }], contrast: 0.02, noise: 0.005, vignette: 0.1 }),
        width: 161,
        height: 161,
        pixelSize_um,
      });
      expect(Math.hypot(disc!.centre_px[0] - x, disc!.centre_px[1] - y)).toBeLessThan(0.05);
      return Math.sqrt(disc!.area_um2 / Math.PI) / pixelSize_um - radius;
    });
    expect(Math.abs(errors.reduce((sum, error) => sum + error / 3, 0))).toBeLessThan(0.05);
  }
});

/** Two crystals, the second moved to the right until carbon of this width is left between them. */
function pair(base: CarbonScene, gap_um: number): [Outline, Outline] {
  const source = random(base.seed);
  const { width, height, pixelSize_um } = base;
  const first = crystalShape([0.3 * width, height / 2], (4 + 2 * source.uniform()) / pixelSize_um, source);
  const second = crystalShape([0, height / 2], (4 + 2 * source.uniform()) / pixelSize_um, source);
  // Convex outlines come closest at a corner of one of them.
  const gapAlongRows = (a: Outline, b: Outline): number => {
    let least = Infinity;
    for (const [corner, other, sense] of [
      ...a.map((point) => [point, b, 1] as const),
      ...b.map((point) => [point, a, -1] as const),
    ]) {
      other.forEach(([ax, ay], at) => {
        const [bx, by] = other[(at + 1) % other.length]!;
        if (ay > corner[1] === by > corner[1]) return;
        least = Math.min(least, sense * (ax + ((bx - ax) * (corner[1] - ay)) / (by - ay) - corner[0]));
      });
    }
    return least;
  };
  const far = second.map(([x, y]): [number, number] => [x + 10 * width, y]);
  const move = gap_um / pixelSize_um - gapAlongRows(first, far);
  return [first, far.map(([x, y]) => [x + move, y])];
}

test.each([0, 0.15, 0.4])("two crystals %d um apart are two, alike or not", (gap_um) => {
  for (const ratio of [1, 1.3, 2]) {
    const base = field(40 + 10 * ratio + 100 * gap_um, { contrast: 0.15 });
    const truths = pair(base, gap_um);
    const crystals = truths.map((outline_px, at) => ({ outline_px, brightness: at === 0 ? 2.5 : 2.5 * ratio }));
    const particles = found({ ...base, crystals });
    expect(particles).toHaveLength(2);
    for (const truth of truths) {
      expect(overlapOf(match(particles, truth).outline_px, truth, base.width, base.height)).toBeGreaterThan(0.9);
    }
  }
});

test("a crystal that leaves the image is outlined as far as it is seen, and said to touch the border", () => {
  for (const [seed, place] of [
    [1, [0.05, 0.5]],
    [2, [0.6, 0.97]],
    [3, [0.98, 0.02]],
  ] as const) {
    const base = field(seed);
    const { width, height, pixelSize_um } = base;
    const outline_px = crystalShape([place[0] * width, place[1] * height], 8 / pixelSize_um, random(seed));
    const [particle, ...others] = found({ ...base, crystals: [{ outline_px, brightness: 3 }] });
    expect(others).toEqual([]);
    expect(particle!.touchesBorder).toBe(true);
    const seen = clipPolygon(outline_px, -0.5, -0.5, width - 0.5, height - 0.5);
    expect(overlapOf(particle!.outline_px, seen, width, height)).toBeGreaterThan(0.96);
    for (const [x, y] of particle!.outline_px) {
      expect(Math.min(x, y)).toBeGreaterThanOrEqual(-0.5);
      expect(x <= width - 0.5 && y <= height - 0.5).toBe(true);
    }
  }
});

test("a crystal that covers half of a small image is found", () => {
  for (let seed = 0; seed < 4; seed++) {
    const base = { ...field(seed), width: 100, height: 96, pixelSize_um: 0.08 };
    const outline_px = crystalShape([50, 48], 86, random(seed));
    const particles = found({ ...base, crystals: [{ outline_px, brightness: 2.5 }] });
    expect(particles).toHaveLength(1);
    expect(overlapOf(particles[0]!.outline_px, outline_px, 100, 96)).toBeGreaterThan(0.95);
  }
});

test.each([
  ["a darker rim", 3, 0.3],
  ["a brighter rim", 3, -0.5],
  ["a middle as dark as the carbon", 1.05, -2],
])("a crystal with %s is one crystal", (_, brightness, rim) => {
  const base = field(7);
  const outline_px = crystalShape([base.width / 2, base.height / 2], 8 / base.pixelSize_um, random(3));
  const particles = found({ ...base, crystals: [{ outline_px, brightness, rim, texture: 0.03 }] });
  expect(particles).toHaveLength(1);
  expect(overlapOf(particles[0]!.outline_px, outline_px, base.width, base.height)).toBeGreaterThan(0.95);
});

const three = (() => {
  const base = field(11, { contrast: 0.1 });
  const { width, height, pixelSize_um } = base;
  const shapes = [
    crystalShape([0.2 * width, 0.3 * height], 3 / pixelSize_um, random(1)),
    crystalShape([0.7 * width, 0.4 * height], 8 / pixelSize_um, random(2)),
    crystalShape([0.2 * width, 0.75 * height], 5 / pixelSize_um, random(3)),
  ];
  return { ...base, crystals: shapes.map((outline_px) => ({ outline_px, brightness: 2.5 })) };
})();

test("crystals are numbered by falling area; those too small, or centred outside the region, are left out", () => {
  const { width, height, crystals } = three;
  const all = found(three);
  expect(all.map(({ id }) => id)).toEqual([0, 1, 2]);
  for (const [id, truth] of [crystals[1]!, crystals[2]!, crystals[0]!].entries()) {
    const [x, y] = polygonCentroid(truth.outline_px);
    expect(Math.hypot(all[id]!.centre_px[0] - x, all[id]!.centre_px[1] - y)).toBeLessThan(0.5);
  }
  expect(found(three, { minDiameter_um: 3.5 }).map(({ area_um2 }) => area_um2)).toEqual(
    all.slice(0, 2).map(({ area_um2 }) => area_um2),
  );
  const image = carbonScene(three);
  const left = findParticles(image, { ...search, region_px: [0, 0, Math.round(width / 2), height] });
  expect(left.map(({ area_um2 }) => area_um2)).toEqual(all.slice(1).map(({ area_um2 }) => area_um2));
  expect(left.map(({ id, touchesBorder }) => [id, touchesBorder])).toEqual([
    [0, false],
    [1, false],
  ]);
  const [cx] = all[0]!.centre_px;
  const cut = findParticles(image, { ...search, region_px: [Math.round(cx) - 10, 0, width, height] });
  expect(cut.map(({ touchesBorder }) => touchesBorder)).toEqual([true]);
});

test("brightness in other units changes nothing, nor do pixels without a value elsewhere", () => {
  const image = carbonScene(three);
  const all = findParticles(image, search);
  const brighter = findParticles({ ...image, data: image.data.map((value) => 64 * value) }, search);
  expect(brighter).toEqual(all);
  const holes = image.data.map((value, at) => (at % image.width === image.width - 3 || at % 997 === 0 ? NaN : value));
  const withHoles = findParticles({ ...image, data: holes }, search);
  expect(withHoles).toHaveLength(3);
  for (const [id, { outline_px }] of withHoles.entries()) {
    expect(overlapOf(outline_px, all[id]!.outline_px, image.width, image.height)).toBeGreaterThan(0.98);
  }
});

test("an image that is mirrored has mirrored crystals", () => {
  const image = carbonScene(three);
  const mirrored = image.data.map(
    (_, at) => image.data[at - (at % image.width) + image.width - 1 - (at % image.width)]!,
  );
  const there = findParticles(image, search);
  const back = findParticles({ ...image, data: mirrored }, search);
  expect(back).toHaveLength(3);
  for (const [id, { outline_px }] of back.entries()) {
    const turned = outline_px.map(([x, y]): [number, number] => [image.width - 1 - x, y]);
    expect(overlapOf(turned, there[id]!.outline_px, image.width, image.height)).toBeGreaterThan(0.98);
  }
});

const blank: Image = { width: 100, height: 80, pixelSize_um: 0.1, data: new Float32Array(8000) };

test("a drawn outline is taken as it is, in px", () => {
  const outline: Outline = [
    [10, 10],
    [30, 10],
    [30, 50],
    [10, 50],
  ];
  const particle = drawnParticle(outline, blank);
  expect(particle).toMatchObject({ source: "drawn", centre_px: [20, 30], touchesBorder: false });
  expect(particle.area_um2).toBeCloseTo(8, 9);
  expect(new Set(particle.outline_px.map(String))).toEqual(new Set(outline.map(String)));
});

test("a drawn outline that leaves the image is cut at its border", () => {
  const particle = drawnParticle(
    [
      [80, 20],
      [140, 20],
      [140, 60],
      [80, 60],
    ],
    blank,
  );
  expect(particle.area_um2).toBeCloseTo(19.5 * 40 * 0.01, 9);
  expect(particle.touchesBorder).toBe(true);
});

test.each([
  [
    "of two corners",
    [
      [1, 1],
      [5, 5],
    ],
    /at least three corners/,
  ],
  [
    "with a corner that is no number",
    [
      [1, 1],
      [5, NaN],
      [7, 7],
    ],
    /at least three corners/,
  ],
  [
    "on one line",
    [
      [1, 1],
      [5, 5],
      [9, 9],
    ],
    /covers 0\.0 px\^2/,
  ],
  [
    "in um instead of px",
    [
      [1, 1],
      [1.5, 1],
      [1.5, 1.5],
    ],
    /covers 0\.13 px\^2/,
  ],
  [
    "outside",
    [
      [200, 10],
      [240, 10],
      [240, 50],
    ],
    /outside the image of 100 x 80 px/,
  ],
] as [string, Outline, RegExp][])("a drawn outline %s is refused with its cure", (_, outline, message) => {
  expect(() => drawnParticle(outline, blank)).toThrow(message);
  expect(() => drawnParticle(outline, blank)).toThrow(ParameterError);
});
