/** One image with its outline, a scale bar and a colour bar: the parts of every figure of images. */
import type { Image } from "../model/movie.js";
import type { Colormap } from "./colormap.js";
import { barUrl, pictureUrl } from "./picture.js";
import type { Part } from "./spec.js";

/** Places in px of the image, (0, 0) at the centre of its top-left pixel. */
export type Outline = readonly (readonly [number, number])[];

/** An image drawn `width` px wide under its label. */
export function imagePanel(
  image: Image,
  options: {
    readonly label: string;
    readonly range: readonly [number, number];
    readonly colormap: Colormap;
    readonly width: number;
    readonly outlines: readonly Outline[];
    readonly scaleBar: boolean;
  },
): Part {
  const { width, outlines } = options;
  const zoom = width / image.width;
  const height = Math.round(zoom * image.height);
  const at = (px: number): number => zoom * (px + 0.5);
  const layer: Part[] = [
    {
      data: { values: [{ url: pictureUrl(image, options.range, options.colormap) }] },
      mark: { type: "image", width, height, aspect: false, smooth: false, align: "left", baseline: "top" },
      encoding: { url: { field: "url", type: "nominal" }, x: { value: 0 }, y: { value: 0 } },
    },
  ];
  for (const outline of outlines) {
    const [start] = outline;
    if (start === undefined) continue;
    layer.push({
      data: { values: [...outline, start].map(([x, y], order) => ({ x: at(x), y: at(y), order })) },
      mark: { type: "line", color: "black", strokeWidth: 1, interpolate: "linear" },
      encoding: { ...place("x", width, height), order: { field: "order", type: "quantitative" } },
    });
  }
  if (options.scaleBar) layer.push(...scaleBar(image, zoom, width, height));
  return {
    width,
    height,
    title: { text: options.label, anchor: "middle", fontWeight: 400, fontSize: 12, offset: 4 },
    view: { stroke: "#999999" },
    layer,
  };
}

/** Channels that take x and y as they are, in px of the panel. */
function place(x: string, width: number, height: number): Part {
  const plain = { axis: null };
  return {
    x: { field: x, type: "quantitative", scale: { domain: [0, width], nice: false }, ...plain },
    y: { field: "y", type: "quantitative", scale: { domain: [height, 0], nice: false }, ...plain },
  };
}

function scaleBar(image: Image, zoom: number, width: number, height: number): Part[] {
  const field_um = image.width * image.pixelSize_um;
  const length_um = [50, 20, 10, 5, 2, 1, 0.5, 0.2, 0.1].find((length) => length <= 0.35 * field_um) ?? 0.1;
  const length = (length_um / image.pixelSize_um) * zoom;
  const y = height - 8;
  const half = Math.max(length / 2, 16) + 3;
  return [
    {
      data: { values: [{ x: width - 8 - length / 2 - half, x2: width - 8 - length / 2 + half, y: y - 18, y2: y + 4 }] },
      mark: { type: "rect", color: "white", opacity: 0.75 },
      encoding: { ...place("x", width, height), x2: { field: "x2" }, y2: { field: "y2" } },
    },
    {
      data: { values: [{ x: width - 8 - length, x2: width - 8, y }] },
      mark: { type: "rule", strokeWidth: 3, color: "black" },
      encoding: { ...place("x", width, height), x2: { field: "x2" } },
    },
    {
      data: { values: [{ x: width - 8 - length / 2, y: y - 4, text: `${length_um} µm` }] },
      mark: { type: "text", baseline: "bottom", color: "black", fontSize: 11 },
      encoding: { ...place("x", width, height), text: { field: "text", type: "nominal" } },
    },
  ];
}

/** A colour bar `height` px tall with its axis and title on the right. */
export function colourBar(
  name: Colormap,
  range: readonly [number, number],
  title: string,
  height: number,
  format: string,
): Part {
  return {
    width: 12,
    height,
    layer: [
      {
        data: { values: [{ url: barUrl(name) }] },
        mark: { type: "image", width: 12, height, aspect: false, align: "left", baseline: "top" },
        encoding: { url: { field: "url", type: "nominal" }, x: { value: 0 }, y: { value: 0 } },
      },
      {
        data: { values: range.map((v) => ({ v })) },
        mark: { type: "point", opacity: 0 },
        encoding: {
          y: {
            field: "v",
            type: "quantitative",
            scale: { domain: range, nice: false, zero: false },
            axis: { orient: "right", title, grid: false, tickCount: 5, format },
          },
        },
      },
    ],
  };
}
