/** What a glance has to say to the user, in sentences. */
import { median } from "../kernels/stats.js";
import type { Glance, Moment } from "./glance.js";

/** Shares of pixels at the camera's limits from which it is said. */
const SATURATED = 1e-3;
const CLIPPED = 1e-2;
/** A frame is dark where its light spans less than this share of the usual span. */
const DARK = 0.2;
/** A change of the light over the movie, of neighbours, and of the sharpness, from which it is said. */
const LIGHT = 0.1;
const FLICKER = 0.02;
const BLURRED = 0.75;
/** Moments in a row that make a change of sharpness. */
const LASTING = 3;
/** Drift that is said: this share of the shorter side, and at least so many px. */
const MOVED = 0.02;
const MOVED_PX = 5;

type Seen = Omit<Glance, "warnings">;

/** Sentences on what may spoil an analysis: limits, darkness, repeats, light, focus, drift, pauses. */
export function glanceWarnings(seen: Seen): string[] {
  return [
    ...limits(seen),
    ...darkFrames(seen),
    ...repeats(seen),
    ...lightChanges(seen),
    ...focusChanges(seen),
    ...movement(seen),
    ...pauses(seen),
    ...(seen.stopped
      ? [`the time ran out: ${seen.moments.length} moments were looked at, spread over the movie.`]
      : []),
  ];
}

function limits({ saturation, moments, movie }: Seen): string[] {
  const sentences: string[] = [];
  if (saturation !== null) {
    const share = (moment: Moment): number => (moment.max === saturation ? moment.atMax : 0);
    const full = moments.filter((moment) => share(moment) >= SATURATED);
    if (full.length > 0) {
      sentences.push(
        `up to ${percent(Math.max(...full.map(share)))} of the pixels are saturated (at ${saturation}) in ${where(full, moments)}: nothing can be measured there.`,
      );
    }
  }
  // Where a type has negative values, 0 is none of its limits.
  if (movie.dtype.startsWith("uint")) {
    const cut = moments.filter(({ atZero, max }) => atZero >= CLIPPED && max > 0);
    if (cut.length > 0) {
      sentences.push(
        `up to ${percent(Math.max(...cut.map(({ atZero }) => atZero)))} of the pixels are 0 in ${where(cut, moments)}: the dark is cut off, or part of the image is blank.`,
      );
    }
  }
  return sentences;
}

function darkFrames({ moments }: Seen): string[] {
  const blank = moments.filter(({ min, max }) => !(max > min));
  const spans = moments.map(({ p1, p99 }) => p99 - p1);
  const usual = median(spans);
  const light = median(moments.map(({ mean }) => mean));
  const dark = moments.filter(({ mean, min, max }, at) => max > min && spans[at]! < DARK * usual && mean < light);
  return [
    ...(blank.length === 0
      ? []
      : [
          `${where(blank, moments)} ${blank.length === 1 ? "holds" : "hold"} one value alone: nothing was recorded there.`,
        ]),
    ...(dark.length === 0
      ? []
      : [`${where(dark, moments)} ${dark.length === 1 ? "is" : "are"} dark: the lamp or the shutter was off.`]),
  ];
}

function repeats({ moments }: Seen): string[] {
  const repeated = moments.filter((moment) => moment.repeated);
  const seen = new Map<string, number>();
  const again: [number, number][] = [];
  for (const { frame, print, min, max } of moments) {
    const before = seen.get(print);
    if (before === undefined || !(max > min)) seen.set(print, frame);
    else again.push([before, frame]);
  }
  const far = again.filter(([before]) => !repeated.some(({ frame }) => frame === before));
  return [
    ...(repeated.length === 0
      ? []
      : [
          `${repeated.length} of the ${moments.length} frames looked at ${repeated.length === 1 ? "is" : "are"} the same as the next one, first frame ${repeated[0]!.frame}: the camera or the recorder repeated them.`,
        ]),
    ...(far.length === 0
      ? []
      : [`frame ${far[0]![1]} is the same as frame ${far[0]![0]}, to the last pixel: part of the movie is repeated.`]),
  ];
}

function lightChanges({ moments, flicker }: Seen): string[] {
  const lit = moments.filter(({ min, max }) => max > min);
  const means = lit.map(({ mean }) => mean).filter((mean) => mean > 0);
  const sentences: string[] = [];
  if (means.length > 1) {
    const [least, most] = [Math.min(...means), Math.max(...means)];
    if (most / least - 1 > LIGHT) {
      const [low, high] = [lit.find(({ mean }) => mean === least)!, lit.find(({ mean }) => mean === most)!];
      sentences.push(
        `the mean light changes by ${percent(most / least - 1)} over the movie, lowest in frame ${low.frame}, highest in frame ${high.frame}.`,
      );
    }
  }
  if (flicker.value > FLICKER) {
    sentences.push(`the light flickers by ${percent(flicker.value)} between neighbouring frames.`);
  }
  return sentences;
}

