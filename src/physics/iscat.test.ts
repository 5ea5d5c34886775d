import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { refusesJunk } from "../../test/junk.js";
import { ParameterError } from "../model/errors.js";
import { reflectance, reflectedAmplitude } from "./fresnel.js";
import type { Material } from "../model/material.js";
import {
  assumedLicoo2Indices,
  boundaryLine,
  calibratedFace,
  faceIndex,
  lithiumOfPhase,
  swellingAlongC,
} from "./iscat-face.js";
import { lco } from "./materials/lco.js";
import { matrixLight } from "./iscat-matrix.js";
import {
  flatFaceIntensity,
  fringe_um,
  iscatImager,
  iscatIntensity,
  type CellGrid,
  type FaceMap,
  type IscatOptics,
} from "./iscat.js";
import { carbonateElectrolyte } from "./refractive-index-media.js";
import { refractiveIndex } from "./refractive-index.js";

const optics: IscatOptics = {
  wavelength_um: 0.785,
  window: { n: 1.51, k: 0 },
  electrolyte: refractiveIndex(carbonateElectrolyte, 0.785),
  gouy_rad: 0,
  visibility: 1,
  face: assumedLicoo2Indices,
  swelling: null,
  line: null,
  imaging: "incoherent",
  spread: { kind: "gaussian", psf_um: 0.118 },
};
const licoo2Light = calibratedFace(lco, 0.053);
const licoo2Swelling = swellingAlongC(lco, 1);
/** A face of even light whatever its lithium: what moves on it is a fringe. */
const evenLight = { ...licoo2Light, light: licoo2Light.light.map(() => 1) };
const grid: CellGrid = { width: 160, height: 120, cell_um: 0.05 };
const size = grid.width * grid.height;

/** A face that fills the raster but for a rim. */
function faceOf(x: number | ((x_um: number, y_um: number) => number), given: Partial<FaceMap> = {}): FaceMap {
  const map = Float64Array.from({ length: size }, (_, at) => {
    const column = at % grid.width;
    const row = Math.floor(at / grid.width);
    if (column < 20 || column >= 140 || row < 20 || row >= 100) return NaN;
    return typeof x === "number" ? x : x(column * grid.cell_um, row * grid.cell_um);
  });
  return { x: map, cover: null, gap_um: 0.4, tilt: [0, 0], thickness_um: 5, added: null, ...given };
}

const middle = 60 * grid.width + 80;

/** Least and most light of a flat face over all gaps. */
function overGap(x: number, of: IscatOptics = optics): { least: number; most: number; mean: number } {
  const light = Array.from({ length: 400 }, (_, at) => flatFaceIntensity(of, x, 0.1 + (fringe_um(of) * at) / 400));
  return {
    least: Math.min(...light),
    most: Math.max(...light),
    mean: light.reduce((sum, value) => sum + value, 0) / light.length,
  };
}

test("light comes back as often as a wave fits to and fro in the gap: every wavelength / 2 n_e", () => {
  expect(fringe_um(optics)).toBeCloseTo(0.2824, 4);
  fc.assert(
    fc.property(
      fc.double({ min: 0.3, max: 1, noNaN: true }),
      fc.double({ min: 0, max: 5, noNaN: true }),
      fc.integer({ min: 1, max: 9 }),
      (x, gap, times) => {
        const here = flatFaceIntensity(optics, x, gap);
        expect(flatFaceIntensity(optics, x, gap + times * fringe_um(optics))).toBeCloseTo(here, 10);
      },
    ),
  );
});

test("what comes back lies between (|s| - |r|)^2 and (|s| + |r|)^2, and is |s|^2 + |r|^2 in the mean over the gap", () => {
  const r = Math.sqrt(reflectance(optics.window, optics.electrolyte));
  for (const x of [0.4, 0.5, 0.6, 0.75, 0.85, 0.95, 1]) {
    const s = Math.sqrt(reflectance(optics.electrolyte, faceIndex(assumedLicoo2Indices, x)));
    const { least, most, mean } = overGap(x);
    expect(least).toBeCloseTo((s - r) ** 2, 5);
    expect(most).toBeCloseTo((s + r) ** 2, 5);
    expect(mean).toBeCloseTo(s * s + r * r, 9);
  }
});

