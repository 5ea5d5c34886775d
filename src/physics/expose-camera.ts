/**
 * A camera that films light in time: a stored frame is the mean over a burst of short exposures, not an instant.
 *
 * Light comes on cells finer than pixels, in best focus and unshifted, for any moment asked for. The camera moves it by
 * the drift of that moment, blurs it by the focus of that moment, gathers it on its pixels, dims it by the lamp, and
 * counts electrons exposure by exposure.
 */
import type { Dtype, Samples } from "../model/movie.js";
import type { DriftSpec, LampSpec } from "./acquisition.js";
import { entries, pair, record, refuse, seeded, whole, within } from "./check.js";
import { cameraPath, checkFocus, type CameraPath, type FocusSpec, type TimingSpec } from "./expose-camera-path.js";
import { gatherAlong, gatherCells, marginFor, type CellField } from "./expose-camera-gather.js";
import { sensorOf, type SensorSpec } from "./expose-camera-sensor.js";
import { stream } from "./streams.js";

/** The exposures whose mean is a stored frame. */
export interface BurstSpec {
  readonly exposures: number;
  readonly exposure_s: number;
  /** From one exposure's start to the next one's. */
  readonly spacing_s: number;
  /** Moments of the burst at which the scene is drawn anew, evenly over it: at least 1. */
  readonly moments: number;
}

/** A film: its raster, its clock, its motions and its sensor. Nothing is left to a default. */
export interface ExposureSpec {
  readonly field: CellField & { readonly pixelSize_um: number };
  readonly timing: TimingSpec;
  readonly burst: BurstSpec;
  readonly drift: DriftSpec;
  readonly focus: FocusSpec;
  /** Best spread of the objective (standard deviation) and distance at which its area doubles. */
  readonly psf_um: number;
  readonly rayleighRange_um: number;
  readonly lamp: LampSpec;
  readonly sensor: SensorSpec;
  /** Mean photo-electrons that light of 1 on a whole pixel makes in one exposure. */
  readonly electronsPerLight: number;
  /** Stored numbers a count: means of bursts have fractions worth keeping. */
  readonly storedPerCount: number;
}

/** Light of the cells at a moment (seconds from the first frame's stamp), written into an array of all cells. */
export type LightInTime = (time_s: number, into: Float64Array) => void;

/** A film that can be drawn frame by frame, each the same whenever and in whatever order it is asked for. */
export interface ExposedMovie {
  readonly width: number;
  readonly height: number;
  /** Frames that came. */
  readonly frames: number;
  readonly pixelSize_um: number;
  readonly dtype: Extract<Dtype, "uint8" | "uint16">;
  /** True times, drift, focus and lamp. */
  readonly path: CameraPath;
  /** Stored numbers without light and dark current. */
  readonly blackLevel: number;
  /** Stored numbers above black for light of 1, the lamp at 1. */
  readonly storedPerLight: number;
  /** The number at which a stored frame is saturated in all its exposures. */
  readonly saturation: number;
  /** Stored numbers of one frame, height * width. */
  read(index: number, into: Samples): void;
  /** Light on the pixels of one frame, the mean over its burst: drift, focus and lamp in it, the sensor's doings not. */
  light(index: number, into: Float64Array): void;
}

/** The raster that light must be given on: its cells, and the place of its first one's centre from that of pixel (0, 0). */
export function cellsOfCamera(field: ExposureSpec["field"]): {
  width: number;
  height: number;
  cell_um: number;
  origin_um: readonly [number, number];
} {
  checkField(field);
  const { width, height, perPixel, margin_px, pixelSize_um } = field;
  const cell_um = pixelSize_um / perPixel;
  const origin_um = -margin_px * pixelSize_um - ((perPixel - 1) / 2) * cell_um;
  return {
    width: (width + 2 * margin_px) * perPixel,
    height: (height + 2 * margin_px) * perPixel,
    cell_um,
    origin_um: [origin_um, origin_um],
  };
}

/** Pixels of margin that the drift and the focus of a film ask for, whatever `field.margin_px` is. */
export function marginNeeded_px(spec: ExposureSpec, seed: number): number {
  checkExposure(spec);
  seeded("seed", seed);
  return marginOfPath(spec, pathOf(spec, seed));
}

function pathOf({ timing, drift, focus, lamp }: ExposureSpec, seed: number): CameraPath {
  return cameraPath(timing, drift, focus, lamp, seed);
}

function marginOfPath(spec: ExposureSpec, { reach_um, focusReach_um }: CameraPath): number {
  const { perPixel, pixelSize_um } = spec.field;
  const blur_cells = defocusBlur_cells(spec, focusReach_um);
  if (blur_cells > WIDEST_CELLS) {
    const cure = `Out of focus an image is blurred over ${Math.round(blur_cells)} cells. Give a longer one, or less defocus`;
    refuse("rayleighRange_um", spec.rayleighRange_um, cure);
  }
  return marginFor(perPixel, reach_um / pixelSize_um, blur_cells);
}

