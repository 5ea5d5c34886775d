/** Where walls meet, and lines that know of it. */
import { timesVector } from "../kernels/normal-equations.js";
import type { WallMeeting } from "../model/domains.js";
import { formOf, placeAt, slopeAt, type LineFit, type Place, type Scene } from "./domains-line-fit.js";

/** Walls bend beside their meeting point, so that their lines miss it by about this. */
const MISSES_UM = 0.05;

/** Places around which three areas or more lie; those nearer to each other than `near_px` are one. */
export function meetingsOf(
  labels: Int32Array,
  width: number,
  height: number,
  near_px: number,
): { x: number; y: number; areas: Set<number> }[] {
  const found: { x: number; y: number; n: number; areas: Set<number> }[] = [];
  for (let y = 0; y + 2 < height; y++) {
    for (let x = 0; x + 2 < width; x++) {
      const areas = new Set<number>();
      for (let at = 0; at < 9; at++) areas.add(labels[(y + Math.floor(at / 3)) * width + x + (at % 3)]!);
      areas.delete(0);
      if (areas.size < 3) continue;
      const one = found.find((other) => Math.hypot(other.x - x - 1, other.y - y - 1) <= near_px);
      if (one === undefined) {
        found.push({ x: x + 1, y: y + 1, n: 1, areas });
        continue;
      }
      one.x = (one.n * one.x + x + 1) / (one.n + 1);
      one.y = (one.n * one.y + y + 1) / (one.n + 1);
      one.n++;
      for (const area of areas) one.areas.add(area);
    }
  }
  return found;
}

/** Where rays cross, by least squares over their lines near the place they start from, relative to it; and the covariance. */
function crossing(
  rays: readonly LineFit[],
  rough_px: number,
): { dx: number; dy: number; xx: number; xy: number; yy: number } {
  // A place that no ray tells is known to within the ridge map.
  const rough = 1 / rough_px ** 2;
  let [xx, xy, yy, rx, ry] = [rough, 0, rough, 0, 0];
  for (const ray of rays) {
    const [cos, sin] = [Math.cos(ray.axis_rad), Math.sin(ray.axis_rad)];
    const { value: a, variance } = placeAt(ray, 0);
    const { value: b } = slopeAt(ray, 0);
    // v - b u = a, with u and v of the place from the middle.
    const [nx, ny] = [-sin - b * cos, cos - b * sin];
    const weight = 1 / (variance + 1e-4);
    xx += weight * nx * nx;
    xy += weight * nx * ny;
    yy += weight * ny * ny;
    rx += weight * nx * a;
    ry += weight * ny * a;
  }
  const determinant = xx * yy - xy * xy;
  return {
    dx: (yy * rx - xy * ry) / determinant,
    dy: (xx * ry - xy * rx) / determinant,
    xx: yy / determinant,
    xy: -xy / determinant,
    yy: xx / determinant,
  };
}

/** Where the rays of a meeting point cross, place in the image. */
export function meetingAt(rays: readonly LineFit[], middle: Place, scale_px: number): WallMeeting {
  const { dx, dy, xx, yy } = crossing(rays, 2 * scale_px);
  return {
    x_px: { value: middle[0] + dx, sd: Math.sqrt(xx), n: rays.length },
    y_px: { value: middle[1] + dy, sd: Math.sqrt(yy), n: rays.length },
  };
}

/** A line that runs to where the others of its meeting point cross, as far as that is known (one step of a Kalman filter). */
export function throughMeeting(fit: LineFit, others: readonly LineFit[], { pixelSize_um, scale_px }: Scene): LineFit {
  const { dx, dy, xx, xy, yy } = crossing(others, 4 * scale_px);
  const [cos, sin] = [Math.cos(fit.axis_rad), Math.sin(fit.axis_rad)];
  const across = -sin * dx + cos * dy;
  const error2 = sin * sin * xx - 2 * sin * cos * xy + cos * cos * yy + (MISSES_UM / pixelSize_um) ** 2;
  const { bends, covariance } = fit;
  const terms = bends.length;
  const t = (cos * dx + sin * dy - fit.middle_px) / fit.half_px;
  const form = Float64Array.from(bends, (_, k) => t ** k);
  const { value, variance } = formOf(fit, form);
  const gain = timesVector(covariance, form, terms).map((one) => one / (variance + error2));
  return {
    ...fit,
    bends: bends.map((one, k) => one + gain[k]! * (across - value)),
    covariance: covariance.map((one, k) => one - gain[Math.floor(k / terms)]! * gain[k % terms]! * (variance + error2)),
  };
}