test("the gap swings the light by a third where lithium is rich, by a quarter where it is poor", () => {
  const depth = (x: number): number => {
    const { least, most, mean } = overGap(x);
    return (most - least) / 2 / mean;
  };
  expect(depth(1)).toBeCloseTo(0.35, 2);
  expect(depth(0.95)).toBeCloseTo(0.35, 2);
  expect(depth(0.5)).toBeCloseTo(0.255, 2);
});

test("the assumed indices reflect 5.2, 5.3, 6.4 and 10.2 %, and the ends stand as 1.95", () => {
  const R = (x: number): number => 100 * reflectance(optics.electrolyte, faceIndex(assumedLicoo2Indices, x));
  expect([1, 0.95, 0.75, 0.5].map((x) => Math.round(10 * R(x)) / 10)).toEqual([5.2, 5.3, 6.4, 10.2]);
  expect(overGap(0.5).mean / overGap(1).mean).toBeCloseTo(1.95, 1);
  expect(Math.abs(overGap(0.5).mean / overGap(1).mean - 1.95)).toBeLessThan(0.02);
});

test("the two beams are the layers' whole reflection but for light that goes round again, a few per cent", () => {
  const r = reflectedAmplitude(optics.window, optics.electrolyte).re;
  for (const x of [0.5, 0.75, 1]) {
    const s = reflectedAmplitude(optics.electrolyte, faceIndex(assumedLicoo2Indices, x));
    for (let gap = 0; gap < 0.3; gap += 0.01) {
      const phase = (4 * Math.PI * optics.electrolyte.n * gap) / optics.wavelength_um;
      const re = s.re * Math.cos(phase) - s.im * Math.sin(phase);
      const im = s.re * Math.sin(phase) + s.im * Math.cos(phase);
      // (r + s e) / (1 + r s e)
      const whole = ((r + re) ** 2 + im ** 2) / ((1 + r * re) ** 2 + (r * im) ** 2);
      expect(Math.abs(flatFaceIntensity(optics, x, gap) / whole - 1)).toBeLessThan(0.03);
    }
  }
});

test("without visibility the gap is not seen", () => {
  const dull = { ...optics, visibility: 0 };
  expect(overGap(0.6, dull).most).toBeCloseTo(overGap(0.6, dull).least, 12);
});

test("the calibrated law gives what is seen: 1, 1.15 across the gap, 1.6 at the end, straight between", () => {
  const seen = { ...optics, face: licoo2Light, visibility: 0 };
  const light = (x: number): number => flatFaceIntensity(seen, x, 0.3) / flatFaceIntensity(seen, 0.95, 0.3);
  expect([1, 0.97, 0.95].map(light)).toEqual([1, 1, 1]);
  expect(light(0.75)).toBeCloseTo(1.15, 12);
  expect(light(0.45)).toBeCloseTo(1.6, 12);
  expect(light(0.6)).toBeCloseTo((1.15 + 1.6) / 2, 12);
  for (const step of [1.1, 1.25]) {
    const intensity = { x: [0.45, 0.75, 0.95], values: [1.6 * 7, step * 7, 7], source: "other units" };
    const other = { ...seen, face: calibratedFace({ ...lco, optics: { ...lco.optics!, intensity } }, 0.053) };
    expect(flatFaceIntensity(other, 0.75, 0) / flatFaceIntensity(other, 1, 0)).toBeCloseTo(step, 12);
  }
  // Interference is another matter and swings about that mean.
  expect(overGap(0.6, { ...seen, visibility: 1 }).mean).toBeCloseTo(overGap(0.6, seen).mean, 9);
});

