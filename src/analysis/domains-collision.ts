/** Lines where fronts met, told from walls: a wall stays, a collision of one variant with itself heals at once. */
import { gaussianBlur } from "../kernels/filter.js";
import { median, quantile } from "../kernels/stats.js";
import type { FrontMap } from "../model/experiment.js";
import { borderPlaces } from "./domains-walls.js";
import { valleysOf } from "./nuclei.js";

/** A valley of arrivals is a nucleus from this many standard errors on, and from this part of the front's whole time. */
const VALLEY_SD = 4;
const VALLEY_SHARE = 0.1;
/** And where it fills this part of the particle. */
const BASIN_SHARE = 0.04;
/** Where fronts met for this long without a wall, and for most of their line, they healed. */
const HEALED_UM = 0.8;
const HEALED_SHARE = 0.5;

/**
 * Whether fronts from two places met and left no wall, from the map of arrivals; null where the map holds too little. `marked`: 1
 * beside walls.
 */
export function frontsCollided(front: FrontMap, marked: Uint8Array, psf_px: number): boolean | null {
  const { width, height, arrival_s, sd_s, pixelSize_um } = front;
  if (width * height !== marked.length || !(front.covered > 0.5)) return null;
  const smooth = gaussianBlur(arrival_s, width, height, Math.max(1, psf_px));
  const map = smooth.map((value, at) => (Number.isFinite(arrival_s[at]!) ? value : NaN));
  const known = map.filter(Number.isFinite);
  const least_s = Math.max(VALLEY_SD * median(sd_s), VALLEY_SHARE * (quantile(known, 0.98) - quantile(known, 0.02)));
  if (!(least_s > 0)) return null;
  const nuclei = valleysOf(map, width, height, least_s).filter(
    ({ basin_px }) => basin_px >= BASIN_SHARE * known.length,
  );
  if (nuclei.length < 2) return false;
  const labels = basins(
    map,
    width,
    height,
    nuclei.map(({ pixels }) => pixels),
  );
  const lines = new Map<string, { all: number; healed: number }>();
  for (const [x, y, a, b] of borderPlaces(labels, width, height)) {
    const key = `${a},${b}`;
    const line = lines.get(key) ?? { all: 0, healed: 0 };
    lines.set(key, line);
    line.all++;
    if (marked[Math.round(y) * width + Math.round(x)] === 0) line.healed++;
  }
  // Sides of pixels along a slanting line are up to root two times as many as its length.
  return [...lines.values()].some(
    ({ all, healed }) => healed * pixelSize_um > 1.3 * HEALED_UM && healed > HEALED_SHARE * all,
  );
}

/** Pixels by the nucleus that they were reached from: taken up in the order of time. */
function basins(map: Float32Array, width: number, height: number, seeds: readonly (readonly number[])[]): Int32Array {
  const labels = new Int32Array(map.length);
  seeds.forEach((pixels, k) => pixels.forEach((at) => (labels[at] = k + 1)));
  const order: number[] = [];
  for (let at = 0; at < map.length; at++) if (Number.isFinite(map[at]!)) order.push(at);
  order.sort((a, b) => map[a]! - map[b]!);
  for (let turn = 0; turn < 3; turn++) {
    for (const at of order) {
      if (labels[at] !== 0) continue;
      const x = at % width;
      const y = (at - x) / width;
      let earliest = -1;
      for (let ny = Math.max(0, y - 1); ny <= Math.min(height - 1, y + 1); ny++) {
        for (let nx = Math.max(0, x - 1); nx <= Math.min(width - 1, x + 1); nx++) {
          const other = ny * width + nx;
          if (labels[other]! > 0 && (earliest < 0 || map[other]! < map[earliest]!)) earliest = other;
        }
      }
      if (earliest >= 0) labels[at] = labels[earliest]!;
    }
  }
  return labels;
}
