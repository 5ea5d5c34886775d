/** What all figures share: Vega-Lite's type, sizes and fonts, axes of time, the shade of windows. */
import type { TopLevelSpec } from "vega-lite";
import type { Transition } from "../model/experiment.js";
import { windowColours } from "./colormap.js";

/** A figure before it is drawn. */
export type Figure = TopLevelSpec;

/** A layer or a panel inside a figure. */
export type Part = Record<string, unknown>;

/** Font of all figures and of the report: Source Sans 3, named without its digit, which an unquoted attribute may not hold. */
export const fontFamily = "Source Sans";

/** Width of a plot over time, px. */
export const PLOT_WIDTH = 560;

/** Makes parts a figure with the house's look. */
export function figure(parts: Part): Figure {
  return {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    background: "white",
    padding: 8,
    config: {
      font: `${fontFamily}, sans-serif`,
      view: { stroke: null },
      axis: {
        labelFontSize: 11,
        titleFontSize: 12,
        titleFontWeight: 400,
        gridColor: "#eeeeee",
        domainColor: "#333333",
        tickColor: "#333333",
        labelColor: "#222222",
        titleColor: "#222222",
      },
      title: { fontSize: 13, fontWeight: 600, anchor: "start", subtitleFontSize: 11, subtitleColor: "#444444" },
      legend: { labelFontSize: 11, titleFontSize: 12, titleFontWeight: 400 },
      text: { fontSize: 11 },
    },
    ...parts,
  } as unknown as Figure;
}

/** Time as a reader wants it: minutes from 300 s on. */
export interface TimeUnit {
  readonly name: "s" | "min";
  readonly seconds: number;
}

/** The unit for a plot that reaches to `last_s`. */
export function timeUnit(last_s: number): TimeUnit {
  return Math.abs(last_s) > 300 ? { name: "min", seconds: 60 } : { name: "s", seconds: 1 };
}

/** The x channel of a plot over time; `labelled` is false for all panels but the lowest. */
export function timeAxis(unit: TimeUnit, domain_s: readonly [number, number], labelled = true): Part {
  return {
    field: "t",
    type: "quantitative",
    scale: { domain: domain_s.map((time) => time / unit.seconds), nice: false, zero: false },
    axis: { title: labelled ? `time / ${unit.name}` : null, labels: labelled, tickCount: 8, grid: false },
  };
}

/** A layer that shades windows in time; `keyed`, it tells in a legend which colour stands for which kind. */
export function windowLayer(
  transitions: readonly Transition[],
  unit: TimeUnit,
  domain_s: readonly [number, number],
  keyed = false,
): Part {
  const shown = transitions.filter(({ start_s, end_s }) => end_s > domain_s[0] && start_s < domain_s[1]);
  const kinds = (["biphasic", "ordering", "unknown"] as const).filter((kind) => shown.some((one) => one.kind === kind));
  const legend = { title: "window", orient: "right", symbolType: "square", symbolSize: 120, symbolOpacity: 0.35 };
  return {
    data: {
      values: shown.map(({ kind, start_s, end_s }) => ({
        from: Math.max(domain_s[0], start_s) / unit.seconds,
        to: Math.min(domain_s[1], end_s) / unit.seconds,
        kind,
      })),
    },
    mark: { type: "rect", opacity: 0.14 },
    encoding: {
      x: { field: "from", type: "quantitative" },
      x2: { field: "to" },
      color: {
        field: "kind",
        type: "nominal",
        scale: { domain: kinds, range: kinds.map((kind) => windowColours[kind]) },
        legend: keyed && kinds.length > 0 ? legend : null,
      },
    },
  };
}

/** Rows of a curve for a plot, thinned to at most about `most` by keeping the least and the greatest of each stretch. */
export function curveRows(
  time_s: ArrayLike<number>,
  value: ArrayLike<number>,
  unit: TimeUnit,
  domain_s: readonly [number, number],
  most = 1600,
): { t: number; v: number | null }[] {
  const inside: number[] = [];
  for (let at = 0; at < time_s.length; at++)
    if (time_s[at]! >= domain_s[0] && time_s[at]! <= domain_s[1]) inside.push(at);
  const kept = inside.length <= most ? inside : thinned(inside, value, Math.floor(most / 2));
  return kept.map((at) => ({ t: time_s[at]! / unit.seconds, v: Number.isFinite(value[at]!) ? value[at]! : null }));
}

function thinned(inside: readonly number[], value: ArrayLike<number>, stretches: number): number[] {
  const kept: number[] = [];
  for (let stretch = 0; stretch < stretches; stretch++) {
    const from = Math.floor((stretch * inside.length) / stretches);
    const to = Math.floor(((stretch + 1) * inside.length) / stretches);
    let least = inside[from]!;
    let greatest = least;
    for (let at = from; at < to; at++) {
      const index = inside[at]!;
      if (value[index]! < value[least]! || Number.isNaN(value[least]!)) least = index;
      if (value[index]! > value[greatest]! || Number.isNaN(value[greatest]!)) greatest = index;
    }
    if (least === greatest) kept.push(least);
    else kept.push(Math.min(least, greatest), Math.max(least, greatest));
  }
  return kept;
}

/** A panel that says in words what there is not. */
export function absent(sentence: string, width: number, height: number): Part {
  return {
    width,
    height,
    data: { values: [{ sentence }] },
    mark: { type: "text", color: "#555555", fontStyle: "italic", fontSize: 13 },
    encoding: { text: { field: "sentence" }, x: { value: width / 2 }, y: { value: height / 2 } },
  };
}
