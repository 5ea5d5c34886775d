import { expect, test } from "vitest";
import { gaussianBlur } from "../kernels/filter.js";
import { maskOfPolygon, coverageOfPolygon } from "../kernels/polygon.js";
import { random } from "../kernels/random.js";
import type { Face } from "../model/face.js";
import { describeFace } from "./faces.js";

const N = 110;
const PIXEL_UM = 0.08;
const PSF_UM = 0.118;

/** A crystal by its corners' angles and radius, with light on its face, seen through the lens, with noise. */
function faceOf(
  seed: number,
  angles_deg: readonly number[],
  light: (x_um: number, y_um: number) => number,
  rough = 0.02,
): Face {
  const draw = random(seed);
  const middle = N / 2;
  const outline_px = angles_deg.map((angle): [number, number] => {
    const turn = (angle * Math.PI) / 180;
    return [middle + 44 * Math.cos(turn), middle + 44 * Math.sin(turn)];
  });
  const cover = coverageOfPolygon(outline_px, N, N, 4);
  const mottle = gaussianBlur(
    Float64Array.from({ length: N * N }, () => draw.normal()),
    N,
    N,
    3,
  );
  const norm = Math.sqrt(mottle.reduce((sum, one) => sum + one * one, 0) / mottle.length);
  const image = gaussianBlur(
    Float64Array.from({ length: N * N }, (_, at) => {
      const [x, y] = [((at % N) - middle) * PIXEL_UM, (Math.floor(at / N) - middle) * PIXEL_UM];
      return 1000 + 4000 * cover[at]! * light(x, y) * (1 + (rough * mottle[at]!) / norm);
    }),
    N,
    N,
    PSF_UM / PIXEL_UM,
  );
  const frames = 12;
  const data = new Float32Array(frames * N * N);
  for (let at = 0; at < data.length; at++) data[at] = image[at % (N * N)]! * (1 + 0.005 * draw.normal());
  const time_s = Float64Array.from({ length: frames }, (_, frame) => 5 * frame);
  const stack = { width: N, height: N, pixelSize_um: PIXEL_UM, time_s, data };
  return describeFace(stack, { particle: 0, mask: maskOfPolygon(outline_px, N, N), outline_px, psf_um: PSF_UM })!;
}

const hexagon = [0, 60, 120, 180, 240, 300];

test("flat hexagonal plates are flat and seen along c, at any turn and roughness", () => {
  for (let seed = 1; seed <= 12; seed++) {
    const draw = random(900 + seed);
    const turn = 60 * draw.uniform();
    const face = faceOf(
      seed,
      hexagon.map((angle) => angle + turn),
      () => 1,
      0.03 * draw.uniform(),
    );
    expect(face.kind).toBe("flat");
    expect(face.view).toBe("along c");
  }
});

test("a face that is tilted by most of a fringe or domed is uneven", () => {
  for (let seed = 1; seed <= 12; seed++) {
    const draw = random(950 + seed);
    const [turn, phase] = [6.28 * draw.uniform(), 6.28 * draw.uniform()];
    // The light of a gap: 1 + a cos(4 pi n h / wavelength); 280 nm of height across 7 um is a fringe.
    const fringes = 0.8 + draw.uniform();
    const tilted = faceOf(seed, hexagon, (x, y) => {
      const along = x * Math.cos(turn) + y * Math.sin(turn);
      return 1 + 0.25 * Math.cos(phase + (2 * Math.PI * fringes * along) / 7);
    });
    const domed = faceOf(seed, hexagon, (x, y) => 1 + 0.25 * Math.cos(phase + (2 * Math.PI * (x * x + y * y)) / 12));
    expect(tilted.kind).toBe("uneven");
    expect(domed.kind).toBe("uneven");
  }
});

test("the slope of the light is told, and where it rises to, with its error", () => {
  const z: number[] = [];
  for (let seed = 1; seed <= 40; seed++) {
    const turn = (2 * Math.PI * seed) / 40;
    const face = faceOf(seed, hexagon, (x, y) => 1 + 0.04 * (x * Math.cos(turn) + y * Math.sin(turn)));
    // The ground's light below the crystal dilutes it: 4/5 of the light is the face's.
    z.push((face.slope_per_um.value - 0.032) / face.slope_per_um.sd!);
    const off = ((face.slope_deg - (turn * 180) / Math.PI + 540) % 360) - 180;
    expect(Math.abs(off)).toBeLessThan(25);
  }
  const within = z.filter((one) => Math.abs(one) < 1).length / z.length;
  expect(within).toBeGreaterThan(0.5);
  expect(within).toBeLessThan(0.95);
});

test("outlines of no symmetry are seldom taken for hexagonal", () => {
  let taken = 0;
  for (let seed = 1; seed <= 60; seed++) {
    const draw = random(300 + seed);
    const angles = Array.from({ length: 5 + draw.integer(3) }, () => 360 * draw.uniform()).sort((a, b) => a - b);
    const gaps = angles.map((angle, at) => (angles[(at + 1) % angles.length]! - angle + 360) % 360);
    if (Math.max(...gaps) > 150) continue;
    if (faceOf(seed, angles, () => 1).view === "along c") taken++;
  }
  expect(taken).toBeLessThanOrEqual(4);
});
