/** From what a file of outlines holds to outlines that an analysis follows, and what is to be said of them. */
import type { RoiArea, RoiOther } from "../io/imagej-roi.js";
import type { LabelImage } from "../io/label-image.js";
import { valueAreas } from "../kernels/pixel-edges.js";
import { polygonArea } from "../kernels/polygon.js";
import { FormatError } from "../model/errors.js";
import type { DrawnOutline } from "../model/particle.js";

/** Outlines from a file. */
export interface OutlineFile {
  readonly format: "imagej-roi" | "imagej-roi-set" | "imagej-overlay" | "geojson" | "label-image" | "analysis";
  readonly outlines: readonly DrawnOutline[];
  /** Width and height of the image that they belong to; null where the file does not say. */
  readonly size_px: readonly [number, number] | null;
  /** Sentences for the user: what was passed over or filled. */
  readonly warnings: readonly string[];
}

type Told = Pick<OutlineFile, "outlines" | "warnings">;

/** Composite regions of more rings than this are refused. */
const RINGS = 1000;
/** A label image of more areas than this is none. */
const AREAS = 20_000;
/** Pieces of fewer pixels are stray where their label has a larger one. */
const STRAY_PX = 9;
/** Where one outline covers more of the image, the mask may be inverted. */
const COVERS = 0.5;

/**
 * The areas among ImageJ's regions, every outer ring an outline; regions without an area are passed over.
 * Throws FormatError where none has an area or one has more than 1000 rings.
 */
export function outlinesOfRegions(regions: readonly (RoiArea | RoiOther)[], file: string): Told {
  const outlines: DrawnOutline[] = [];
  const notes = new Map<string, string[]>();
  const passed = new Map<string, string[]>();
  const note = (list: Map<string, string[]>, what: string, name: string): void => {
    const names = list.get(what);
    if (names === undefined) list.set(what, [name]);
    else names.push(name);
  };
  let holes = 0;
  for (const [index, region] of regions.entries()) {
    const called = region.name ?? `region ${index}`;
    if (region.kind === "other") {
      note(passed, region.what, called);
      continue;
    }
    if (region.rings_px.length > RINGS) {
      throw new FormatError(
        `${file}: ${called} is composed of ${region.rings_px.length} rings, more than ${RINGS}. Split it in Fiji.`,
        { path: file },
      );
    }
    const outer = outerRings(region.rings_px);
    holes += region.rings_px.length - outer.length;
    if (region.simplified !== null) note(notes, region.simplified, called);
    if (outer.length === 0) note(passed, "a shape without an area", called);
    for (const [piece, outline_px] of outer.entries()) {
      const name = outer.length === 1 ? region.name : `${called}, piece ${piece}`;
      outlines.push({ outline_px, name, frame: region.frame });
    }
  }
  if (outlines.length === 0) {
    const held = [...passed].map(([what, names]) => `${what} (${listed(names)})`).join(", ");
    throw new FormatError(`${file}: holds no region with an area${held === "" ? "" : ` but ${held}`}. Draw polygons.`, {
      path: file,
    });
  }
  const warnings = [
    ...[...passed].map(([what, names]) => `${file}: ${listed(names)} passed over: ${what}, without an area.`),
    ...[...notes].map(([what, names]) => `${file}: ${listed(names)}: ${what}.`),
    ...holesNote(file, holes),
    ...framesNote(file, outlines),
  ];
  return { outlines, warnings };
}

/** Rings that lie in none, or in an even number of the others; rings of one shape do not cross. */
function outerRings(rings: readonly [number, number][][]): [number, number][][] {
  const solid = rings.filter((ring) => polygonArea(ring) > 0);
  if (solid.length < 2) return solid;
  const boxes = solid.map(boxOf);
  return solid.filter((ring, at) => {
    const depths = placesInside(ring, boxes[at]!).map(([x, y]) => {
      let depth = 0;
      for (const [other, box] of boxes.entries()) {
        if (other === at || x < box.left || x > box.right || y < box.top || y > box.bottom) continue;
        if (crossings(solid[other]!, y).filter((across) => across < x).length % 2 === 1) depth++;
      }
      return depth;
    });
    // Where rings touch, one place may be on the line; most are not.
    return 2 * depths.filter((depth) => depth % 2 === 0).length > depths.length;
  });
}

interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

function boxOf(ring: readonly (readonly [number, number])[]): Box {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const [x, y] of ring) {
    left = Math.min(left, x);
    top = Math.min(top, y);
    right = Math.max(right, x);
    bottom = Math.max(bottom, y);
  }
  return { left, top, right, bottom };
}

