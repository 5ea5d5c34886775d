/** The picture of a glance: which frames are shown, at which grey scale, over which axis. */
import { contactSheet, type ContactSheet } from "../figures/contact-sheet.js";
import type { Figure } from "../figures/spec.js";
import { quantile } from "../kernels/stats.js";
import type { Glance, Moment } from "./glance.js";
import { factLines } from "./glance-facts.js";

/** Frames shown. */
const SHOWN = 12;
/** Letters on a line under the title, and lines of warnings. */
const LETTERS = 165;
const WARNING_LINES = 8;

/** The contact sheet of a glance. */
export function glanceSheet(seen: Glance): Figure {
  const { moments, movie } = seen;
  const scale_um = movie.pixelSize_um ?? NaN;
  const shown = evenly(moments, SHOWN);
  const axis = axisOf(moments);
  const length = Number.isFinite(scale_um) ? { unit: "µm", of: scale_um } : { unit: "px", of: 1 };
  const values = (of: (moment: Moment) => number): number[] => moments.map(of);
  return contactSheet({
    title: movie.name.replace(/^.*[\\/](?=.)/, ""),
    lines: [...factLines(seen).flatMap(wrapped), ...warningLines(seen.warnings)],
    images: shown.map(({ frame, time_s, small }) => ({
      image: { ...small, pixelSize_um: scale_um * small.cell_px },
      label: time_s === null || Number.isNaN(time_s) ? `frame ${frame}` : `frame ${frame}, ${timeText(time_s, seen)}`,
    })),
    range: rangeOf(shown),
    axis,
    light: {
      low: values(({ p1 }) => p1),
      high: values(({ p99 }) => p99),
      curves: [
        { name: "mean", values: values(({ mean }) => mean) },
        { name: "median; grey 1 to 99 %", values: values(({ p50 }) => p50) },
      ],
      saturation: seen.saturation,
    },
    panels: [
      {
        title: "next frame / %",
        curves: [{ name: "step", values: values(({ step }) => 100 * step) }],
        fromZero: false,
        otherwise: "no frame follows another: flicker is not known",
      },
      {
        title: "sharpness / %",
        curves: [{ name: "fine contrast", values: values(({ fineContrast }) => 100 * fineContrast) }],
        fromZero: true,
        otherwise: "the frames are too small or too few to tell how sharp they are",
      },
      {
        title: `place / ${length.unit}`,
        curves: [
          { name: "x, to the right", values: values(({ x_px }) => length.of * x_px) },
          { name: "y, down", values: values(({ y_px }) => length.of * y_px) },
        ],
        fromZero: false,
        otherwise: "the scene of the first frame is not found in any other: drift is not known",
      },
    ],
  });
}

function evenly(moments: readonly Moment[], count: number): Moment[] {
  if (moments.length <= count) return [...moments];
  return Array.from({ length: count }, (_, at) => moments[Math.round((at * (moments.length - 1)) / (count - 1))]!);
}

/** One grey scale for all: nearly all pixels of all frames lie within it. */
function rangeOf(shown: readonly Moment[]): readonly [number, number] {
  const some: number[] = [];
  for (const { small } of shown) {
    const stride = Math.max(1, Math.floor(small.data.length / 5000));
    for (let at = 0; at < small.data.length; at += stride) some.push(small.data[at]!);
  }
  const [low, high] = [quantile(some, 0.002), quantile(some, 0.998)];
  return Number.isFinite(low) ? [low, high] : [0, 1];
}

/** Time where every moment has its own and they rise, else the frame's number. */
function axisOf(moments: readonly Moment[]): ContactSheet["axis"] {
  const times = moments.map(({ time_s }) => time_s ?? NaN);
  const rising = times.every((time, at) => Number.isFinite(time) && (at === 0 || time > times[at - 1]!));
  if (!rising) return { title: "frame", values: moments.map(({ frame }) => frame) };
  const { name, seconds } = unitOf(times.at(-1)! - times[0]!);
  return { title: `time / ${name}`, values: times.map((time) => time / seconds) };
}

function unitOf(length_s: number): { readonly name: "s" | "min" | "h"; readonly seconds: number } {
  if (length_s >= 3 * 3600) return { name: "h", seconds: 3600 };
  return length_s > 300 ? { name: "min", seconds: 60 } : { name: "s", seconds: 1 };
}

/** A frame's time in the unit of the axis, as fine as the axis can tell. */
function timeText(time_s: number, { time }: Glance): string {
  const length_s = time === null ? 0 : time.last_s - time.first_s;
  const { name, seconds } = unitOf(length_s);
  const digits = Math.max(0, Math.min(3, 2 - Math.floor(Math.log10(Math.max(length_s / seconds, 1e-3)))));
  return `${(time_s / seconds).toFixed(digits)} ${name}`;
}

function warningLines(warnings: readonly string[]): string[] {
  const lines = warnings.flatMap((warning) => wrapped(`Note: ${warning}`));
  if (lines.length <= WARNING_LINES) return lines;
  return [...lines.slice(0, WARNING_LINES - 1), "... and more warnings in glance.json"];
}

/** A text on lines of at most LETTERS letters. */
function wrapped(text: string): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > LETTERS) {
      lines.push(line);
      line = `   ${word}`;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
