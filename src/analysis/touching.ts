/** Crystals that touch, told apart by the neck between them or by a dark gap. */
import { distanceTransform } from "../kernels/distance.js";
import { gaussianBlur } from "../kernels/filter.js";
import { fillHoles } from "../kernels/label.js";
import { madSigma, median } from "../kernels/stats.js";
import type { Image } from "../model/movie.js";

/** A neck narrower than so much of the narrower body parts two crystals; two hexagons that share a side have 0.58. */
const NECK = 0.65;
/** A cell darker than so much of the way from the ground to the face is a gap, if the face is even enough. */
const GAP = 0.75;
/** The face is evened over this length to tell its level, and the light over this to find gaps. */
const FACE_UM = 0.5;
const LIGHT_UM = 0.08;
/** Ground that tells its level lies so far outside. */
const GROUND_UM = [0.3, 1] as const;

/**
 * The bodies in a mask of an image, labelled 1 ... count; 0 outside.
 *
 * Pixels are taken from the deepest outwards, depth being the distance to the outside or to a dark gap. Where two bodies
 * meet they stay two if the depth there is less than NECK of the lesser one's. What is neither as deep nor as large as
 * `least` is no body but a part of its neighbour. So a convex crystal is one, whatever its shape, and so is one with a dim
 * middle.
 */
export function bodiesOf(
  image: Image,
  mask: Uint8Array,
  least: { readonly depth_px: number; readonly area_px: number },
): { labels: Int32Array; count: number } {
  const { width, height } = image;
  const solid = withoutGaps(image, mask);
  const depth = distanceTransform(solid, width, height);
  const order: number[] = [];
  for (let at = 0; at < depth.length; at++) if (depth[at]! > 0) order.push(at);
  order.sort((a, b) => depth[b]! - depth[a]!);
  // Bodies by their deepest pixel; a body that is joined to another bears its name.
  const body = new Int32Array(width * height).fill(-1);
  const name = (at: number): number => {
    let top = body[at]!;
    while (body[top] !== top) top = body[top]!;
    body[at] = top;
    return top;
  };
  for (const at of order) {
    let own = -1;
    for (const to of neighbours(at, width, height)) {
      if (body[to] === -1) continue;
      const other = name(to);
      if (own === -1) own = other;
      else if (own !== other) {
        const [deep, shallow] = depth[own]! >= depth[other]! ? [own, other] : [other, own];
        // At every later meeting of the two the depth is less: the first one decides.
        if (depth[at]! >= NECK * depth[shallow]! || depth[shallow]! < least.depth_px) body[shallow] = deep;
        own = deep;
      }
    }
    body[at] = own === -1 ? at : own;
  }
  const area_px = new Map<number, number>();
  for (const at of order) area_px.set(name(at), (area_px.get(name(at)) ?? 0) + 1);
  const number = new Map<number, number>();
  const labels = new Int32Array(width * height);
  for (const at of order) {
    const top = name(at);
    if (depth[top]! < least.depth_px || area_px.get(top)! < least.area_px) continue;
    if (!number.has(top)) number.set(top, number.size + 1);
    labels[at] = number.get(top)!;
  }
  spread(labels, mask, width, height);
  return { labels, count: number.size };
}

/** The mask less the gaps that lead out of it. */
function withoutGaps({ width, height, pixelSize_um, data: light }: Image, mask: Uint8Array): Uint8Array {
  const away = distanceTransform(
    mask.map((value) => 1 - value),
    width,
    height,
  );
  const depth = distanceTransform(mask, width, height);
  const [near, far] = GROUND_UM;
  const ground = median(
    away.map((px, at) => (px * pixelSize_um > near && px * pixelSize_um <= far ? light[at]! : NaN)),
  );
  const deep = depth.map((px, at) => (px * pixelSize_um > near ? light[at]! : NaN));
  const face = gaussianBlur(deep, width, height, FACE_UM / pixelSize_um);
  const soft = gaussianBlur(light, width, height, LIGHT_UM / pixelSize_um);
  const share = soft.map((value, at) => (value - ground) / (face[at]! - ground));
  const rough = madSigma(share.map((value, at) => (depth[at]! * pixelSize_um > near ? value : NaN)));
  const level = Math.min(GAP, 1 - 4 * rough);
  const solid = mask.map((value, at) => (value === 1 && !(share[at]! < level) ? 1 : 0));
  return fillHoles(solid, width, height);
}

/** Pixels of the mask without a label take that of the nearest ones, step by step. */
function spread(labels: Int32Array, mask: Uint8Array, width: number, height: number): void {
  const queue: number[] = [];
  for (let at = 0; at < labels.length; at++) if (labels[at] !== 0) queue.push(at);
  for (const at of queue) {
    for (const to of neighbours(at, width, height)) {
      if (mask[to] === 0 || labels[to] !== 0) continue;
      labels[to] = labels[at]!;
      queue.push(to);
    }
  }
}

function neighbours(at: number, width: number, height: number): number[] {
  const x = at % width;
  const around: number[] = [];
  if (x > 0) around.push(at - 1);
  if (x < width - 1) around.push(at + 1);
  if (at >= width) around.push(at - width);
  if (at < width * (height - 1)) around.push(at + width);
  return around;
}