/** Places just inside a ring's left edge on five lines across it: no ring within it holds them. */
function placesInside(
  ring: readonly (readonly [number, number])[],
  { top, bottom }: Box,
): (readonly [number, number])[] {
  return [0.5, 0.318, 0.707, 0.113, 0.871].flatMap((part) => {
    const y = top + part * (bottom - top);
    const [left, right] = crossings(ring, y);
    return left === undefined || right === undefined ? [] : [[left + 1e-4 * (right - left), y] as const];
  });
}

function crossings(ring: readonly (readonly [number, number])[], y: number): number[] {
  const found: number[] = [];
  for (let at = 0, before = ring.length - 1; at < ring.length; before = at++) {
    const [ax, ay] = ring[before]!;
    const [bx, by] = ring[at]!;
    if (ay > y !== by > y) found.push(ax + ((bx - ax) * (y - ay)) / (by - ay));
  }
  return found.sort((a, b) => a - b);
}

/**
 * Every area of one label as an outline along the edges of its pixels, pixels joined by sides or corners. Where all
 * labels are alike, the image is a mask. Throws FormatError where no pixel is labelled, none is ground, or the areas
 * are so many that it is no label image.
 */
export function outlinesOfLabels({ labels, width, height }: LabelImage, file: string): Told {
  const refuse = (what: string): never => {
    throw new FormatError(`${file}: ${what}.`, { path: file });
  };
  if (labels.every((label) => label === 0)) refuse("is 0 everywhere: no particle is labelled. Label some");
  if (labels.every((label) => label !== 0)) {
    refuse("has no pixel of value 0, which is the ground between particles. Export labels with 0 outside");
  }
  const areas = valueAreas(labels, width, height, AREAS);
  if (areas.length > AREAS) {
    refuse(`has more than ${AREAS} areas of one value: it looks like a photograph, not like labels`);
  }
  const pieces = new Map<number, typeof areas>();
  for (const area of areas) {
    const own = pieces.get(area.value);
    if (own === undefined) pieces.set(area.value, [area]);
    else own.push(area);
  }
  const isMask = pieces.size === 1;
  const outlines: DrawnOutline[] = [];
  const torn: string[] = [];
  let [stray, holes] = [0, 0];
  for (const [label, own] of [...pieces].sort(([a], [b]) => a - b)) {
    const kept = own.filter(({ area_px }) => area_px >= STRAY_PX || own.length === 1);
    // A label all of whose pieces are small keeps them all.
    const used = kept.length === 0 ? own : kept;
    stray += own.length - used.length;
    if (used.length > 1 && !isMask) torn.push(`${label}`);
    for (const [piece, { outline, area_px }] of used.entries()) {
      const piecewise = isMask ? `area ${piece}` : `label ${label}, piece ${piece}`;
      const name = used.length === 1 ? `label ${label}` : piecewise;
      if (polygonArea(outline) > area_px) holes++;
      outlines.push({ outline_px: outline, name, frame: null });
    }
  }
  const largest = Math.max(...outlines.map(({ outline_px }) => polygonArea(outline_px))) / (width * height);
  const warnings = [
    ...(torn.length === 0
      ? []
      : [`${file}: label ${listed(torn)} lies in several pieces: each is an outline of its own.`]),
    ...(stray === 0
      ? []
      : [`${file}: ${stray} stray ${stray === 1 ? "piece" : "pieces"} of fewer than ${STRAY_PX} px left out.`]),
    ...holesNote(file, holes),
    ...(largest > COVERS
      ? [`${file}: one outline covers ${(100 * largest).toFixed(0)} % of the image. Is the mask inverted?`]
      : []),
  ];
  return { outlines, warnings };
}

/** What is to be said of holes in outlines. */
export function holesNote(file: string, holes: number): string[] {
  if (holes === 0) return [];
  return [`${file}: ${holes} ${holes === 1 ? "hole is" : "holes are"} passed over: an outline is taken as full.`];
}

function framesNote(file: string, outlines: readonly DrawnOutline[]): string[] {
  const frames = outlines.flatMap(({ frame }) => (frame === null || frame === 0 ? [] : [frame]));
  if (frames.length === 0) return [];
  const [first, last] = [Math.min(...frames), Math.max(...frames)];
  const where = first === last ? `frame ${first}` : `frames ${first} to ${last}`;
  return [
    `${file}: ${frames.length} of ${outlines.length} outlines were drawn on ${where}, counted from 0: ` +
      "their places are taken as those in frame 0, so draw them there if the scene drifts.",
  ];
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, 6).join(", ");
  return names.length > 6 ? `${shown} and ${names.length - 6} more` : shown;
}