describe("an image", () => {
  test("shows a flat face as the formula has it, and the bare window around it", () => {
    for (const imaging of ["incoherent", "coherent"] as const) {
      for (const x of [0.5, 0.95]) {
        const image = iscatIntensity(faceOf(x), grid, { ...optics, imaging });
        expect(image[middle]).toBeCloseTo(flatFaceIntensity(optics, x, 0.4), 6);
        const turned = { ...optics, imaging, gouy_rad: 1.5 };
        expect(iscatIntensity(faceOf(x), grid, turned)[middle]).toBeCloseTo(flatFaceIntensity(turned, x, 0.4), 6);
        expect(Math.abs(flatFaceIntensity(turned, x, 0.4) / flatFaceIntensity(optics, x, 0.4) - 1)).toBeGreaterThan(
          0.02,
        );
        expect(image[0]).toBeCloseTo(reflectance(optics.window, optics.electrolyte), 12);
      }
    }
  });

  test("has half the light at the outline where lights add up, a quarter of the particle's where fields do", () => {
    const alone = { ...optics, visibility: 0, window: optics.electrolyte };
    const at = (image: Float64Array): number =>
      (image[60 * grid.width + 19]! + image[60 * grid.width + 20]!) / 2 / image[middle]!;
    expect(at(iscatIntensity(faceOf(0.95), grid, alone))).toBeCloseTo(0.5, 6);
    expect(at(iscatIntensity(faceOf(0.95), grid, { ...alone, imaging: "coherent" }))).toBeCloseTo(0.25, 1);
  });

  test("is spread, not made brighter: the sum of the light stays", () => {
    const alone = { ...optics, window: optics.electrolyte };
    const x = faceOf((x_um, y_um) => 0.75 + 0.2 * Math.sin(3 * x_um) ** 2 * Math.cos(2 * y_um) ** 2);
    const exact = Array.from(x.x).reduce(
      (sum, value) => sum + (Number.isNaN(value) ? 0 : flatFaceIntensity(alone, value, 0.4)),
      0,
    );
    const image = iscatIntensity(x, grid, alone);
    expect(image.reduce((sum, value) => sum + value, 0) / exact).toBeCloseTo(1, 9);
  });

  test("through Airy's pattern is that through its Gaussian, within 7 % of the face", () => {
    const objective = { na: 1.39, wavelength_um: 0.785, medium_n: 1.39 };
    const face = faceOf((x_um) => (x_um < 4 ? 0.75 : 0.95));
    const airy = iscatIntensity(face, grid, { ...optics, spread: { kind: "airy", objective } });
    const gauss = iscatIntensity(face, grid, { ...optics, spread: { kind: "gaussian", psf_um: 0.1188 } });
    // Airy's far rings carry some per cent of the light away from everywhere; the edges themselves agree.
    for (let column = 10; column < 150; column++) {
      const at = 60 * grid.width + column;
      expect(Math.abs(airy[at]! - gauss[at]!)).toBeLessThan(0.07 * gauss[middle]!);
    }
  });

  test("of a matrix and particles keeps each where it is", () => {
    const matrix = matrixLight(grid, { reflectance: 0.02, contrast: 0.3, psf_um: 0.118 }, 5);
    const mean = matrix.reduce((sum, value) => sum + value, 0) / size;
    expect(Math.abs(mean / 0.02 - 1)).toBeLessThan(0.02);
    const image = iscatIntensity(faceOf(0.95), grid, optics, matrix);
    expect(image[5]).toBe(matrix[5]);
    expect(image[middle]).toBeCloseTo(flatFaceIntensity(optics, 0.95, 0.4), 6);
    expect(iscatIntensity({ ...faceOf(0.95), cover: new Float64Array(size) }, grid, optics, matrix)).toEqual(matrix);
  });

  test("is the same from a microscope used before, wherever the particle was", () => {
    const imager = iscatImager(grid, optics);
    const used = new Float64Array(size);
    const { x } = faceOf(0.6);
    const moved: FaceMap = { ...faceOf(0.6), x: Float64Array.from(x, (_, at) => x[at + 7] ?? NaN) };
    imager.render(moved, used);
    imager.render(faceOf(0.9), used);
    expect(used).toEqual(iscatIntensity(faceOf(0.9), grid, optics));
  });
});

