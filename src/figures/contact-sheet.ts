/** Frames spread over a movie in one picture, and under them how light, sharpness and place went. */
import type { Image } from "../model/movie.js";
import { lineColours } from "./colormap.js";
import { imagePanel } from "./image-panel.js";
import { absent, figure, type Figure, type Part } from "./spec.js";

/** A curve's values, one a moment; NaN breaks it. */
export interface SheetCurve {
  readonly name: string;
  readonly values: readonly number[];
}

/** What a contact sheet shows. */
export interface ContactSheet {
  readonly title: string;
  /** Lines under the title: facts, then what is to be minded. */
  readonly lines: readonly string[];
  /** Frames of one size in time's order; `pixelSize_um` is NaN where it is unknown, and no scale bar is drawn. */
  readonly images: readonly { readonly image: Image; readonly label: string }[];
  /** Stored values drawn black and white. */
  readonly range: readonly [number, number];
  /** Moments of the curves, with the axis' title: "time / min" or "frame". */
  readonly axis: { readonly title: string; readonly values: readonly number[] };
  readonly light: {
    /** 1st and 99th percentile. */
    readonly low: readonly number[];
    readonly high: readonly number[];
    readonly curves: readonly SheetCurve[];
    /** The value at which pixels are full; null where none is. */
    readonly saturation: number | null;
  };
  /** Panels under the light: a title with its unit and their curves; `fromZero` where a share of the whole matters. */
  readonly panels: readonly {
    readonly title: string;
    readonly curves: readonly SheetCurve[];
    readonly fromZero: boolean;
    /** Said instead, where no value is known. */
    readonly otherwise: string;
  }[];
}

/** Width of the images together and of the plots, px. */
const WIDTH = 800;
const GAP = 12;
const COLUMNS = 4;
/** Highest an image is drawn. */
const HEIGHT = 260;
const LABEL_WIDTH = 96;
const PANEL_HEIGHT = 90;
const FULL = "#d55e00";
const LIGHT = "light / stored value";

/** Four images a row, at one grey scale, over plots with one axis. */
export function contactSheet(sheet: ContactSheet): Figure {
  const { images, axis } = sheet;
  const first = images[0]!.image;
  const few = Math.min(COLUMNS, Math.max(1, images.length));
  const room = (WIDTH - (few - 1) * GAP) / few;
  const width = Math.max(24, Math.min(room, (HEIGHT * first.width) / first.height));
  // Slender images leave room for more in a row, each as wide as its label.
  const columns = Math.max(few, Math.floor((WIDTH + GAP) / (Math.max(width, LABEL_WIDTH) + GAP)));
  const several = axis.values.length > 1;
  const last = sheet.panels.findLastIndex(isKnown);
  return figure({
    title: { text: sheet.title, subtitle: sheet.lines, subtitlePadding: 4, offset: 14 },
    vconcat: [
      {
        concat: images.map(({ image, label }, at) =>
          imagePanel(image, {
            label,
            range: sheet.range,
            colormap: "intensity",
            width,
            outlines: [],
            scaleBar: at === 0 && Number.isFinite(image.pixelSize_um),
          }),
        ),
        columns,
        spacing: { row: 8, column: GAP },
      },
      ...(several
        ? [lightPanel(sheet, last < 0), ...sheet.panels.map((panel, at) => curvePanel(panel, axis, at === last))]
        : []),
    ],
    spacing: 10,
    resolve: { scale: { color: "independent" } },
  });
}

function xAxis({ title, values }: ContactSheet["axis"], labelled: boolean): Part {
  return {
    field: "t",
    type: "quantitative",
    scale: { domain: [values[0], values.at(-1)], nice: false, zero: false },
    axis: {
      title: labelled ? title : null,
      labels: labelled,
      tickCount: 8,
      grid: true,
      format: ",.6~g",
      ...(title === "frame" ? { tickMinStep: 1 } : {}),
    },
  };
}

function lightPanel({ axis, light }: ContactSheet, labelled: boolean): Part {
  const rows = axis.values.flatMap((t, at) =>
    Number.isFinite(light.low[at]!) ? [{ t, low: light.low[at]!, high: light.high[at]! }] : [],
  );
  const full =
    light.saturation === null
      ? []
      : [{ name: `full: ${light.saturation}`, values: axis.values.map(() => light.saturation!) }];
  return {
    width: WIDTH,
    height: PANEL_HEIGHT,
    layer: [
      {
        data: { values: rows },
        mark: { type: "area", opacity: 0.18, color: "#333333" },
        encoding: {
          x: xAxis(axis, labelled),
          y: { field: "low", type: "quantitative", title: LIGHT, scale: { zero: false } },
          y2: { field: "high" },
        },
      },
      curveLayer([...light.curves, ...full], axis, labelled, { title: LIGHT, zero: false }),
    ],
  };
}

/** One value alone, that of the first frame, is no curve. */
function isKnown({ curves }: ContactSheet["panels"][number]): boolean {
  return curves.some(({ values }) => values.filter(Number.isFinite).length > 1);
}

function curvePanel(panel: ContactSheet["panels"][number], axis: ContactSheet["axis"], labelled: boolean): Part {
  if (!isKnown(panel)) {
    return absent(panel.otherwise, WIDTH, PANEL_HEIGHT / 2);
  }
  return {
    width: WIDTH,
    height: PANEL_HEIGHT,
    layer: [curveLayer(panel.curves, axis, labelled, { title: panel.title, zero: panel.fromZero })],
  };
}

function curveLayer(
  curves: readonly SheetCurve[],
  axis: ContactSheet["axis"],
  labelled: boolean,
  { title, zero }: { readonly title: string; readonly zero: boolean },
): Part {
  const names = curves.map(({ name }) => name);
  return {
    data: {
      values: curves.flatMap(({ name, values }) =>
        axis.values.map((t, at) => ({ t, name, v: Number.isFinite(values[at]!) ? values[at]! : null })),
      ),
    },
    mark: { type: "line", strokeWidth: 1.2, point: { size: 12, filled: true } },
    encoding: {
      x: xAxis(axis, labelled),
      y: { field: "v", type: "quantitative", title, scale: { zero }, axis: { tickCount: 4, format: ",.6~g" } },
      color: {
        field: "name",
        type: "nominal",
        scale: { domain: names, range: names.map((name, at) => (name.startsWith("full") ? FULL : lineColours[at])) },
        legend: names.length > 1 ? { title: null, orient: "right" } : null,
      },
    },
  };
}
