/** Particle intensity beside the cell's potential and dQ/dV, the found windows shaded: the paper's Fig. 2a. */
import type { Cycling } from "../model/cycling.js";
import type { Cell, Trace, Transition } from "../model/experiment.js";
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
} from "./spec.js";

/** What stands in the figure; the record and the cell are null where there is no cycler. */
export interface CyclingContent {
  readonly traces: readonly Trace[];
  /** On the movie's clock. */
  readonly cycling: Cycling | null;
  readonly cell: Cell | null;
  readonly transitions: readonly Transition[];
}

/** Three panels over the movie's time: intensity of each particle, potential, dQ/dV in mAh/V. */
export function cyclingFigure({ traces, cycling, cell, transitions }: CyclingContent): Figure {
  const [first] = traces;
  if (first === undefined) return figure(absent("no particle to show", PLOT_WIDTH, 60));
  const domain_s: [number, number] = [first.time_s[0]!, first.time_s[first.time_s.length - 1]!];
  const unit = timeUnit(domain_s[1] - domain_s[0]);
  const panel = (height: number, values: unknown[], title: string, lowest: boolean, colours: boolean): Part => ({
    width: PLOT_WIDTH,
    height,
    layer: [
      windowLayer(transitions, unit, domain_s, colours),
      {
        data: { values },
        mark: { type: "line", strokeWidth: 1.2, strokeJoin: "round", ...(colours ? {} : { color: "#333333" }) },
        encoding: {
          x: timeAxis(unit, domain_s, lowest),
          y: { field: "v", type: "quantitative", title, scale: { zero: false }, axis: { tickCount: 4 } },
          ...(colours ? { color: colourChannel(traces) } : {}),
          detail: { field: "part", type: "nominal" },
        },
      },
    ],
    resolve: { scale: { color: "independent" }, legend: { color: "independent" } },
  });
  const intensity = traces.flatMap(({ particle, time_s, intensity }) =>
    curveRows(time_s, intensity, unit, domain_s).map((row) => ({ ...row, part: String(particle) })),
  );
  const alone = cycling === null || cell === null;
  const panels: Part[] = [panel(130, intensity, "intensity, relative", alone, true)];
  if (alone) panels.push(absent("no cycler's record was given", PLOT_WIDTH, 24));
  else {
    const potential = curveRows(cycling.time_s, cycling.potential_V, unit, domain_s).map((row) => ({
      ...row,
      part: "E",
    }));
    const capacity = cell.differentialCapacity.flatMap(({ halfCycle, time_s, dQdV_mAh_V }) =>
      curveRows(time_s, dQdV_mAh_V, unit, domain_s).map((row) => ({ ...row, part: String(halfCycle) })),
    );
    const shown = capacity.some(({ v }) => v !== null);
    panels.push(
      panel(90, potential, "potential / V", !shown, false),
      shown ? panel(90, capacity, "dQ/dV / (mAh/V)", true, false) : absent("no dQ/dV within the movie", PLOT_WIDTH, 24),
    );
  }
  return figure({ vconcat: panels, spacing: 6, resolve: { scale: { color: "independent" } } });
}

function colourChannel(traces: readonly Trace[]): Part {
  return {
    field: "part",
    type: "nominal",
    scale: {
      domain: traces.map(({ particle }) => String(particle)),
      range: traces.map((_, at) => lineColours[at % lineColours.length]!),
    },
    legend: traces.length > 1 ? { title: "particle", orient: "right" } : null,
  };
}
