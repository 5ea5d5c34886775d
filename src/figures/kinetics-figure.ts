/** Phase fraction and single-particle C-rate over a transition: the paper's Fig. 3c, d. */
import type { Curve, Kinetics, Transition } from "../model/experiment.js";
import { lineColours } from "./colormap.js";
import {
  absent,
  curveRows,
  figure,
  PLOT_WIDTH,
  timeAxis,
  timeUnit,
  windowLayer,
  type Figure,
  type Part,
  type TimeUnit,
} from "./spec.js";

/** Two panels: the transformed fraction with its half time marked, and the C-rate, each with a band of one standard error. */
export function kineticsFigure(kinetics: Kinetics, transition: Transition): Figure {
  const { phaseFraction, cRate, t50_s } = kinetics;
  const { time_s } = phaseFraction;
  const domain_s: [number, number] = [time_s[0]!, time_s[time_s.length - 1]!];
  const unit = timeUnit(domain_s[1]);
  const shade = windowLayer([transition], unit, domain_s);
  const half: Part = {
    data: { values: [{ t: t50_s.value / unit.seconds }] },
    mark: { type: "rule", strokeDash: [4, 3], color: "#333333" },
    encoding: { x: { field: "t", type: "quantitative" } },
  };
  const lower =
    cRate === null
      ? absent("no C-rate: the transition is one of ordering", PLOT_WIDTH, 40)
      : {
          width: PLOT_WIDTH,
          height: 130,
          layer: [shade, ...band(cRate, "single-particle C-rate", unit, domain_s, true, lineColours[1], true)],
        };
  return figure({
    title: {
      text: `Half transformed at ${t50_s.value.toFixed(1)} s`,
      subtitle:
        cRate === null
          ? []
          : `C-rate = ${kinetics.c_rate_factor} · d(fraction)/dt in 1/h, smoothed over ${kinetics.c_rate_bandwidth_s} s`,
    },
    vconcat: [
      {
        width: PLOT_WIDTH,
        height: 130,
        layer: [
          shade,
          ...band(phaseFraction, "phase fraction", unit, domain_s, cRate === null, lineColours[0], false),
          half,
        ],
      },
      lower,
    ],
    spacing: 8,
  });
}

function band(
  curve: Curve,
  title: string,
  unit: TimeUnit,
  domain_s: readonly [number, number],
  labelled: boolean,
  colour: string,
  zero: boolean,
): Part[] {
  const sd = curveRows(curve.time_s, curve.sd, unit, domain_s, Infinity);
  const values = curveRows(curve.time_s, curve.value, unit, domain_s, Infinity).map(({ t, v }, at) => {
    const error = sd[at]?.v ?? 0;
    return { t, v, low: v === null ? null : v - error, high: v === null ? null : v + error };
  });
  const x = timeAxis(unit, domain_s, labelled);
  const y = {
    field: "v",
    type: "quantitative",
    title,
    axis: { tickCount: 5 },
    scale: zero ? { zero } : { domain: [0, 1.02], nice: false },
  };
  return [
    {
      data: { values },
      mark: { type: "area", opacity: 0.25, color: colour, clip: true },
      encoding: { x, y: { ...y, field: "low" }, y2: { field: "high" } },
    },
    { data: { values }, mark: { type: "line", color: colour, strokeWidth: 1.6 }, encoding: { x, y } },
  ];
}
