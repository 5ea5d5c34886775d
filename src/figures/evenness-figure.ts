/** How uneven a particle's differential image is, beside what noise alone gives. */
import type { Evenness, Transition } from "../model/experiment.js";
import { lineColours } from "./colormap.js";
import { curveRows, figure, PLOT_WIDTH, timeAxis, timeUnit, windowLayer, type Figure } from "./spec.js";

/** One panel over the movie's time, in per cent of the intensity; the windows found are shaded. */
export function evennessFigure({ time_s, unevenness, expected }: Evenness, transitions: readonly Transition[]): Figure {
  const domain_s: [number, number] = [time_s[0]!, time_s[time_s.length - 1]!];
  const unit = timeUnit(domain_s[1] - domain_s[0]);
  const names = ["measured", "noise alone"];
  const rows = [unevenness, expected].flatMap((curve, at) =>
    curveRows(
      time_s,
      curve.map((value) => 100 * value),
      unit,
      domain_s,
    ).map((row) => ({ ...row, curve: names[at]! })),
  );
  return figure({
    title: { text: "Unevenness of the differential image" },
    width: PLOT_WIDTH,
    height: 130,
    layer: [
      windowLayer(transitions, unit, domain_s, true),
      {
        data: { values: rows },
        mark: { type: "line", strokeWidth: 1.2 },
        encoding: {
          x: timeAxis(unit, domain_s),
          y: { field: "v", type: "quantitative", title: "unevenness / %", axis: { tickCount: 4 } },
          color: {
            field: "curve",
            type: "nominal",
            title: null,
            scale: { domain: names, range: [lineColours[0], "#777777"] },
          },
        },
      },
    ],
    resolve: { scale: { color: "independent" }, legend: { color: "independent" } },
  });
}
