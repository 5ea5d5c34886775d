/** When the phase boundary passed each pixel: the paper's Fig. 4d. */
import { isoContours } from "../kernels/contour.js";
import { gaussianBlur } from "../kernels/filter.js";
import type { FrontMap, Transition } from "../model/experiment.js";
import { colourBar, imagePanel } from "./image-panel.js";
import { figure, type Figure } from "./spec.js";

/** The arrival map as a fraction of the window from its start to its end, the outline in black; white where no arrival was found. */
export function frontMapFigure(front: FrontMap, { start_s, end_s }: Pick<Transition, "start_s" | "end_s">): Figure {
  const { width, height, pixelSize_um, arrival_s, mask } = front;
  const span_s = Math.max(end_s - start_s, Number.EPSILON);
  const data = Float32Array.from(arrival_s, (arrival) => (arrival - start_s) / span_s);
  const shown = 320;
  const panel = imagePanel(
    { width, height, pixelSize_um, data },
    {
      label: `0 is ${start_s.toFixed(0)} s, 1 is ${end_s.toFixed(0)} s`,
      range: [0, 1],
      colormap: "arrival",
      width: shown,
      outlines: isoContours(gaussianBlur(mask, width, height, 1), width, height, 0.5),
      scaleBar: true,
    },
  );
  return figure({
    title: { text: "Progression of the phase boundary", offset: 10 },
    hconcat: [
      panel,
      colourBar("arrival", [0, 1], "arrival / share of the window", Math.round((shown / width) * height), ".1f"),
    ],
    spacing: 10,
  });
}
