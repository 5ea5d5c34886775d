/** Where the scene lies in each frame, and the lamp's light on the still ground. */
import type { Drift } from "../model/experiment.js";
import { NM_PER_UM } from "../model/units.js";
import { lineColours } from "./colormap.js";
import { curveRows, figure, PLOT_WIDTH, timeAxis, timeUnit, type Figure } from "./spec.js";

/** Panels over the movie's time: x and y of the scene in nm, light relative to the reference in per cent, and focus, where it is told. */
export function driftFigure(time_s: Float64Array, drift: Drift, pixelSize_um: number): Figure {
  const domain_s: [number, number] = [time_s[0]!, time_s[time_s.length - 1]!];
  const unit = timeUnit(domain_s[1] - domain_s[0]);
  const nm = (shift_px: Float64Array): Float64Array => shift_px.map((shift) => shift * pixelSize_um * NM_PER_UM);
  const places = [
    ...curveRows(time_s, nm(drift.x_px), unit, domain_s).map((row) => ({ ...row, axis: "x, to the right" })),
    ...curveRows(time_s, nm(drift.y_px), unit, domain_s).map((row) => ({ ...row, axis: "y, down" })),
  ];
  const light = curveRows(
    time_s,
    drift.gain.map((gain) => 100 * gain),
    unit,
    domain_s,
  );
  const focus = Number.isFinite(drift.focus_sd) ? curveRows(time_s, drift.focus, unit, domain_s) : [];
  const residual_nm = drift.residual_nm.value;
  return figure({
    title: {
      text: "Drift, light and focus",
      subtitle: Number.isFinite(residual_nm)
        ? `error of one frame's place: ${residual_nm.toPrecision(2)} nm (least possible: ${drift.bound_nm.toPrecision(2)} nm)`
        : "the drift could not be measured",
    },
    vconcat: [
      {
        width: PLOT_WIDTH,
        height: 120,
        data: { values: places },
        mark: { type: "line", strokeWidth: 1.2 },
        encoding: {
          x: timeAxis(unit, domain_s, false),
          y: { field: "v", type: "quantitative", title: "place / nm", axis: { tickCount: 4 } },
          color: {
            field: "axis",
            type: "nominal",
            title: null,
            scale: { domain: ["x, to the right", "y, down"], range: lineColours.slice(0, 2) },
          },
        },
      },
      {
        width: PLOT_WIDTH,
        height: 80,
        data: { values: light },
        mark: { type: "line", strokeWidth: 1, color: "#333333" },
        encoding: {
          x: timeAxis(unit, domain_s, focus.length === 0),
          y: { field: "v", type: "quantitative", title: "light / %", scale: { zero: false }, axis: { tickCount: 4 } },
        },
      },
      ...(focus.length === 0
        ? []
        : [
            {
              width: PLOT_WIDTH,
              height: 80,
              data: { values: focus },
              mark: { type: "line", strokeWidth: 1, color: "#333333" },
              encoding: {
                x: timeAxis(unit, domain_s),
                y: {
                  field: "v",
                  type: "quantitative",
                  title: "focus",
                  scale: { domain: focusDomain(focus.map(({ v }) => v)), nice: false },
                  axis: { tickCount: 4 },
                },
              },
            },
          ]),
    ],
    spacing: 6,
  });
}

/** At least a tenth about 1, so that noise does not look like a change. */
function focusDomain(values: readonly (number | null)[]): [number, number] {
  const known = values.filter((value): value is number => value !== null && Number.isFinite(value));
  return [Math.min(0.9, ...known), Math.max(1.1, ...known)];
}