/** Gaussian that turns the best image into one out of focus: s(z)^2 = s0^2 (1 + (z / zR)^2). */
function defocusBlur_cells({ psf_um, rayleighRange_um, field }: ExposureSpec, focus_um: number): number {
  return ((psf_um * Math.abs(focus_um)) / rayleighRange_um) * (field.perPixel / field.pixelSize_um);
}

/**
 * Films light in time. `seed` draws fixed pattern, walks, lamp and noise; each has a stream of its own.
 * Throws ParameterError for a film that makes no sense, and for a margin that drift and focus overrun.
 */
export function exposeCamera(spec: ExposureSpec, light: LightInTime, seed: number): ExposedMovie {
  checkExposure(spec);
  if (typeof light !== "function") refuse("light", light, "Give a function of a time that fills an array of cells");
  seeded("seed", seed);
  const { field, burst, sensor: sensorSpec } = spec;
  const { width, height, perPixel } = field;
  const path = pathOf(spec, seed);
  checkMargin(spec, marginOfPath(spec, path));
  const sensor = sensorOf(sensorSpec, width, height, seed);
  const cells = new Float64Array((width + 2 * field.margin_px) * perPixel * (height + 2 * field.margin_px) * perPixel);
  const rows = new Float64Array(width * (height + 2 * field.margin_px) * perPixel);
  const pixels = new Float64Array(width * height);
  const counts = new Float64Array(width * height);
  const moments = momentsOf(burst);

  const gather = (time_s: number, share: number, into: Float64Array): void => {
    light(time_s, cells);
    const blur = defocusBlur_cells(spec, path.focus_um(time_s));
    const alongX = gatherAlong(perPixel, path.x_um(time_s) / field.pixelSize_um, blur);
    const alongY = gatherAlong(perPixel, path.y_um(time_s) / field.pixelSize_um, blur);
    gatherCells(cells, field, alongX, alongY, share, rows, into);
  };

  const checkRead = (index: number, into: ArrayLike<number>): void => {
    whole("index", index, 0, path.time_s.length - 1);
    entries("into", into, width * height, "Give an array with room for each pixel");
  };
  const full = 2 ** sensorSpec.bitDepth - 1;
  const wellCounts = sensorSpec.blackLevel + sensorSpec.fullWell_e / sensorSpec.electronsPerCount;
  const largest = Math.round(full * spec.storedPerCount);
  return {
    width,
    height,
    frames: path.time_s.length,
    pixelSize_um: field.pixelSize_um,
    dtype: largest <= 255 ? "uint8" : "uint16",
    path,
    blackLevel: sensorSpec.blackLevel * spec.storedPerCount,
    storedPerLight: (spec.electronsPerLight / sensorSpec.electronsPerCount) * spec.storedPerCount,
    saturation: Math.min(full, wellCounts) * spec.storedPerCount,
    read(index, into) {
      checkRead(index, into);
      const random = stream(seed, "exposure", path.planned[index]!);
      counts.fill(0);
      for (const { exposures, at_s } of moments) {
        pixels.fill(0);
        const lit = (path.lamp[index]! * spec.electronsPerLight) / at_s.length;
        for (const away_s of at_s) gather(path.time_s[index]! + away_s, lit, pixels);
        sensor.expose(pixels, burst.exposure_s, exposures, random, counts);
      }
      for (let at = 0; at < counts.length; at++) {
        into[at] = Math.min(largest, Math.max(0, Math.round((spec.storedPerCount * counts[at]!) / burst.exposures)));
      }
    },
    light(index, into) {
      checkRead(index, into);
      into.fill(0);
      for (const { exposures, at_s } of moments) {
        const share = (path.lamp[index]! * exposures) / burst.exposures / at_s.length;
        for (const away_s of at_s) gather(path.time_s[index]! + away_s, share, into);
      }
    },
  };
}

/** How long a burst lasts from its first exposure's start to its last one's end. */
export function burstLasts_s({ exposures, exposure_s, spacing_s }: BurstSpec): number {
  return (exposures - 1) * spacing_s + exposure_s;
}

/**
 * The exposures of a burst in groups, and the moments at which each group's light is taken, from the burst's middle. A
 * group is as good as its mean time; where there are more moments than exposures, each exposure is a mean over several.
 */
function momentsOf(burst: BurstSpec): { exposures: number; at_s: number[] }[] {
  const groups = Math.min(burst.exposures, burst.moments);
  const within = Math.ceil(burst.moments / groups);
  const list: { exposures: number; at_s: number[] }[] = [];
  for (let group = 0; group < groups; group++) {
    const first = Math.floor((group * burst.exposures) / groups);
    const end = Math.floor(((group + 1) * burst.exposures) / groups);
    const middle_s = ((first + end - 1) / 2 - (burst.exposures - 1) / 2) * burst.spacing_s;
    const span_s = groups === burst.exposures ? burst.exposure_s : 0;
    const at_s = Array.from({ length: groups === burst.exposures ? within : 1 }, (_, at) => {
      return middle_s + span_s * ((at + 0.5) / within - 0.5);
    });
    list.push({ exposures: end - first, at_s });
  }
  return list;
}

