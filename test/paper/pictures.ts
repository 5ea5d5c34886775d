/** Figures of the table: maps of a particle in rows and columns, points with curves. */
import { isoContours } from "../../src/kernels/contour.js";
import { gaussianBlur } from "../../src/kernels/filter.js";
import type { Colormap } from "../../src/figures/colormap.js";
import { colourBar, imagePanel, type Outline } from "../../src/figures/image-panel.js";
import { figure, type Figure, type Part } from "../../src/figures/spec.js";
import type { Image } from "../../src/model/movie.js";

/** A map on square cells; NaN is left white. */
export interface CellMap {
  readonly width: number;
  readonly height: number;
  readonly h_um: number;
  readonly mask: ArrayLike<number>;
  readonly data: ArrayLike<number>;
  /** Where the particle's outline is known better than by its mask, in the frame of `origin_um`. */
  readonly origin_um?: readonly [number, number];
  readonly outline_um?: readonly (readonly [number, number])[];
}

/** Maps in rows, each with a label of its own, all on one scale of colour. */
export interface MapTable {
  readonly title: string;
  readonly subtitle: string;
  readonly rows: readonly { readonly label: string; readonly maps: readonly { map: CellMap; label: string }[] }[];
  readonly colormap: Colormap;
  readonly range: readonly [number, number];
  /** Of the colour bar, with its unit. */
  readonly scale: string;
  readonly format: string;
  /** Of one map, px. */
  readonly width: number;
}

/** Rows of maps with outlines, one scale bar and one colour bar. */
export function mapTable({ title, subtitle, rows, colormap, range, scale, format, width }: MapTable): Figure {
  const [most] = rows.flatMap(({ maps }) => maps.map(({ map }) => map.width * map.h_um)).sort((a, b) => b - a);
  const parts = rows.map(({ label, maps }, row): Part => {
    const panels = maps.map(({ map, label: own }, column) =>
      imagePanel(padded(map, row === 0 ? Math.ceil((BAR_PX * most!) / (width * map.h_um)) : 0), {
        label: own,
        range,
        colormap,
        width: Math.round((width * map.width * map.h_um) / most!),
        outlines: outlinesOf(map),
        scaleBar: row === 0 && column === 0,
      }),
    );
    return { title: { text: label, fontSize: 12, offset: 8 }, hconcat: panels, spacing: 8 };
  });
  return figure({
    title: { text: title, subtitle, offset: 12 },
    hconcat: [
      { vconcat: parts, spacing: 14 },
      colourBar(colormap, range, scale, Math.min(260, 130 * rows.length), format),
    ],
    spacing: 18,
  });
}

/** Room under the first row's maps for the scale bar, px of the figure. */
const BAR_PX = 22;

/** A map as an image, so many empty rows below. */
function padded({ width, height, h_um, data }: CellMap, rows: number): Image {
  const image = new Float32Array(width * (height + rows)).fill(NaN);
  image.set(Float32Array.from(data));
  return { width, height: height + rows, pixelSize_um: h_um, data: image };
}

function outlinesOf({ mask, width, height, h_um, origin_um, outline_um }: CellMap): Outline[] {
  if (origin_um !== undefined && outline_um !== undefined) {
    return [outline_um.map(([x, y]) => [(x - origin_um[0]) / h_um, (y - origin_um[1]) / h_um] as const)];
  }
  return isoContours(gaussianBlur(Float32Array.from(mask), width, height, 0.7), width, height, 0.5);
}

/** Lithium on cells: white at the middle of the gap, blue poor, red rich. */
export const LITHIUM = {
  colormap: "contrast",
  range: [0.7, 1],
  scale: "lithium per site, x (white: boundary)",
  format: ".2f",
} as const;

/** A line with its points; lines of one name have one colour. */
export interface Series {
  readonly name: string;
  readonly points: readonly (readonly [number, number])[];
}

/** An axis: its title with the unit. */
export interface Axis {
  readonly title: string;
  readonly log: boolean;
  readonly domain: readonly [number, number];
  readonly values?: readonly number[];
  readonly format?: string;
}

/** Lines with points, coloured in turn, and rules that mark values with a word. */
export function linePlot(plot: {
  readonly title: string;
  readonly subtitle: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly Series[];
  readonly colours: readonly string[];
  readonly rules: readonly { readonly axis: "x" | "y"; readonly at: number; readonly text: string }[];
}): Figure {
  const channel = (field: string, { title, log, domain, values, format }: Axis): Part => ({
    field,
    type: "quantitative",
    scale: { type: log ? "log" : "linear", domain, nice: false, zero: false },
    axis: { title, ...(values === undefined ? {} : { values }), ...(format === undefined ? {} : { format }) },
  });
  const x = channel("x", plot.x);
  const y = channel("y", plot.y);
  const names = [...new Set(plot.series.map(({ name }) => name))];
  const marks: Part[] = plot.rules.flatMap(({ axis, at, text }): Part[] => {
    const along = axis === "x" ? { x: { ...x, field: "at" } } : { y: { ...y, field: "at" } };
    const corner =
      axis === "x"
        ? { mark: { dx: 4, align: "left" }, y: { value: 10 } }
        : { mark: { dy: -7, align: "left" }, x: { value: 8 } };
    return [
      {
        data: { values: [{ at }] },
        mark: { type: "rule", strokeDash: [4, 3], color: "#444444" },
        encoding: along,
      },
      {
        data: { values: [{ at, text }] },
        mark: { type: "text", color: "#222222", ...corner.mark },
        encoding: {
          ...along,
          ...(axis === "x" ? { y: corner.y } : { x: corner.x }),
          text: { field: "text", type: "nominal" },
        },
      },
    ];
  });
  return figure({
    title: { text: plot.title, subtitle: plot.subtitle, offset: 12 },
    width: 460,
    height: 280,
    layer: [
      ...marks,
      {
        data: {
          values: plot.series.flatMap(({ name, points }, line) =>
            points.map(([px, py]) => ({ name, line, x: px, y: py })),
          ),
        },
        mark: { type: "line", point: { size: 36, filled: true }, strokeWidth: 1.8, clip: true },
        encoding: {
          x,
          y,
          detail: { field: "line", type: "nominal" },
          color: {
            field: "name",
            type: "nominal",
            scale: { domain: names, range: names.map((_, at) => plot.colours[at % plot.colours.length]) },
            legend: {
              title: null,
              symbolType: "stroke",
              symbolSize: 200,
              symbolStrokeWidth: 2,
              orient: "bottom",
              columns: 2,
              labelLimit: 400,
            },
          },
        },
      },
    ],
  });
}
