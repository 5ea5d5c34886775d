import * as fc from "fast-check";
import { expect, test } from "vitest";
import { containsPoint, polygonArea } from "../kernels/polygon.js";
import { crystalOf, type Crystal, type CrystalSpec } from "./crystal.js";
import { placesInside } from "./outline.js";
import type { FrontSpec } from "./prescribed-front.js";
import type { ChangeSpec } from "./reflectivity.js";
import { sceneOf } from "./scene.js";

const psf_um = 0.118;
const even = { psf_um, speckleContrast: 0 };

function front(spec: FrontSpec, height = 0, to = 1.15): ChangeSpec {
  return {
    kind: "front",
    transition: "biphasic",
    direction: "delithiation",
    front: spec,
    to,
    line: { height, width_um: 0.118 },
  };
}

function crystal(outline: CrystalSpec["outline"], ...changes: ChangeSpec[]): Crystal {
  return crystalOf({ outline, brightness: 3, texture: 0, textureScale_um: 0.5, changes }, "particles.0");
}

/**
 * One pixel by summing the ideal scene, point by point 6 nm apart, under point spread and pixel. Each row of points begins
 * elsewhere, so that no edge lies along them.
 */
function pixelBySum(of: Crystal, time_s: number, pixel_um: number, x_um: number, y_um: number): number {
  const step = 0.006;
  const reach = 4 * psf_um + 0.5 * pixel_um;
  const weight = (d: number): number => {
    let sum = 0;
    for (let at = 0; at < 16; at++) {
      const u = (d + pixel_um * ((at + 0.5) / 16 - 0.5)) / psf_um;
      sum += Math.exp(-0.5 * u * u);
    }
    return sum;
  };
  const offsets = Array.from({ length: Math.floor((2 * reach) / step) }, (_, at) => (at + 0.5) * step - reach);
  const weights = offsets.map(weight);
  const { motion, step: rise, line } = of.fronts[0]!;
  let sum = 0;
  let total = 0;
  for (const [row, dy] of offsets.entries()) {
    for (const [column, dx] of offsets.entries()) {
      const [x, y] = [
        x_um + dx + step * (((row * 0.618034) % 1) - 0.5),
        y_um + dy + step * (((column * 0.754878) % 1) - 0.5),
      ];
      const w = weights[row]! * weights[column]!;
      total += w;
      if (!containsPoint(of.outline_um, x, y)) {
        sum += w;
        continue;
      }
      const lead_s = time_s - motion.arrival_s(x, y);
      const d_um = lead_s * motion.velocity_um_s(x, y);
      const boundary = line.height * Math.exp(-(d_um * d_um) / (2 * line.width_um ** 2));
      sum += w * 3 * (1 + (lead_s > 0 ? rise : 0) + boundary);
    }
  }
  return sum / total;
}

test("a pixel holds what summing the ideal scene gives, at any pixel size and shift", () => {
  const cases = [
    { pixel_um: 0.03, dx: 0.31, dy: -0.77 },
    { pixel_um: 0.08, dx: 12.41, dy: -3.27 },
    { pixel_um: 0.1, dx: -0.5, dy: 0.13 },
  ];
  for (const { pixel_um, dx, dy } of cases) {
    const of = crystal(
      { kind: "hexagon", centre_um: [2, 2], radius_um: 1.2, angle_deg: 13, corner_um: 0.2 },
      front({ kind: "plane", angle_deg: 25, start_s: 0, velocity_um_s: [0.02, 0.03], stages: [] }, 0.07),
    );
    const size = Math.ceil(4 / pixel_um);
    const field = { width: size, height: size, pixelSize_um: pixel_um, reach_px: 13 };
    const image = new Float64Array(size * size);
    sceneOf([of], field, even, 1).render(45, 45, dx, dy, image);
    // At the front, before it, across the outline, at two corners.
    for (const [x_um, y_um] of [
      [2.05, 1.95],
      [2.2, 2.2],
      [0.9, 1.9],
      [2, 3.05],
      [3.17, 2.27],
    ] as const) {
      const x = Math.round(x_um / pixel_um + dx);
      const y = Math.round(y_um / pixel_um + dy);
      if (x < 0 || y < 0 || x >= size || y >= size) continue;
      const exact = pixelBySum(of, 45, pixel_um, (x - dx) * pixel_um, (y - dy) * pixel_um);
      // A part in a thousand of the crystal's light, part of it the sum's own error.
      expect(Math.abs(image[y * size + x]! - exact), `${pixel_um} um, ${x_um},${y_um}`).toBeLessThan(0.003);
    }
  }
});

