/** Grains of the carbon that hang on to a crystal's outline: bulges too narrow to be part of it. */
import { distanceTransform, grow, shrink } from "../kernels/distance.js";
import { labelComponents } from "../kernels/label.js";
import { crossesItself, maskOfPolygon } from "../kernels/polygon.js";
import type { Outline } from "./outline-ring.js";

/** Cells a pixel on which the outline is opened. */
const CELLS = 3;

/**
 * The outline without bulges narrower than twice `radius_px`: cut off where they leave the largest body that a disc of that
 * radius can sweep inside it (a morphological opening). Corners of 90 degrees and more stay as they are.
 */
export function withoutEars(outline: Outline, radius_px: number): Outline {
  const radius = CELLS * radius_px;
  const pad = Math.ceil(radius) + 2;
  const left = Math.min(...outline.map(([x]) => x));
  const top = Math.min(...outline.map(([, y]) => y));
  const cells = outline.map(([x, y]): [number, number] => [CELLS * (x - left) + pad, CELLS * (y - top) + pad]);
  const width = Math.ceil(Math.max(...cells.map(([x]) => x))) + pad + 1;
  const height = Math.ceil(Math.max(...cells.map(([, y]) => y))) + pad + 1;
  const swept = grow(shrink(maskOfPolygon(cells, width, height), width, height, radius), width, height, radius);
  const { labels, count, area_px } = labelComponents(swept, width, height);
  if (count === 0) return outline;
  const areas = Array.from(area_px);
  const largest = areas.indexOf(Math.max(...areas.slice(1)));
  const beyond = distanceTransform(
    Uint8Array.from(labels, (label) => (label === largest ? 0 : 1)),
    width,
    height,
  );
  // A right angle's corner lies 0.41 radii beyond the swept body.
  const allowed = 0.45 * radius + 1.5;
  const kept = outline.filter((_, at) => {
    const [x, y] = cells[at]!;
    return beyond[Math.round(y) * width + Math.round(x)]! <= allowed;
  });
  return kept.length < 3 || kept.length === outline.length || crossesItself(kept) ? outline : kept;
}
