/** Photon transfer: variance of a pixel from frame to frame against its light. */
import type { NoiseModel } from "../model/noise.js";
import { lineColours } from "./colormap.js";
import { absent, figure, PLOT_WIDTH, type Figure } from "./spec.js";

/** Points of the model's line. */
const POINTS = 60;

/** Variance against signal with one standard error, the model through it, and what photons alone give. */
export function noiseFigure(model: NoiseModel): Figure {
  const { levels, read_counts: read, gain_counts_per_electron: gain, proportional } = model;
  const last = levels.at(-1);
  if (last === undefined) return figure(absent("no noise could be measured", PLOT_WIDTH, 120));
  const most = 1.05 * last.signal_counts;
  const of = (variance: (signal: number) => number, what: string): { s: number; v: number; what: string }[] =>
    Array.from({ length: POINTS + 1 }, (_, at) => ({
      s: (most * at) / POINTS,
      v: variance((most * at) / POINTS),
      what,
    }));
  const known = gain !== null && read !== null;
  const lines = known
    ? [
        ...of((s) => read.value ** 2 + gain.value * s + (proportional * s) ** 2, "fitted"),
        ...of((s) => gain.value * s, "photons alone"),
      ]
    : [];
  const names = ["fitted", "photons alone"];
  const x = {
    field: "s",
    type: "quantitative",
    title: "light / counts",
    scale: { domain: [0, most], nice: false },
    axis: { tickCount: 8 },
  };
  const y = { type: "quantitative", title: "variance / counts²", axis: { tickCount: 5 } };
  return figure({
    title: {
      text: "Noise of a pixel from frame to frame",
      subtitle: known
        ? `reading ${read.value > (read.sd ?? 0) ? read.value.toPrecision(2) : `below ${(read.sd ?? 0).toPrecision(1)}`} counts, ${gain.value.toPrecision(3)} counts an electron`
        : (model.because[0] ?? ""),
    },
    width: PLOT_WIDTH,
    height: 180,
    layer: [
      {
        data: { values: lines },
        mark: { type: "line", strokeWidth: 1.5 },
        encoding: {
          x,
          y: { ...y, field: "v" },
          strokeDash: {
            field: "what",
            type: "nominal",
            legend: null,
            scale: {
              domain: names,
              range: [
                [1, 0],
                [6, 5],
              ],
            },
          },
          color: {
            field: "what",
            type: "nominal",
            title: null,
            scale: { domain: names, range: lineColours.slice(0, 2) },
          },
        },
      },
      {
        data: {
          values: levels.map(({ signal_counts, variance_counts2, sd_counts2 }) => ({
            s: signal_counts,
            v: variance_counts2,
            low: variance_counts2 - sd_counts2,
            high: variance_counts2 + sd_counts2,
          })),
        },
        layer: [
          {
            mark: { type: "rule", color: "#333333" },
            encoding: { x, y: { ...y, field: "low" }, y2: { field: "high" } },
          },
          {
            mark: { type: "point", filled: true, size: 30, color: "#333333" },
            encoding: { x, y: { ...y, field: "v" } },
          },
        ],
      },
    ],
  });
}