test("light is kept: what a crystal sends beyond the carbon's is its area, and the share that has turned", () => {
  fc.assert(
    fc.property(
      fc.nat(),
      fc.double({ min: 1, max: 2.6, noNaN: true }),
      fc.double({ min: 0.01, max: 0.05, noNaN: true }),
      fc.constantFrom("plane" as const, "inward" as const, "radial" as const),
      fc.double({ min: -5, max: 5, noNaN: true }),
      (seed, radius_um, velocity_um_s, kind, shift_px) => {
        const pace = { start_s: 20, velocity_um_s, stages: [] };
        const spec: FrontSpec =
          kind === "plane"
            ? { kind, angle_deg: seed % 360, ...pace }
            : kind === "inward"
              ? { kind, ...pace }
              : { kind, nuclei: [{ rim_deg: seed % 360, delay_s: 0 }], ...pace };
        const of = crystal({ kind: "crystal", centre_um: [3.6, 3.6], radius_um, corners: 6, seed }, front(spec));
        const field = { width: 90, height: 90, pixelSize_um: 0.08, reach_px: 5 };
        const image = new Float64Array(field.width * field.height);
        const scene = sceneOf([of], field, even, 1);
        const arrivals = placesInside(of.outline_um, 10_000).map(([x, y]) => of.fronts[0]!.motion.arrival_s(x, y));
        for (const time_s of [0, 40, 80, 1e4]) {
          scene.render(time_s, time_s, shift_px, -shift_px, image);
          const light_um2 = image.reduce((sum, value) => sum + value - 1, 0) * 0.08 ** 2;
          const turned = arrivals.filter((arrival) => arrival <= time_s).length / arrivals.length;
          const exact_um2 = polygonArea(of.outline_um) * (3 * (1 + 0.15 * turned) - 1);
          expect(Math.abs(light_um2 / exact_um2 - 1)).toBeLessThan(7e-4);
        }
      },
    ),
    { numRuns: 8 },
  );
});

test("a shift moves the centre of light by just that much", () => {
  const of = crystal({ kind: "ellipse", centre_um: [3.2, 3.2], radii_um: [0.6, 0.4], angle_deg: 30 });
  const field = { width: 80, height: 80, pixelSize_um: 0.08, reach_px: 12 };
  const image = new Float64Array(field.width * field.height);
  const scene = sceneOf([of], field, even, 1);
  for (const [dx, dy] of [
    [0, 0],
    [0.25, -0.6],
    [7.123, 11.9],
    [-12, 3.3333],
  ] as const) {
    scene.render(0, 0, dx, dy, image);
    let [sum, sx, sy] = [0, 0, 0];
    for (let at = 0; at < image.length; at++) {
      const light = image[at]! - 1;
      sum += light;
      sx += light * (at % 80);
      sy += light * Math.floor(at / 80);
    }
    expect(Math.abs(sx / sum - 40 - dx)).toBeLessThan(1e-3);
    expect(Math.abs(sy / sum - 40 - dy)).toBeLessThan(1e-3);
  }
});

test("speckle between its cells is right to a part in a thousand", () => {
  // Shifts by whole cells need no interpolation; a long polynomial through them says what lies half way.
  const field = { width: 96, height: 96, pixelSize_um: 0.08, reach_px: 12 };
  const scene = sceneOf([], field, { psf_um, speckleContrast: 1 }, 5);
  const at = (dx: number): Float64Array => {
    const image = new Float64Array(field.width * field.height);
    scene.render(0, 0, dx, 0, image);
    return image;
  };
  const taps = 20;
  const exact = new Float64Array(field.width * field.height);
  for (let tap = 0; tap < taps; tap++) {
    let weight = 1;
    for (let other = 0; other < taps; other++) {
      if (other !== tap) weight *= ((taps - 1) / 2 - other) / (tap - other);
    }
    const image = at((tap - (taps - 1) / 2) / 2 + 0.25);
    for (let pixel = 0; pixel < exact.length; pixel++) exact[pixel] = exact[pixel]! + weight * image[pixel]!;
  }
  const half = at(0.25);
  const worst = half.reduce((most, value, pixel) => Math.max(most, Math.abs(value - exact[pixel]!)), 0);
  const off = half.reduce((most, value, pixel) => Math.max(most, Math.abs(value - at0[pixel]!)), 0);
  expect(worst).toBeLessThan(1e-3);
  expect(off).toBeGreaterThan(0.1);
});

const at0 = (() => {
  const image = new Float64Array(96 * 96);
  sceneOf([], { width: 96, height: 96, pixelSize_um: 0.08, reach_px: 12 }, { psf_um, speckleContrast: 1 }, 5).render(
    0,
    0,
    0,
    0,
    image,
  );
  return image;
})();

test("carbon is one on average, its contrast is the one asked for, less what pixels average", () => {
  for (const contrast of [0, 0.3, 1]) {
    const size = 400;
    const image = new Float64Array(size * size);
    const field = { width: size, height: size, pixelSize_um: 0.04, reach_px: 0 };
    sceneOf([], field, { psf_um, speckleContrast: contrast }, 11).render(0, 0, 0, 0, image);
    const mean = image.reduce((sum, value) => sum + value, 0) / image.length;
    const sd = Math.sqrt(image.reduce((sum, value) => sum + (value - mean) ** 2, 0) / image.length);
    // About 1500 grains are in view: their mean is known to contrast / sqrt(1500).
    expect(Math.abs(mean - 1)).toBeLessThan(0.003 + 0.1 * contrast);
    expect(Math.abs(sd - contrast)).toBeLessThan(0.1 * contrast + 1e-9);
  }
});
