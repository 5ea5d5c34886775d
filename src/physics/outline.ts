/** Outlines of crystals: closed polygons in um of frame 0, (0, 0) at the centre of the top-left pixel, y down. */
import { containsPoint, polygonArea, polygonCentroid } from "../kernels/polygon.js";
import { ParameterError } from "../model/errors.js";
import { finite, oneOf, pair, record, refuse, seeded, whole, within } from "./check.js";
import { stream } from "./streams.js";

/** A place in um. */
export type Place = readonly [number, number];

/** A shape by its kind; sharp corners are rounded over `corner_um` from the corner along both edges. */
export type OutlineSpec =
  | {
      readonly kind: "ellipse";
      readonly centre_um: Place;
      /** Semi-axes. */
      readonly radii_um: Place;
      /** Of the first semi-axis, from +x towards +y. */
      readonly angle_deg: number;
    }
  | {
      readonly kind: "hexagon";
      readonly centre_um: Place;
      /** From the centre to a corner. */
      readonly radius_um: number;
      /** Of the first corner, from +x towards +y. */
      readonly angle_deg: number;
      readonly corner_um: number;
    }
  | {
      readonly kind: "crystal";
      readonly centre_um: Place;
      readonly radius_um: number;
      readonly corners: number;
      /** Which irregular crystal. */
      readonly seed: number;
    }
  | { readonly kind: "polygon"; readonly points_um: readonly Place[]; readonly corner_um: number };

/** A crystal of less cannot be told from a point by a microscope. */
const LEAST_AREA_UM2 = 0.2;

/**
 * The polygon of a shape, first point not repeated.
 * Throws ParameterError, named `name`, for one that crosses itself, has fewer than three corners or covers < 0.2 um^2.
 */
export function outlineOf(spec: OutlineSpec, name = "outline"): Place[] {
  checkOutline(name, spec);
  const drawn = shape(spec);
  // A polygon may be written closed, its first point repeated.
  const points = drawn.filter(([x, y], at) => {
    const [px, py] = drawn[(at + drawn.length - 1) % drawn.length]!;
    return x !== px || y !== py;
  });
  checkPlaces(name, points);
  const crossing = firstCrossing(points);
  if (crossing !== null) {
    const near = crossing.map((value) => value.toFixed(2)).join(",");
    throw new ParameterError(`${name} crosses itself near ${near} um. Put its corners in order.`, {
      parameter: name,
      value: spec,
    });
  }
  const area_um2 = polygonArea(points);
  if (!(area_um2 >= LEAST_AREA_UM2)) {
    throw new ParameterError(
      `${name} covers ${area_um2.toPrecision(3)} um^2: too small to see a front in. Give at least ${LEAST_AREA_UM2}.`,
      { parameter: name, value: spec },
    );
  }
  return points;
}

/** No place lies farther away, and no polygon has more corners: each is tried against each. */
const MOST_um = 1e5;
const MOST_CORNERS = 20_000;

/** Throws a ParameterError, named `name`, for what is no list of at least three places. */
export function checkPlaces(name: string, points_um: readonly Place[]): void {
  const cure = "Give at least three corners, each x,y in um";
  if (!Array.isArray(points_um)) refuse(name, points_um, cure);
  if (points_um.length < 3 || points_um.length > MOST_CORNERS) {
    throw new ParameterError(`${name} has ${points_um.length} corners. ${cure}.`, {
      parameter: name,
      value: points_um,
    });
  }
  for (const [at, place] of points_um.entries()) pair(`${name}.${at}`, place, -MOST_um, MOST_um, cure);
}

function checkOutline(name: string, spec: OutlineSpec): void {
  record(name, spec, "Give one, such as { kind: ellipse, centre_um: [5, 5], radii_um: [3, 2], angle_deg: 0 }");
  oneOf(`${name}.kind`, spec.kind, ["ellipse", "hexagon", "crystal", "polygon"]);
  if (spec.kind === "polygon") {
    checkPlaces(name, spec.points_um);
    // A corner is rounded by nine.
    const most_um = spec.points_um.length > MOST_CORNERS / 9 ? 0 : MOST_um;
    within(`${name}.corner_um`, spec.corner_um, 0, most_um);
    return;
  }
  pair(`${name}.centre_um`, spec.centre_um, -MOST_um, MOST_um, "Give a place x,y in um");
  if (spec.kind === "ellipse")
    pair(`${name}.radii_um`, spec.radii_um, 1e-3, 1000, "Give two semi-axes in um, 0.001 to 1000");
  else within(`${name}.radius_um`, spec.radius_um, 1e-3, 1000);
  if (spec.kind === "crystal") {
    whole(`${name}.corners`, spec.corners, 3, 100);
    seeded(`${name}.seed`, spec.seed);
  } else finite(`${name}.angle_deg`, spec.angle_deg, "Give an angle in degrees");
  if (spec.kind === "hexagon") within(`${name}.corner_um`, spec.corner_um, 0, MOST_um);
}

