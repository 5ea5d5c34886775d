/** The light of a scene whose lithium is known: what the microscope makes of faces, boundaries, order and carbon. */
import { coverageOfPolygon, polygonCentroid } from "../kernels/polygon.js";
import { thermodynamics } from "./free-energy.js";
import { cellsOfCamera, type ExposureSpec, type LightInTime } from "./expose-camera.js";
import { fringe_um, flatFaceIntensity, iscatImager, type FaceMap, type IscatOptics } from "./iscat.js";
import { boundaryLine, calibratedFace, swellingAlongC } from "./iscat-face.js";
import { matrixLight } from "./iscat-matrix.js";
import type { Place } from "./outline.js";
import { between, mapAt, valuesAt, type Between, type MapFilm } from "./phase-field-twin-film.js";
import type { ParticleLithium, SceneLithium } from "./phase-field-twin-lithium.js";
import type { PhaseFieldOpticsSpec, PhaseFieldSceneSpec } from "./phase-field-twin-spec.js";
import { refractiveIndex } from "./refractive-index.js";
import { carbonateElectrolyte, nBk7 } from "./refractive-index-media.js";
import { stream } from "./streams.js";
import { smoothNoise } from "./texture.js";

/** The scene's light on the cells of a camera's field, at any moment. */
export interface SceneLight {
  readonly light: LightInTime;
  /** Light of a large lithium-rich face at a quarter of a fringe, as a share of the light sent in. */
  readonly reference: number;
}

/** The microscope of a scene as iscatIntensity takes it. */
export function opticsOf(spec: PhaseFieldOpticsSpec, { material }: SceneLithium, psf_um: number): IscatOptics {
  const line = boundaryLine(material);
  const share = material.optics!.boundary.value;
  return {
    wavelength_um: spec.wavelength_um,
    window: refractiveIndex(nBk7, spec.wavelength_um),
    electrolyte: refractiveIndex(carbonateElectrolyte, spec.wavelength_um),
    gouy_rad: 0,
    visibility: spec.visibility,
    face: calibratedFace(material, spec.reflectance),
    swelling: spec.swelling === 0 ? null : swellingAlongC(material, spec.swelling),
    line:
      line === null || spec.boundary === null || share === 0
        ? line
        : { ...line, height: (line.height * spec.boundary) / share },
    imaging: spec.imaging,
    spread: { kind: "gaussian", psf_um },
  };
}

/** A particle on the cells of the image. */
interface Drawn {
  readonly particle: ParticleLithium;
  /** Cells that it covers, and where they lie on its raster. */
  readonly cells: Int32Array;
  readonly places: Between;
  readonly map: Float64Array;
  readonly values: Float64Array;
}

/** Makes a scene's light ready. `seed` draws carbon and faces. */
export function sceneLight(
  scene: PhaseFieldSceneSpec,
  lithium: SceneLithium,
  field: ExposureSpec["field"],
  psf_um: number,
  speckleContrast: number,
  seed: number,
): SceneLight {
  const { width, height, cell_um, origin_um } = cellsOfCamera(field);
  const grid = { width, height, cell_um };
  const optics = opticsOf(scene.microscope, lithium, psf_um);
  const fringe = fringe_um(optics);
  const reference = flatFaceIntensity(optics, optics.face.xReference, fringe / 4);
  const matrix = matrixLight(
    grid,
    { reflectance: scene.microscope.carbon * reference, contrast: speckleContrast, psf_um },
    seed,
  );
  const size = width * height;
  const x = new Float64Array(size).fill(NaN);
  const cover = new Float32Array(size);
  const gap_um = new Float32Array(size);
  const thickness_um = new Float32Array(size);
  const orders = lithium.particles.some(({ ordering }) => ordering !== null);
  const added = orders ? new Float64Array(size) : null;
  const drawn = lithium.particles.map((particle, index) => {
    const one = draw(particle, grid, origin_um, cover);
    const { roughness_nm, gap_fringes, tilt_deg, thickness_um: thick_um } = particle.spec;
    const centre_um = polygonCentroid(particle.outline_um);
    const slope = tilt_deg.map((deg) => Math.tan((deg * Math.PI) / 180));
    const rough = roughness_nm === 0 ? null : smoothNoise(width, height, 0.5 / cell_um, stream(seed, "face", index));
    for (const cell of one.cells) {
      const away_x_um = origin_um[0] + (cell % width) * cell_um - centre_um[0];
      const away_y_um = origin_um[1] + Math.floor(cell / width) * cell_um - centre_um[1];
      const rough_um = rough === null ? 0 : 1e-3 * roughness_nm * rough[cell]!;
      gap_um[cell] = gap_fringes * fringe + slope[0]! * away_x_um + slope[1]! * away_y_um + rough_um;
      thickness_um[cell] = thick_um;
    }
    return one;
  });
  const face: FaceMap = { x, cover, gap_um, tilt: [0, 0], thickness_um, added };
  const imager = iscatImager(grid, optics, matrix);
  const { order, wall } = scene.microscope;
  const seen = sharpened(lithium, scene.delta_um);
  const light: LightInTime = (time_s, into) => {
    for (const one of drawn) {
      fill(one, one.particle.x, time_s);
      one.cells.forEach((cell, at) => {
        x[cell] = seen(one.values[at]!);
        if (added !== null) added[cell] = 0;
      });
      if (added === null || one.particle.ordering === null) continue;
      for (const [film, share] of [
        [one.particle.ordering.order, order],
        [one.particle.ordering.walls, wall],
      ] as const) {
        fill(one, film, time_s);
        one.cells.forEach((cell, at) => {
          added[cell] = added[cell]! + share * one.values[at]!;
        });
      }
    }
    imager.render(face, into);
  };
  return { light, reference };
}