test("a boundary carries its own line: b at its crest, Gaussian in the distance", () => {
  const seen: IscatOptics = {
    ...optics,
    face: licoo2Light,
    visibility: 0,
    spread: { kind: "gaussian", psf_um: 0.005 },
  };
  const line = { height: 0.1, width_um: 0.15, x: 0.85 };
  // A boundary that runs at an angle and meets no cell's centre.
  const away = (x_um: number, y_um: number): number => (x_um - 3.97) * 0.8 + (y_um - 3.03) * 0.6;
  const face = faceOf((x, y) => 0.85 - 0.1 * Math.tanh(away(x, y) / 0.1));
  const with_ = iscatIntensity(face, grid, { ...seen, line });
  const without = iscatIntensity(face, grid, seen);
  const unit = flatFaceIntensity(seen, 0.95, 0);
  for (const [column, row] of [
    [75, 58],
    [78, 61],
    [80, 62],
    [83, 60],
    [70, 70],
    [90, 50],
  ] as const) {
    const d = away(column * grid.cell_um, row * grid.cell_um);
    const at = row * grid.width + column;
    expect((with_[at]! - without[at]!) / unit).toBeCloseTo(0.1 * Math.exp((-d * d) / (2 * 0.15 ** 2)), 3);
  }
});

describe("height leak", () => {
  const still = faceOf(0.9, { tilt: [0.15, 0], gap_um: 1 });

  /** Places along the middle row where the light is least. */
  function darkPlaces(image: Float64Array): number[] {
    const row = image.subarray(60 * grid.width, 61 * grid.width);
    const places: number[] = [];
    for (let column = 30; column < 130; column++) {
      const [a, b, c] = [row[column - 1]!, row[column]!, row[column + 1]!];
      if (b < a && b <= c) places.push((column + (0.5 * (a - c)) / (a - 2 * b + c)) * grid.cell_um);
    }
    return places;
  }

  /** How far fringes have slid towards a wider gap, less whole spacings. */
  function slid([before]: number[], [after]: number[]): number {
    const spacing = fringe_um(optics) / 0.15;
    return (((after! - before!) % spacing) + spacing) % spacing;
  }

  test("fringes stand wavelength / 2 n_e of gap apart on a tilted face", () => {
    const places = darkPlaces(iscatIntensity(still, grid, optics));
    expect(places.length).toBeGreaterThan(1);
    for (let at = 1; at < places.length; at++) {
      expect(places[at]! - places[at - 1]!).toBeCloseTo(fringe_um(optics) / 0.15, 1);
    }
  });

  test("a face tilted along y has its fringes along y", () => {
    const row = Math.floor(middle / grid.width);
    const tilted = iscatIntensity(faceOf(0.9, { tilt: [0, 0.15], gap_um: 1 }), grid, { ...optics, line: null });
    // A fringe of 1.9 um, whose height the point spread takes a little of.
    const seen = [-12, 9, 15].map((away) => tilted[middle + away * grid.width]!);
    expect(Math.max(...seen) / Math.min(...seen)).toBeGreaterThan(1.2);
    for (const away of [-12, 9, 15]) {
      const gap_um = 1 + 0.15 * (row + away - (grid.height - 1) / 2) * grid.cell_um;
      expect(Math.abs(tilted[middle + away * grid.width]! / flatFaceIntensity(optics, 0.9, gap_um) - 1)).toBeLessThan(
        0.05,
      );
      expect(tilted[middle + away]! / tilted[middle]!).toBeCloseTo(1, 6);
    }
  });

  test("a gap that closes slides them over the face although lithium rests, one spacing for each wavelength / 2 n_e", () => {
    const before = iscatIntensity({ ...still, gap_um: 1 }, grid, optics);
    const whole = iscatIntensity({ ...still, gap_um: 1 - fringe_um(optics) }, grid, optics);
    for (let at = 0; at < size; at++) expect(whole[at]!).toBeCloseTo(before[at]!, 9);
    for (const part of [0.1, 0.25, 0.4]) {
      const after = iscatIntensity({ ...still, gap_um: 1 - part * fringe_um(optics) }, grid, optics);
      expect(slid(darkPlaces(before), darkPlaces(after))).toBeCloseTo((part * fringe_um(optics)) / 0.15, 1);
    }
  });

  test("swelling alone does it: from x = 0.75 to 0.5 a crystal of 5 um rises by 77 nm, which its tilt turns into half a micron", () => {
    const leak: IscatOptics = { ...optics, face: evenLight, swelling: licoo2Swelling };
    const places = [0.75, 0.5].map((x) =>
      darkPlaces(iscatIntensity(faceOf(x, { tilt: [0.15, 0], gap_um: 1 }), grid, leak)),
    );
    const risen_um = 5 * ((14.42 - 14.2) / 14.06);
    expect(risen_um).toBeCloseTo(0.078, 3);
    expect(slid(places[0]!, places[1]!)).toBeCloseTo(risen_um / 0.15, 1);
  });

  test("a particle held at its face does not leak", () => {
    const held = { ...optics, swelling: { ...licoo2Swelling, towardsWindow: 0 } };
    expect(iscatIntensity(still, grid, held)).toEqual(iscatIntensity(still, grid, optics));
  });

  test("where a step in height lies, fields that add up make a dark line that lights do not", () => {
    const even: IscatOptics = { ...optics, face: evenLight, swelling: licoo2Swelling, visibility: 0 };
    const face = faceOf((x_um) => (x_um < 4 ? 0.75 : 0.95));
    const dip = (imaging: "coherent" | "incoherent"): number => {
      const image = iscatIntensity(face, grid, { ...even, imaging });
      return Math.min(...image.subarray(60 * grid.width + 60, 60 * grid.width + 100)) / image[60 * grid.width + 40]!;
    };
    // 50 nm in 5 um turn the phase by 1.1 rad: cos^2 of its half is left.
    const turn = (2 * Math.PI * 5 * ((14.2 - 14.06) / 14.06)) / fringe_um(optics);
    expect(dip("incoherent")).toBeCloseTo(1, 6);
    expect(dip("coherent")).toBeCloseTo(Math.cos(turn / 2) ** 2, 1);
  });
});

