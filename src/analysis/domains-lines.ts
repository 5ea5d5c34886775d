/** Walls as lines: each fitted along its crest, with its direction where it leaves the meeting point. */
import { median } from "../kernels/stats.js";
import type { DomainWall, WallMeeting } from "../model/domains.js";
import { fitLine, placeAt, principal, slopeAt, type LineFit, type Place, type Scene } from "./domains-line-fit.js";
import { meetingAt, meetingsOf, throughMeeting } from "./domains-meetings.js";
import { borderPlaces } from "./domains-walls.js";

/** Direction is taken this far from the meeting point, where its bend is past: a few half widths of a wall as it is seen. */
const DIRECTION_AT_UM = 0.8;
/** Around a meeting point no wall is itself: in widths of the filter at first, then of the walls as they are seen. */
const CLEAR = 2.5;
const CLEAR_WIDTHS = 2;
/** Meeting points are found, lines told from them, and both once more. */
const TURNS = 3;

/** Walls and meeting points of a parted particle, places in px of the image. */
export function wallLines(
  scene: Scene,
  labels: Int32Array,
): { readonly walls: DomainWall[]; readonly meetings: WallMeeting[] } {
  const { width, height } = scene;
  const borders = new Map<string, Place[]>();
  for (const [x, y, a, b] of borderPlaces(labels, width, height)) {
    const key = `${a},${b}`;
    const places = borders.get(key);
    if (places === undefined) borders.set(key, [[x, y]]);
    else places.push([x, y]);
  }
  const corners = meetingsOf(labels, width, height, CLEAR * scene.scale_px);
  const traced = [...borders].map(([key, places]) => {
    const between = key.split(",").map(Number) as [number, number];
    // Of the meeting points that it runs to, the one it is told from is the first.
    const meeting = corners.findIndex(({ areas }) => between.every((area) => areas.has(area)));
    return { between, places, meeting };
  });
  let middles: Place[] = corners.map(({ x, y }) => [x, y]);
  let fits: (LineFit | null)[] = [];
  let meetings: WallMeeting[] = [];
  let clear_px = CLEAR * Math.max(scene.scale_px, scene.psf_px);
  for (let turn = 0; turn < TURNS; turn++) {
    fits = traced.map(({ places, meeting }) => {
      const own = meeting < 0 ? null : middles[meeting]!;
      const others = middles.filter((_, at) => at !== meeting);
      return fitLine(scene, places, own, others, clear_px);
    });
    meetings = middles.map((middle, at) => {
      const rays = fits.filter((fit, wall): fit is LineFit => fit !== null && traced[wall]!.meeting === at);
      return meetingAt(rays, middle, scene.scale_px);
    });
    // Lines of the last turn are told from the middles before it.
    if (turn === TURNS - 1) break;
    middles = meetings.map(({ x_px, y_px }) => [x_px.value, y_px.value]);
    const widths = fits.flatMap((fit) => (fit === null ? [] : [fit.width_px]));
    if (widths.length > 0) clear_px = CLEAR_WIDTHS * median(widths);
  }
  const walls = traced.map(({ between, places, meeting }, at) => {
    const others = fits.filter((_, wall) => wall !== at && traced[wall]!.meeting === meeting);
    const rays = others.filter((fit): fit is LineFit => fit !== null);
    const alone = fits[at]!;
    const fit = alone === null || meeting < 0 || rays.length < 2 ? alone : throughMeeting(alone, rays, scene);
    const own = meeting < 0 ? null : middles[meeting]!;
    return wallOf(scene, fit, between, places, meeting, own);
  });
  return { walls, meetings };
}

function wallOf(
  { pixelSize_um, scale_px }: Scene,
  fit: LineFit | null,
  between: readonly [number, number],
  places: readonly Place[],
  meeting: number,
  own: Place | null,
): DomainWall {
  if (fit === null) {
    const { origin, axis_rad } = principal(places, own);
    const along = places.map(([x, y]) => Math.cos(axis_rad) * (x - origin[0]) + Math.sin(axis_rad) * (y - origin[1]));
    const [from, to] = [own === null ? Math.min(...along) : 0, Math.max(...along)];
    const at = (u: number): Place => [origin[0] + u * Math.cos(axis_rad), origin[1] + u * Math.sin(axis_rad)];
    return {
      between,
      angle_deg: null,
      meeting: meeting < 0 ? null : meeting,
      line_px: [at(from), at(to)],
      length_um: (to - from) * pixelSize_um,
      contrast: { value: NaN, sd: null, n: 0 },
      width_um: scale_px * pixelSize_um,
    };
  }
  const { origin, axis_rad, middle_px, begin_px: start, end_px: to_px, n } = fit;
  const where = own === null ? middle_px : Math.min(DIRECTION_AT_UM / pixelSize_um, middle_px);
  const { value: slope, variance } = slopeAt(fit, where);
  const angle = degrees(axis_rad + Math.atan(slope));
  const sd = ((Math.sqrt(variance) / (1 + slope * slope)) * 180) / Math.PI;
  const [cos, sin] = [Math.cos(axis_rad), Math.sin(axis_rad)];
  const points = Array.from({ length: 9 }, (_, k): Place => {
    const u = start + ((to_px - start) * k) / 8;
    const v = placeAt(fit, u).value;
    return [origin[0] + cos * u - sin * v, origin[1] + sin * u + cos * v];
  });
  let length_px = 0;
  for (let k = 1; k < points.length; k++)
    length_px += Math.hypot(points[k]![0] - points[k - 1]![0], points[k]![1] - points[k - 1]![1]);
  return {
    between,
    angle_deg: { value: own === null ? angle % 180 : angle, sd, n },
    meeting: meeting < 0 ? null : meeting,
    line_px: points,
    length_um: length_px * pixelSize_um,
    contrast: { value: fit.crest, sd: fit.crestSd, n },
    width_um: fit.width_px * pixelSize_um,
  };
}

function degrees(angle_rad: number): number {
  const angle = (angle_rad * 180) / Math.PI;
  return ((angle % 360) + 360) % 360;
}