function focusChanges({ moments }: Seen): string[] {
  const sharp = moments.filter((moment) => Number.isFinite(moment.fineContrast) && moment.max > moment.min);
  const first = median(sharp.slice(0, LASTING).map((moment) => moment.fineContrast));
  if (sharp.length < 2 * LASTING || !(first > 0)) return [];
  for (let at = LASTING; at + LASTING <= sharp.length; at++) {
    if (!sharp.slice(at, at + LASTING).every((moment) => moment.fineContrast < BLURRED * first)) continue;
    const least = Math.min(...sharp.slice(at).map((moment) => moment.fineContrast));
    return [
      `sharpness fell by up to ${percent(1 - least / first)} after frame ${sharp[at - 1]!.frame}: the focus may have been lost.`,
    ];
  }
  return [];
}

function movement({ moments, movie }: Seen): string[] {
  const found = moments.filter(({ x_px }) => Number.isFinite(x_px));
  const away = ({ x_px, y_px }: Moment): number => Math.hypot(x_px, y_px);
  const limit_px = Math.max(MOVED_PX, MOVED * Math.min(movie.width, movie.height));
  const sentences: string[] = [];
  if (found.length > 1) {
    const farthest = found.reduce((far, moment) => (away(moment) > away(far) ? moment : far));
    if (away(farthest) > limit_px) {
      sentences.push(`the scene moved by ${away(farthest).toFixed(0)} px, farthest in frame ${farthest.frame}.`);
    }
    const jumps = found.slice(1).map((moment, at) => ({
      from: found[at]!,
      to: moment,
      px: Math.hypot(moment.x_px - found[at]!.x_px, moment.y_px - found[at]!.y_px),
    }));
    const largest = jumps.reduce((most, jump) => (jump.px > most.px ? jump : most));
    if (largest.px > MOVED_PX && largest.px > 8 * median(jumps.map(({ px }) => px)) && jumps.length >= 5) {
      sentences.push(
        `the scene jumped by ${largest.px.toFixed(0)} px between frames ${largest.from.frame} and ${largest.to.frame}.`,
      );
    }
  }
  const lost = moments.filter(({ x_px, min, max }) => Number.isNaN(x_px) && max > min);
  if (lost.length > 0 && found.length > 1) {
    sentences.push(
      `the scene of frame ${moments[0]!.frame} is not found again in ${where(lost, moments)}: it changed, blurred or moved too far.`,
    );
  }
  return sentences;
}

function pauses({ time }: Seen): string[] {
  if (time === null) return [];
  const sentences: string[] = [];
  const [longest] = time.longestGaps;
  if (longest !== undefined) {
    const times = longest.interval_s / time.median_interval_s;
    sentences.push(
      `${time.gaps} ${time.gaps === 1 ? "pause" : "pauses"} in the frame times, the longest ${seconds(longest.interval_s)} after frame ${longest.after} (${times.toPrecision(3)} times the usual interval).`,
    );
  }
  if (time.backwards > 0) {
    const frames = time.backwards === 1 ? "frame is" : "frames are";
    sentences.push(`${time.backwards} ${frames} stamped no later than the frame before.`);
  }
  if (time.unstamped > 0) {
    sentences.push(`${time.unstamped} ${time.unstamped === 1 ? "frame has" : "frames have"} no time stamp.`);
  }
  return sentences;
}

/** "frame 7", "frames 3 to 9", "all frames looked at": the stretches of moments that hold what is said. */
function where(some: readonly Moment[], all: readonly Moment[]): string {
  if (some.length === all.length && all.length > 1) return "all frames looked at";
  const places = new Map(all.map(({ frame }, place) => [frame, place]));
  const stretches: [Moment, Moment][] = [];
  for (const moment of some) {
    const last = stretches.at(-1);
    if (last !== undefined && places.get(last[1].frame)! + 1 === places.get(moment.frame)) last[1] = moment;
    else stretches.push([moment, moment]);
  }
  const shown = stretches
    .slice(0, 4)
    .map(([from, to]) => (from === to ? `${from.frame}` : `${from.frame} to ${to.frame}`));
  const more = stretches.length > 4 ? ` and ${stretches.length - 4} more stretches` : "";
  return `${some.length === 1 ? "frame" : "frames"} ${shown.join(", ")}${more}`;
}

/** A share in per cent: "12 %", "0.3 %". */
export function percent(share: number): string {
  const value = 100 * share;
  return `${value >= 9.95 ? value.toFixed(0) : value >= 0.995 ? value.toFixed(1) : value.toPrecision(1)} %`;
}

/** A time as a reader wants it: "12 s", "3.2 min", "25.1 h". */
export function seconds(time_s: number): string {
  if (Math.abs(time_s) >= 3 * 3600) return `${(time_s / 3600).toFixed(1)} h`;
  if (Math.abs(time_s) >= 300) return `${(time_s / 60).toFixed(1)} min`;
  return `${Number(time_s.toPrecision(3))} s`;
}