test("a material of two phases tells its boundary's line, one of a single phase has none", () => {
  const line = boundaryLine(lco)!;
  expect(line.x).toBeCloseTo(0.85, 9);
  expect(line.height).toBeCloseTo(lco.optics!.boundary.value * 0.15, 9);
  const single: Material = { ...lco, freeEnergy: { kind: "open-circuit" } };
  expect(boundaryLine(single)).toBeNull();
  expect(calibratedFace(single, 0.05).xReference).toBe(lco.most_x.value);
});

test("a phase map is a map of lithium between the two phases", () => {
  expect([...lithiumOfPhase([0, 0.5, 1], 0.95, 0.75)]).toEqual([0.95, 0.85, 0.75]);
});

test("what makes no sense is refused with its value and the cure", () => {
  const refused = (make: () => unknown, words: RegExp): void => {
    expect(make).toThrow(ParameterError);
    expect(make).toThrow(words);
  };
  refused(() => iscatIntensity(faceOf(1.2), grid, optics), /face\.x is 1\.2 in column 20, row 20.*Give 0 to 1/);
  refused(() => iscatIntensity(faceOf(0.9, { cover: new Float64Array(size).fill(1) }), grid, optics), /face\.x is NaN/);
  refused(() => iscatIntensity(faceOf(0.9, { gap_um: -0.1 }), grid, optics), /face\.gap_um comes to -0\.100/);
  refused(() => iscatIntensity(faceOf(0.9, { gap_um: NaN }), grid, optics), /face\.gap_um is NaN\. Give numbers/);
  refused(
    () => iscatIntensity(faceOf(0.5, { gap_um: 0.05 }), grid, { ...optics, swelling: licoo2Swelling }),
    /the face would touch the window/,
  );
  refused(
    () => iscatIntensity(faceOf(0.9, { gap_um: [1, 2] }), grid, optics),
    /face\.gap_um has 2 entries, not 19200\. Give one value/,
  );
  const many = new Float64Array(size).fill(2);
  const nothing = new Float64Array(size).fill(NaN);
  refused(() => iscatIntensity({ ...faceOf(0.9), cover: many }, grid, optics), /face\.cover is 2\. Give 0 to 1/);
  refused(() => iscatIntensity(faceOf(0.9, { added: nothing }), grid, optics), /face\.added is NaN/);
  refused(() => iscatIntensity(faceOf(0.9), grid, optics, nothing), /matrix is NaN\. Give light/);
  refused(() => iscatIntensity(faceOf(0.9), grid, { ...optics, wavelength_um: 785 }), /0\.785 for 785 nm/);
  refused(() => iscatIntensity(faceOf(0.9), grid, { ...optics, visibility: 1.1 }), /visibility is 1\.1/);
  refused(() => iscatIntensity(faceOf(0.9), grid, { ...optics, electrolyte: { n: -1, k: 0 } }), /electrolyte/);
  refused(
    () => iscatIntensity(faceOf(0.9), grid, { ...optics, face: { ...licoo2Light, x: [0.9, 0.5, 0.4, 1] } }),
    /face\.x is 0\.5\. Give lithium fractions that rise/,
  );
  refused(() => calibratedFace({ ...lco, optics: null }, 0.05), /the light of LiCoO2 is not known/);
  refused(() => swellingAlongC({ ...lco, lattice: null }, 1), /the lattice of LiCoO2 is not known/);
});