/** Half width of the boundary as it is seen: far thinner in nature than the phase field's, and thin against the point spread. */
const SEEN_um = 0.06;

/**
 * Lithium as the light follows it. The phase field widens its boundary many times over, and ahead of it the rich phase may
 * be poorer than in equilibrium; light of either kind belongs to the phase that a place is in. So across the gap lithium is
 * drawn together about its middle, s' = s delta / SEEN, and left as it is beside the gap.
 */
function sharpened({ material }: SceneLithium, delta_um: number): (x: number) => number {
  const { gap, middle_x } = thermodynamics(material);
  if (gap === null) return (x) => Math.min(1, Math.max(0, x));
  const factor = Math.max(1, delta_um / SEEN_um);
  return (x) => {
    if (x <= gap.poor_x || x >= gap.rich_x) return Math.min(1, Math.max(0, x));
    return Math.min(gap.rich_x, Math.max(gap.poor_x, middle_x + factor * (x - middle_x)));
  };
}

function fill({ map, values, places }: Drawn, film: MapFilm, time_s: number): void {
  mapAt(film, time_s, map);
  valuesAt(places, map, values);
}

/** Puts a particle on the cells of the image: what it covers of each, and which of its own cells lie there. */
function draw(
  particle: ParticleLithium,
  { width, height, cell_um }: { width: number; height: number; cell_um: number },
  origin_um: Place,
  cover: Float32Array,
): Drawn {
  const points = particle.outline_um.map(([px, py]): Place => [
    (px - origin_um[0]) / cell_um,
    (py - origin_um[1]) / cell_um,
  ]);
  const end = (axis: 0 | 1, size: number): [number, number] => {
    const along = points.map((point) => point[axis]);
    return [Math.max(0, Math.floor(Math.min(...along)) - 1), Math.min(size - 1, Math.ceil(Math.max(...along)) + 1)];
  };
  const [left, right] = end(0, width);
  const [top, bottom] = end(1, height);
  const wide = Math.max(0, right - left + 1);
  const high = Math.max(0, bottom - top + 1);
  const shares = coverageOfPolygon(
    points.map(([u, v]): Place => [u - left, v - top]),
    wide,
    high,
    16,
  );
  const cells: number[] = [];
  const places: Place[] = [];
  for (let at = 0; at < shares.length; at++) {
    if (shares[at] === 0) continue;
    const column = left + (at % wide);
    const row = top + Math.floor(at / wide);
    const cell = row * width + column;
    cover[cell] = Math.min(1, cover[cell]! + shares[at]!);
    cells.push(cell);
    places.push([origin_um[0] + column * cell_um, origin_um[1] + row * cell_um]);
  }
  return {
    particle,
    cells: Int32Array.from(cells),
    places: between(particle.raster, places),
    map: new Float64Array(particle.raster.mask.length),
    values: new Float64Array(cells.length),
  };
}
