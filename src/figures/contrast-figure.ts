/** Contrast images in a row with one scale: the paper's Figs 2b, 3a, b and 5. */
import { quantile } from "../kernels/stats.js";
import type { Image } from "../model/movie.js";
import { colourBar, imagePanel, type Outline } from "./image-panel.js";
import { absent, figure, PLOT_WIDTH, type Figure } from "./spec.js";

/** What stands in a row. */
export interface ContrastContent {
  readonly title: string;
  readonly images: readonly { readonly image: Image; readonly label: string }[];
  /** The particle's outline in px of the images. */
  readonly outline: Outline;
  /** Largest contrast shown; by default what 99.5 % of the outlines' pixels stay within. */
  readonly range?: number;
}

/** A row of images from minus to plus one contrast, zero white, with a scale bar and a colour bar in per cent. */
export function contrastFigure({ title, images, outline, range }: ContrastContent): Figure {
  const [first] = images;
  if (first === undefined) return figure(absent("no image to show", PLOT_WIDTH, 60));
  const most = range ?? widest(images.map(({ image }) => image));
  const width = Math.min(180, Math.floor((PLOT_WIDTH + 100) / images.length));
  const panels = images.map(({ image, label }, at) =>
    imagePanel(image, {
      label,
      range: [-most, most],
      colormap: "contrast",
      width,
      outlines: [outline],
      scaleBar: at === 0,
    }),
  );
  const height = Math.round((width / first.image.width) * first.image.height);
  return figure({
    title: { text: title, offset: 10 },
    hconcat: [...panels, colourBar("contrast", [-100 * most, 100 * most], "contrast / %", height, "~r")],
    spacing: 8,
  });
}

function widest(images: readonly Image[]): number {
  const magnitudes = images.flatMap(({ data }) => Array.from(data, Math.abs));
  const most = quantile(magnitudes, 0.995);
  return Number.isFinite(most) && most > 0 ? Number(most.toPrecision(2)) : 0.01;
}