test("senseless values in any field of a face, a raster or a microscope are refused", async () => {
  const few: CellGrid = { width: 10, height: 10, cell_um: 0.1 };
  const x = Float64Array.from({ length: 100 }, (_, at) =>
    at % 10 > 2 && at % 10 < 7 && at > 25 && at < 75 ? 0.8 : NaN,
  );
  const even: FaceMap = { x, cover: null, gap_um: 0.3, tilt: [0.001, 0.001], thickness_um: 1, added: null };
  const mapped: FaceMap = {
    ...even,
    cover: x.map((one) => (Number.isNaN(one) ? 0 : 1)),
    gap_um: new Float64Array(100).fill(0.3),
    thickness_um: new Float64Array(100).fill(1),
    added: new Float64Array(100),
  };
  const one: IscatOptics = {
    ...optics,
    face: licoo2Light,
    swelling: licoo2Swelling,
    line: boundaryLine(lco),
    imaging: "coherent",
  };
  const other: IscatOptics = {
    ...optics,
    spread: { kind: "airy", objective: { na: 1.4, wavelength_um: 0.785, medium_n: 1.5 } },
  };
  const matrix = new Float64Array(100).fill(0.1);
  await refusesJunk([even, few, one, matrix] as const, ([face, raster, microscope, around]) => {
    expect(iscatIntensity(face, raster, microscope, around).every((light) => light >= 0)).toBe(true);
  });
  await refusesJunk([mapped, few, other] as const, ([face, raster, microscope]) => {
    expect(iscatIntensity(face, raster, microscope).every((light) => light >= 0)).toBe(true);
  });
  await refusesJunk([other, 0.8, 0.3] as const, (given) => flatFaceIntensity(...given));
  await refusesJunk([lco, 0.5] as const, ([material, share]) => {
    calibratedFace(material, share);
    swellingAlongC(material, share);
    boundaryLine(material);
  });
  await refusesJunk([few, { reflectance: 0.1, contrast: 0.5, psf_um: 0.118 }, 3] as const, (given) =>
    matrixLight(...given),
  );
});
