/** The light along a line in time, with the front's places on it. */
import type { Kymograph } from "../model/experiment.js";
import { NM_PER_UM } from "../model/units.js";
import { medianStep, quantile } from "../kernels/stats.js";
import { lineColours, type Colormap } from "./colormap.js";
import { colourBar } from "./image-panel.js";
import { pictureUrl } from "./picture.js";
import { figure, timeUnit, type Figure, type Part, type TimeUnit } from "./spec.js";

const WIDTH = 250;
const HEIGHT = 300;

/**
 * Two panels, time downward: the change since before the window and the differential contrast, in per cent, the front's
 * places on the first and the straight line through them on both.
 */
export function kymographFigure(kymograph: Kymograph): Figure {
  const { time_s, distance_um, intensity, differential, lag_s, width_um, velocity_um_s } = kymograph;
  const unit = timeUnit(time_s[time_s.length - 1]!);
  const velocity =
    velocity_um_s === null
      ? "too few places for a velocity"
      : `${(NM_PER_UM * velocity_um_s.value).toFixed(1)} ± ${velocity_um_s.sd === null ? "?" : (NM_PER_UM * velocity_um_s.sd).toFixed(1)} nm/s along the line`;
  const panels = [
    { title: "change since before", values: intensity, colormap: "intensity", places: true },
    { title: `contrast over ${lag_s.toPrecision(3)} s`, values: differential, colormap: "contrast", places: false },
  ] as const;
  return figure({
    title: {
      text: "Kymograph along the front's way",
      subtitle: `averaged over ${width_um.toPrecision(2)} µm across; ${velocity}`,
      offset: 10,
    },
    hconcat: panels.flatMap(({ title, values, colormap, places }, at) => {
      const range = rangeOf(values, colormap);
      return [
        panel(kymograph, { title, values, range, colormap, places, unit, labelled: at === 0, distance_um }),
        colourBar(
          colormap,
          range.map((value) => 100 * value) as [number, number],
          colormap === "contrast" ? "contrast / %" : "I / I before − 1, %",
          HEIGHT,
          ".1f",
        ),
      ];
    }),
    spacing: 10,
  });
}

/** Contrast evenly about 0, by what all but the extreme values reach. */
function rangeOf(values: Float32Array, colormap: Colormap): [number, number] {
  const [low, high] = [quantile(values, 0.01), quantile(values, 0.99)];
  if (colormap !== "contrast") return [low, high];
  const most = Math.max(Math.abs(low), Math.abs(high));
  return [-most, most];
}

function panel(
  { time_s, ridge, velocity_um_s }: Kymograph,
  options: {
    readonly title: string;
    readonly values: Float32Array;
    readonly range: readonly [number, number];
    readonly colormap: Colormap;
    readonly places: boolean;
    readonly unit: TimeUnit;
    readonly labelled: boolean;
    readonly distance_um: Float64Array;
  },
): Part {
  const { unit, labelled, distance_um } = options;
  const interval_s = medianStep(time_s);
  const edge_um = 0.5 * (distance_um[1]! - distance_um[0]!);
  const x = {
    field: "x",
    type: "quantitative",
    scale: { domain: [-edge_um, distance_um[distance_um.length - 1]! + edge_um], nice: false },
    axis: { title: "way along the line / µm", grid: false, tickCount: 5 },
  };
  const first_s = time_s[0]! - 0.5 * interval_s;
  const last_s = time_s[time_s.length - 1]! + 0.5 * interval_s;
  const y = {
    field: "t",
    type: "quantitative",
    scale: { domain: [last_s / unit.seconds, first_s / unit.seconds], nice: false, zero: false },
    axis: { title: labelled ? `time / ${unit.name}` : null, labels: labelled, grid: false, tickCount: 8 },
  };
  const even = evenRows(options.values, time_s, distance_um.length, interval_s);
  const url = pictureUrl(
    { width: distance_um.length, height: even.rows, data: even.values },
    options.range,
    options.colormap,
  );
  const layer: Part[] = [
    {
      data: { values: [{ url }] },
      mark: {
        type: "image",
        width: WIDTH,
        height: HEIGHT,
        aspect: false,
        smooth: false,
        align: "left",
        baseline: "top",
      },
      encoding: { url: { field: "url", type: "nominal" }, x: { value: 0 }, y: { value: 0 } },
    },
    {
      data: {
        values: options.places ? ridge.map((one) => ({ x: one.distance_um, t: one.time_s / unit.seconds })) : [],
      },
      mark: { type: "point", filled: true, size: 16, color: lineColours[1], opacity: 0.9 },
      encoding: { x, y },
    },
  ];
  const straight = velocity_um_s === null ? [] : throughPlaces(ridge, velocity_um_s.value);
  layer.push({
    data: { values: straight.map(([t_s, x_um]) => ({ t: t_s / unit.seconds, x: x_um })) },
    mark: { type: "line", color: lineColours[0], strokeWidth: 1.2, clip: true },
    encoding: { x, y, order: { field: "t", type: "quantitative" } },
  });
  return {
    width: WIDTH,
    height: HEIGHT,
    title: { text: options.title, anchor: "middle", fontWeight: 400, fontSize: 12, offset: 4 },
    layer,
  };
}

/** Ends of the line of a given slope through the middle of the places. */
function throughPlaces(ridge: Kymograph["ridge"], slope_um_s: number): [number, number][] {
  if (ridge.length === 0) return [];
  const middle_s = ridge.reduce((sum, { time_s }) => sum + time_s, 0) / ridge.length;
  const off_um = quantile(
    ridge.map(({ time_s, distance_um }) => distance_um - slope_um_s * (time_s - middle_s)),
    0.5,
  );
  return [ridge[0]!.time_s, ridge[ridge.length - 1]!.time_s].map((t_s) => [
    t_s,
    off_um + slope_um_s * (t_s - middle_s),
  ]);
}

/** Rows evenly spaced in time, each the frame nearest to it, none where frames are missing. */
function evenRows(
  values: Float32Array,
  time_s: Float64Array,
  columns: number,
  interval_s: number,
): { readonly values: Float32Array; readonly rows: number } {
  const rows = Math.round((time_s[time_s.length - 1]! - time_s[0]!) / interval_s) + 1;
  const even = new Float32Array(rows * columns).fill(NaN);
  let frame = 0;
  for (let row = 0; row < rows; row++) {
    const t_s = time_s[0]! + row * interval_s;
    while (frame < time_s.length - 1 && Math.abs(time_s[frame + 1]! - t_s) <= Math.abs(time_s[frame]! - t_s)) frame++;
    if (Math.abs(time_s[frame]! - t_s) > interval_s) continue;
    even.set(values.subarray(frame * columns, (frame + 1) * columns), row * columns);
  }
  return { values: even, rows };
}
