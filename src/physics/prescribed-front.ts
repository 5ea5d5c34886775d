/** A front that moves as one asks for: when it passes each place of a crystal is known exactly. */
import { containsPoint } from "../kernels/polygon.js";
import { finite, oneOf, pair, record, records, refuse, within } from "./check.js";
import { checkPlaces, placesInside, rimPlace, type Place } from "./outline.js";
import { checkPace, clockOf, endVelocities, velocityLaw, type Pace, type Phases } from "./pace.js";

/** A place where the new phase begins, by itself or on the rim as seen from the centre of the crystal. */
export type NucleusSpec =
  { readonly at_um: Place; readonly delay_s: number } | { readonly rim_deg: number; readonly delay_s: number };

/** How a front moves: straight across, from nuclei (the first to come wins), or inward from the outline. */
export type FrontSpec = Pace &
  (
    | {
        readonly kind: "plane";
        /** Direction of travel from +x towards +y. */
        readonly angle_deg: number;
      }
    | { readonly kind: "radial"; readonly nuclei: readonly NucleusSpec[] }
    | { readonly kind: "inward" }
  );

/** The front about one place, before its stages stretch the clock. */
export interface Passing {
  /** Seconds of the front's own clock at which it passes. */
  readonly phase_s: number;
  /** Direction in which it travels. */
  readonly nx: number;
  readonly ny: number;
  /** Velocity on its own clock. */
  readonly speed_um_s: number;
  /** Which nucleus it came from; 0 where there is one origin. */
  readonly nucleus: number;
}

/** A front whose arrival is known at any place. */
export interface PrescribedFront {
  readonly outline_um: readonly Place[];
  readonly nuclei_um: readonly Place[];
  /** When the boundary passes a place, s; NaN outside the outline. */
  arrival_s(x_um: number, y_um: number): number;
  /** How fast it passes a place: 1 / |grad arrival|. */
  velocity_um_s(x_um: number, y_um: number): number;
  /** The front about a place, inside the outline and just outside it. */
  passing(x_um: number, y_um: number): Passing;
  /** The movie's time at a moment of the front's own clock. */
  time_s(phase_s: number): number;
  /** The front's own clock through a stretch of time: pieces in which it runs evenly, weights summing to 1. */
  phases(from_s: number, to_s: number): Phases[];
  /** First and last passing on the front's own clock. */
  readonly firstPhase_s: number;
  readonly lastPhase_s: number;
}

/**
 * The front of a crystal.
 *
 * Its way q is the distance along `angle_deg` from the first place of the outline, the distance from the nucleus, or the
 * depth below the outline (exact Euclidean distance); it takes tau(q) = integral of dq / v(q). A place reached from
 * several nuclei belongs to the first: fronts meet in collision lines. Straight ways only: a front does not bend around
 * a notch. Stages then stretch the clock evenly, each over its share of the area.
 *
 * Throws ParameterError for a velocity that is not positive, no nucleus, or stages that do not rise to 1.
 */
export function prescribedFront(outline_um: readonly Place[], spec: FrontSpec, name = "front"): PrescribedFront {
  if (typeof name !== "string") refuse("name", name, "Give what the front is called in messages");
  checkPlaces("outline_um", outline_um);
  checkFront(name, spec);
  const [first, last] = endVelocities(spec);
  const nuclei_um = spec.kind === "radial" ? nucleiOf(outline_um, spec) : [];
  const delays_s = spec.kind === "radial" ? spec.nuclei.map(({ delay_s }) => delay_s) : [0];
  const way = wayOf(outline_um, spec, nuclei_um);
  const shortestWay = (x: number, y: number): number =>
    Math.min(...delays_s.map((_, nucleus) => way(x, y, nucleus).length_um));
  const inside = placesInside(outline_um, 5000);
  if (inside.length === 0) refuse("outline_um", outline_um, "Give one that covers some ground");
  const longest_um = [...inside, ...outline_um].reduce((longest, [x, y]) => Math.max(longest, shortestWay(x, y)), 0);
  const law = velocityLaw(first, last, longest_um);

  const passing = (x_um: number, y_um: number): Passing => {
    let best: Passing | null = null;
    for (let nucleus = 0; nucleus < delays_s.length; nucleus++) {
      const { length_um, nx, ny } = way(x_um, y_um, nucleus);
      const phase_s = law.duration_s(length_um) + delays_s[nucleus]!;
      if (best === null || phase_s < best.phase_s) {
        best = { phase_s, nx, ny, speed_um_s: law.speed_um_s(length_um), nucleus };
      }
    }
    return best!;
  };
  const phases = Float64Array.from(inside, ([x, y]) => passing(x, y).phase_s).sort();
  const corners = outline_um.map(([x, y]) => passing(x, y).phase_s);
  const firstPhase_s = Math.min(phases[0]!, ...corners);
  const lastPhase_s = Math.max(phases[phases.length - 1]!, ...corners);
  const clock = clockOf(spec, phases, lastPhase_s);
  return {
    outline_um,
    nuclei_um,
    arrival_s: (x_um, y_um) =>
      containsPoint(outline_um, x_um, y_um) ? clock.time_s(passing(x_um, y_um).phase_s) : NaN,
    velocity_um_s: (x_um, y_um) => {
      const { phase_s, speed_um_s } = passing(x_um, y_um);
      return speed_um_s / clock.stretch(phase_s);
    },
    passing,
    time_s: clock.time_s,
    phases: clock.phases,
    firstPhase_s,
    lastPhase_s,
  };
}