function shape(spec: OutlineSpec): Place[] {
  if (spec.kind === "ellipse") {
    const [a, b] = spec.radii_um;
    const n = Math.max(32, Math.min(512, Math.ceil((Math.PI * (a + b)) / 0.25)));
    const cos = Math.cos(radians(spec.angle_deg));
    const sin = Math.sin(radians(spec.angle_deg));
    // Corners lie a nanometre or two outside, so that the polygon has the ellipse's area.
    const out = Math.sqrt((2 * Math.PI) / n / Math.sin((2 * Math.PI) / n));
    return Array.from({ length: n }, (_, at) => {
      const x = out * a * Math.cos((2 * Math.PI * at) / n);
      const y = out * b * Math.sin((2 * Math.PI * at) / n);
      return [spec.centre_um[0] + x * cos - y * sin, spec.centre_um[1] + x * sin + y * cos];
    });
  }
  if (spec.kind === "hexagon") {
    const corners = Array.from({ length: 6 }, (_, at) =>
      around(spec.centre_um, spec.radius_um, radians(spec.angle_deg + 60 * at)),
    );
    return rounded(corners, spec.corner_um);
  }
  if (spec.kind === "crystal") {
    const random = stream(spec.seed, "crystal");
    const turn = random.uniform();
    const corners = Array.from({ length: spec.corners }, (_, at) => {
      const angle = (2 * Math.PI * (at + turn + 0.6 * (random.uniform() - 0.5))) / spec.corners;
      return around(spec.centre_um, spec.radius_um * (1 - 0.3 * random.uniform()), angle);
    });
    return rounded(corners, 0.15 * spec.radius_um);
  }
  return rounded(spec.points_um, spec.corner_um);
}

function radians(angle_deg: number): number {
  return (angle_deg * Math.PI) / 180;
}

function around(centre_um: Place, radius_um: number, angle: number): Place {
  return [centre_um[0] + radius_um * Math.cos(angle), centre_um[1] + radius_um * Math.sin(angle)];
}

/** Each corner becomes a parabola that leaves one edge and joins the next, `corner_um` from the corner or half an edge. */
function rounded(corners: readonly Place[], corner_um: number): Place[] {
  if (!(corner_um > 0)) return [...corners];
  const n = corners.length;
  return corners.flatMap((corner, at) => {
    const from = toward(corner, corners[(at + n - 1) % n]!, corner_um);
    const to = toward(corner, corners[(at + 1) % n]!, corner_um);
    return Array.from({ length: 9 }, (_, step): Place => {
      const s = step / 8;
      const mix = (axis: 0 | 1): number =>
        (1 - s) * (1 - s) * from[axis] + 2 * s * (1 - s) * corner[axis] + s * s * to[axis];
      return [mix(0), mix(1)];
    });
  });
}

function toward(from: Place, to: Place, length_um: number): Place {
  const dx = to[0] - from[0];
  const dy = to[1] - from[1];
  // Just short of half the edge, so that two corners never share a point.
  const share = Math.min(0.499, length_um / Math.hypot(dx, dy));
  return [from[0] + share * dx, from[1] + share * dy];
}

function firstCrossing(points: readonly Place[]): Place | null {
  const n = points.length;
  for (let at = 0; at < n; at++) {
    for (let other = at + 2; other < n; other++) {
      if (at === 0 && other === n - 1) continue;
      const place = crossing(points[at]!, points[at + 1]!, points[other]!, points[(other + 1) % n]!);
      if (place !== null) return place;
    }
  }
  return null;
}

/** Where two stretches meet; null where they do not, or run side by side. */
function crossing(a: Place, b: Place, c: Place, d: Place): Place | null {
  const rx = b[0] - a[0];
  const ry = b[1] - a[1];
  const sx = d[0] - c[0];
  const sy = d[1] - c[1];
  const cross = rx * sy - ry * sx;
  if (cross === 0) return null;
  const t = ((c[0] - a[0]) * sy - (c[1] - a[1]) * sx) / cross;
  const u = ((c[0] - a[0]) * ry - (c[1] - a[1]) * rx) / cross;
  return t >= 0 && t <= 1 && u >= 0 && u <= 1 ? [a[0] + t * rx, a[1] + t * ry] : null;
}

/** Whether two outlines share any ground. */
export function overlap(one: readonly Place[], other: readonly Place[]): boolean {
  if (containsPoint(one, ...other[0]!) || containsPoint(other, ...one[0]!)) return true;
  return one.some((a, at) =>
    other.some((c, index) => crossing(a, one[(at + 1) % one.length]!, c, other[(index + 1) % other.length]!) !== null),
  );
}

/** The place of the outline seen from its centre of area at an angle from +x towards +y; the farthest of several. */
export function rimPlace(outline: readonly Place[], angle_deg: number): Place {
  const centre = polygonCentroid(outline);
  const reach = Math.max(...outline.map(([x, y]) => Math.hypot(x - centre[0], y - centre[1])));
  const end = around(centre, 2 * reach, radians(angle_deg));
  let farthest: Place = centre;
  for (const [at, from] of outline.entries()) {
    const place = crossing(centre, end, from, outline[(at + 1) % outline.length]!);
    if (place !== null && distance(place, centre) > distance(farthest, centre)) farthest = place;
  }
  return farthest;
}

function distance(a: Place, b: Place): number {
  return Math.hypot(a[0] - b[0], a[1] - b[1]);
}

/**
 * Places that fill an outline evenly and lie along no line: those of the first `n` points of Roberts' R2 sequence
 * (steps of 1/g and 1/g^2, g^3 = g + 1) over its box that fall inside. Counting them measures shares of its area.
 */
export function placesInside(outline: readonly Place[], n: number): Place[] {
  const left = Math.min(...outline.map(([x]) => x));
  const top = Math.min(...outline.map(([, y]) => y));
  const width = Math.max(...outline.map(([x]) => x)) - left;
  const height = Math.max(...outline.map(([, y]) => y)) - top;
  const places: Place[] = [];
  for (let at = 0; at < n; at++) {
    const x = left + width * ((0.5 + at * 0.7548776662466927) % 1);
    const y = top + height * ((0.5 + at * 0.5698402909980532) % 1);
    if (containsPoint(outline, x, y)) places.push([x, y]);
  }
  return places;
}