function checkMargin({ field }: ExposureSpec, least: number): void {
  if (field.margin_px >= least) return;
  refuse("field.margin_px", field.margin_px, `Drift and focus reach over ${least} px. Give at least ${least}`);
}

function checkField(field: ExposureSpec["field"]): void {
  record("field", field, "Give width, height, perPixel, margin_px and pixelSize_um");
  const { width, height, perPixel, margin_px } = field;
  whole("field.width", width, 1, 8192);
  whole("field.height", height, 1, 8192);
  whole("field.perPixel", perPixel, 1, 64);
  whole("field.margin_px", margin_px, 0, 8192);
  within("field.pixelSize_um", field.pixelSize_um, 1e-3, 100);
  const cells = (width + 2 * margin_px) * (height + 2 * margin_px) * perPixel ** 2;
  if (cells > MOST_CELLS)
    refuse("field.perPixel", perPixel, `With the margin these are ${cells} cells: give fewer than ${MOST_CELLS}`);
}

/** Cells of the largest raster that light is given on, and of the widest blur out of focus. */
const WIDEST_CELLS = 10_000;
const MOST_CELLS = 2 ** 27;

function checkExposure(spec: ExposureSpec): void {
  record("specification", spec, "Give field, timing, burst, drift, focus, lamp, sensor and the others");
  const { field, timing, burst, drift, focus, lamp, sensor } = spec;
  for (const [name, part] of Object.entries({ field, timing, burst, drift, focus, lamp, sensor })) {
    record(name, part, "Give a record of its numbers");
  }
  checkField(field);
  whole("timing.frames", timing.frames, 1, 1_000_000);
  within("timing.interval_s", timing.interval_s, 1e-6, 1e6);
  within("timing.late_s", timing.late_s, 0, timing.interval_s);
  within("timing.droppedFraction", timing.droppedFraction, 0, 0.9);
  if (!Array.isArray(timing.dropped)) refuse("timing.dropped", timing.dropped, "Give a list of frames, such as []");
  for (const frame of timing.dropped) whole("timing.dropped", frame, 1, Math.max(1, timing.frames - 1));
  whole("burst.exposures", burst.exposures, 1, 1_000_000);
  whole("burst.moments", burst.moments, 1, 1000);
  within("burst.exposure_s", burst.exposure_s, 0, 1e6);
  within("burst.spacing_s", burst.spacing_s, burst.exposures > 1 ? burst.exposure_s : 0, 1e6);
  const lasts_s = burstLasts_s(burst);
  const free_s = timing.interval_s - timing.late_s;
  if (timing.frames > 1 && lasts_s > free_s * (1 + 1e-9)) {
    refuse(
      "burst.exposures",
      burst.exposures,
      `The burst lasts ${lasts_s.toPrecision(4)} s but the next frame may begin ${free_s.toPrecision(4)} s on. Give fewer or shorter exposures`,
    );
  }
  pair("drift.linear_um", drift.linear_um, -1000, 1000, "Give two numbers, -1000 to 1000");
  within("drift.walk_um", drift.walk_um, 0, 1000);
  within("drift.wobble_um", drift.wobble_um, 0, 1000);
  within("drift.wobblePeriod_s", drift.wobblePeriod_s, 1e-6, 1e9);
  checkFocus("focus", focus);
  within("psf_um", spec.psf_um, 1e-3, 100);
  within("rayleighRange_um", spec.rayleighRange_um, 1e-3, 1000);
  within("lamp.flicker", lamp.flicker, 0, 1);
  within("lamp.fading", lamp.fading, -1, 100);
  within("sensor.fullWell_e", sensor.fullWell_e, 1, 1e9);
  within("sensor.electronsPerCount", sensor.electronsPerCount, 1e-6, 1e6);
  within("sensor.readNoise_e", sensor.readNoise_e, 0, 1e6);
  within("sensor.dark_e_s", sensor.dark_e_s, 0, 1e9);
  whole("sensor.bitDepth", sensor.bitDepth, 1, 16);
  within("sensor.blackLevel", sensor.blackLevel, 0, 2 ** sensor.bitDepth - 1);
  within("sensor.prnu", sensor.prnu, 0, 1);
  within("sensor.dsnu_e", sensor.dsnu_e, 0, 1e6);
  within("sensor.vignette", sensor.vignette, 0, 1);
  within("electronsPerLight", spec.electronsPerLight, 0, 1e12);
  within("storedPerCount", spec.storedPerCount, 1e-3, 65535 / (2 ** sensor.bitDepth - 1));
}
