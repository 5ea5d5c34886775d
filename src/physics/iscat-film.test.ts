import { expect, test } from "vitest";
import { cellsOfCamera, exposeCamera, type ExposureSpec } from "./expose-camera.js";
import { calibratedFace, lithiumOfPhase, swellingAlongC } from "./iscat-face.js";
import { mapOntoCells, matrixLight } from "./iscat-matrix.js";
import { fringe_um, iscatImager, type FaceMap, type IscatOptics } from "./iscat.js";
import { lco } from "./materials/lco.js";

const optics: IscatOptics = {
  wavelength_um: 0.785,
  window: { n: 1.51, k: 0 },
  electrolyte: { n: 1.39, k: 0 },
  gouy_rad: 0,
  visibility: 0,
  face: calibratedFace(lco, 0.053),
  swelling: null,
  line: null,
  imaging: "incoherent",
  spread: { kind: "gaussian", psf_um: 0.118 },
};
const spec: ExposureSpec = {
  field: { width: 60, height: 12, perPixel: 2, margin_px: 6, pixelSize_um: 0.08 },
  timing: { frames: 60, interval_s: 5, dropped: [11, 12], droppedFraction: 0, late_s: 0.5 },
  burst: { exposures: 200, exposure_s: 0.00025, spacing_s: 0.02, moments: 2 },
  drift: { linear_um: [0, 0], walk_um: 0, wobble_um: 0, wobblePeriod_s: 100 },
  focus: { start_um: 0, linear_um: 0, walk_um: 0, breathing_um: 0, breathingPeriod_s: 100 },
  psf_um: 0.118,
  rayleighRange_um: 0.31,
  lamp: { flicker: 0, fading: 0 },
  sensor: {
    fullWell_e: 32_000,
    electronsPerCount: 8,
    readNoise_e: 20,
    dark_e_s: 0,
    blackLevel: 100,
    bitDepth: 12,
    prnu: 0.01,
    dsnu_e: 5,
    vignette: 0,
  },
  electronsPerLight: 300_000,
  storedPerCount: 16,
};
const grid = cellsOfCamera(spec.field);
const size = grid.width * grid.height;

/** A crystal over the whole raster but for a rim, on a raster of its own as a simulation has it. */
const source = {
  width: 40,
  height: 16,
  h_um: 0.15,
  origin_um: [-0.4 - grid.origin_um[0], -0.3 - grid.origin_um[1]] as const,
};

/** Films a map of lithium in time, given at places in um from the centre of pixel (0, 0). */
function film(xAt: (x_um: number, time_s: number) => number, given: Partial<IscatOptics>, face: Partial<FaceMap> = {}) {
  const matrix = matrixLight(grid, { reflectance: 0.02, contrast: 0.3, psf_um: 0.118 }, 4);
  const imager = iscatImager(grid, { ...optics, ...given }, matrix);
  const x = new Float64Array(size);
  const map: FaceMap = { x, cover: null, gap_um: 1, tilt: [0, 0], thickness_um: 5, added: null, ...face };
  return exposeCamera(
    spec,
    (time_s, into) => {
      const values = Float64Array.from({ length: 640 }, (_, at) => xAt((at % 40) * 0.15 - 0.4, time_s));
      mapOntoCells({ ...source, values }, grid, 0, x);
      imager.render(map, into);
    },
    4,
  );
}

/** When a pixel of the middle row first has half of the change from the first to the last frame. */
function halfTimes(movie: ReturnType<typeof film>, columns: readonly number[]): number[] {
  const frames = Array.from({ length: movie.frames }, (_, index) => {
    const into = new Uint16Array(60 * 12);
    movie.read(index, into);
    return into;
  });
  return columns.map((column) => {
    const at = 6 * 60 + column;
    const half = (frames[0]![at]! + frames.at(-1)![at]!) / 2;
    const after = frames.findIndex((frame) => frame[at]! >= half);
    const [a, b] = [frames[after - 1]![at]!, frames[after]![at]!];
    const [from, to] = [movie.path.time_s[after - 1]!, movie.path.time_s[after]!];
    return from + ((half - a) / (b - a)) * (to - from);
  });
}

test("a front that runs over the face is seen where and when it runs, by the frames' true times", () => {
  const velocity_um_s = 0.02;
  const front = (x_um: number, time_s: number): number => {
    const [x] = lithiumOfPhase([0.5 + 0.5 * Math.tanh((velocity_um_s * time_s - x_um) / 0.2)], 0.95, 0.75);
    return x!;
  };
  const columns = [10, 17, 25, 33, 42, 50];
  const times = halfTimes(film(front, {}), columns);
  for (const [index, column] of columns.entries()) {
    // Noise of 0.04 % on a step of 15 % and frames 5 s apart.
    expect(Math.abs(times[index]! - (0.08 * column) / velocity_um_s)).toBeLessThan(0.7);
  }
});

test("a tilted face that swells evenly shows a front that is none: it passes where no lithium boundary is", () => {
  // The solid solution empties evenly from 0.75 to 0.5 within 300 s; the face is 5 um thick and tilted by a tenth.
  const even = (_: number, time_s: number): number => 0.75 - (0.25 * time_s) / 300;
  const law = { ...optics.face, light: [1, 1, 1, 1] } as IscatOptics["face"];
  const swelling = swellingAlongC(lco, 1);
  const leak = film(even, { face: law, swelling, visibility: 1 }, { tilt: [0.1, 0] });
  const still = film(even, { face: law, swelling: null, visibility: 1 }, { tilt: [0.1, 0] });
  const light = (movie: ReturnType<typeof film>, index: number): Float64Array => {
    const into = new Float64Array(60 * 12);
    movie.light(index, into);
    return into.subarray(6 * 60 + 6, 6 * 60 + 54);
  };
  const darkest_um = (row: Float64Array): number => {
    const at = row.findIndex((here, column) => here < (row[column - 1] ?? 0) && here <= (row[column + 1] ?? 0));
    const [a, b, c] = [row[at - 1]!, row[at]!, row[at + 1]!];
    return 0.08 * (at + (0.5 * (a - c)) / (a - 2 * b + c));
  };
  const slid_um = darkest_um(light(leak, leak.frames - 1)) - darkest_um(light(leak, 0));
  const spacing_um = fringe_um(optics) / 0.1;
  const risen_um = (5 * (14.42 - 14.2) * (295 / 300)) / 14.06;
  expect((slid_um + spacing_um) % spacing_um).toBeCloseTo(risen_um / 0.1, 1);
  // At 2.6 nm/s here; a face tilted by 10 mrad would show it ten times as fast, as fast as a front.
  expect(light(still, 0)).toEqual(light(still, still.frames - 1));
});