/** Throws a ParameterError, its names after `name`, for a front that is none. */
export function checkFront(name: string, spec: FrontSpec): void {
  record(name, spec, "Give one, such as { kind: inward, start_s: 0, velocity_um_s: 0.02, stages: [] }");
  oneOf(`${name}.kind`, spec.kind, ["plane", "radial", "inward"]);
  checkPace(name, spec);
  if (spec.kind === "plane") finite(`${name}.angle_deg`, spec.angle_deg, "Give an angle in degrees");
  if (spec.kind !== "radial") return;
  const cure = "A radial front begins somewhere: give at least one nucleus, such as { rim_deg: 0, delay_s: 0 }";
  records(`${name}.nuclei`, spec.nuclei, 1, 1000, cure);
  for (const [index, nucleus] of spec.nuclei.entries()) {
    const at = `${name}.nuclei.${index}`;
    within(`${at}.delay_s`, nucleus.delay_s, 0, 1e9);
    if ("at_um" in nucleus) pair(`${at}.at_um`, nucleus.at_um, -1e5, 1e5, "Give a place x,y in um");
    else finite(`${at}.rim_deg`, nucleus.rim_deg, "Give an angle in degrees, or a place at_um");
  }
}

function nucleiOf(outline_um: readonly Place[], spec: FrontSpec & { kind: "radial" }): Place[] {
  return spec.nuclei.map((nucleus) => ("at_um" in nucleus ? nucleus.at_um : rimPlace(outline_um, nucleus.rim_deg)));
}

interface Way {
  readonly length_um: number;
  readonly nx: number;
  readonly ny: number;
}

/** How far the front has come when it passes a place, and which way it goes; a nucleus at a time. */
function wayOf(
  outline_um: readonly Place[],
  spec: FrontSpec,
  nuclei_um: readonly Place[],
): (x: number, y: number, nucleus: number) => Way {
  if (spec.kind === "plane") {
    const nx = Math.cos((spec.angle_deg * Math.PI) / 180);
    const ny = Math.sin((spec.angle_deg * Math.PI) / 180);
    const origin = Math.min(...outline_um.map(([x, y]) => x * nx + y * ny));
    return (x, y) => ({ length_um: x * nx + y * ny - origin, nx, ny });
  }
  if (spec.kind === "radial") {
    return (x, y, nucleus) => {
      const dx = x - nuclei_um[nucleus]![0];
      const dy = y - nuclei_um[nucleus]![1];
      const length_um = Math.hypot(dx, dy);
      return length_um === 0 ? { length_um, nx: 1, ny: 0 } : { length_um, nx: dx / length_um, ny: dy / length_um };
    };
  }
  return depthBelow(outline_um);
}

/** Depth below the outline, negative outside; the front travels away from the nearest place of the outline. */
function depthBelow(outline_um: readonly Place[]): (x: number, y: number) => Way {
  const n = outline_um.length;
  const edges = Float64Array.from({ length: 4 * n }, (_, at) => {
    const edge = at >> 2;
    const [from, to] = [outline_um[edge]!, outline_um[(edge + 1) % n]!];
    return [from[0], from[1], to[0] - from[0], to[1] - from[1]][at & 3]!;
  });
  return (x, y) => {
    let nearest2 = Infinity;
    let nx = 0;
    let ny = 0;
    let edge = 0;
    let inside = false;
    for (let at = 0; at < edges.length; at += 4) {
      const ex = edges[at + 2]!;
      const ey = edges[at + 3]!;
      const px = x - edges[at]!;
      const py = y - edges[at + 1]!;
      // Whether the edge is crossed on the way to the right: an odd number of times from inside.
      if (py < 0 !== py - ey < 0 && px * Math.abs(ey) < ex * py * Math.sign(ey)) inside = !inside;
      const along = Math.min(1, Math.max(0, (px * ex + py * ey) / (ex * ex + ey * ey)));
      const rx = px - along * ex;
      const ry = py - along * ey;
      const away2 = rx * rx + ry * ry;
      if (away2 < nearest2) {
        nearest2 = away2;
        nx = rx;
        ny = ry;
        edge = at;
      }
    }
    const away_um = Math.sqrt(nearest2);
    if (away_um > 1e-9) {
      const depth_um = inside ? away_um : -away_um;
      return { length_um: depth_um, nx: nx / depth_um, ny: ny / depth_um };
    }
    const [ex, ey] = [edges[edge + 2]!, edges[edge + 3]!];
    const length = Math.hypot(ex, ey);
    // Which side of the edge is inside is tried just off it.
    const side = containsPoint(outline_um, x - (1e-6 * ey) / length, y + (1e-6 * ex) / length) ? 1 : -1;
    return { length_um: 0, nx: (-side * ey) / length, ny: (side * ex) / length };
  };
}
