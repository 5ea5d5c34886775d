/**
 * Outlines as GeoJSON (RFC 7946): polygons in px, x right and y down, (0, 0) at the centre of the top-left pixel.
 *
 * QuPath counts from that pixel's corner, so a feature of QuPath's (told by its `objectType`) is moved by half a pixel.
 * It writes a FeatureCollection or a bare list of features, the name in `name` or else in `classification.name`.
 */
import { FormatError } from "../model/errors.js";
import type { DrawnOutline } from "../model/particle.js";

/** More outlines, or more corners in all of them, than this are refused, and nesting deeper than this. */
export const GEOJSON_OUTLINES = 20_000;
export const GEOJSON_CORNERS = 2_000_000;
const DEPTH = 32;

/** What a file holds. */
export interface GeoJsonOutlines {
  readonly outlines: readonly DrawnOutline[];
  /** Holes in polygons, which are passed over. */
  readonly holes: number;
  /** Geometries without an area by their type, passed over: "LineString". */
  readonly others: readonly string[];
}

interface Reading {
  readonly file: string;
  readonly outlines: DrawnOutline[];
  readonly others: string[];
  holes: number;
  corners: number;
}

interface Node {
  readonly type?: unknown;
  readonly features?: unknown;
  readonly geometries?: unknown;
  readonly geometry?: unknown;
  readonly coordinates?: unknown;
  readonly properties?: unknown;
}

/** What a feature says of its geometry. */
interface About {
  readonly name: string | null;
  /** Half a pixel where the file counts from a pixel's corner. */
  readonly corner_px: number;
}

/**
 * Reads the polygons of a GeoJSON text: Feature, FeatureCollection, GeometryCollection, Polygon, MultiPolygon, or a list
 * of them; each ring from without is an outline. `file` is its name in messages.
 * Throws FormatError where the text is no GeoJSON, a corner is no pair of numbers, or there is no polygon or too many.
 */
export function parseGeoJson(text: string, file: string): GeoJsonOutlines {
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch (cause) {
    throw new FormatError(`${file}: is not GeoJSON (${(cause as Error).message}). Export the outlines again.`, {
      path: file,
      cause,
    });
  }
  const reading: Reading = { file, outlines: [], others: [], holes: 0, corners: 0 };
  readNode(value, { name: null, corner_px: 0 }, reading, 0);
  if (reading.outlines.length === 0) {
    const kinds = [...new Set(reading.others)];
    const held = kinds.length === 0 ? "" : ` but ${kinds.slice(0, 5).join(", ")}`;
    throw fault(reading, `holds no polygon${held}. Export the outlines as GeoJSON polygons in px.`);
  }
  return reading;
}

function fault({ file }: Reading, what: string): FormatError {
  return new FormatError(`${file}: ${what}`, { path: file });
}

function readNode(value: unknown, about: About, reading: Reading, depth: number): void {
  if (depth > DEPTH)
    throw fault(reading, `nests more than ${DEPTH} collections. Export the outlines as plain features.`);
  if (Array.isArray(value)) {
    for (const one of value as unknown[]) readNode(one, about, reading, depth + 1);
    return;
  }
  if (typeof value !== "object" || value === null) return;
  const node = value as Node;
  const list = (held: unknown): readonly unknown[] => (Array.isArray(held) ? (held as unknown[]) : []);
  switch (node.type) {
    case "FeatureCollection":
      for (const feature of list(node.features)) readNode(feature, about, reading, depth + 1);
      return;
    case "GeometryCollection":
      for (const geometry of list(node.geometries)) readNode(geometry, about, reading, depth + 1);
      return;
    case "Feature":
      return readNode(node.geometry, aboutFeature(node.properties), reading, depth + 1);
    case "Polygon":
      return readPolygon(node.coordinates, about, reading);
    case "MultiPolygon":
      for (const polygon of list(node.coordinates)) readPolygon(polygon, about, reading);
      return;
    default:
      if (typeof node.type === "string" && node.coordinates !== undefined) reading.others.push(node.type.slice(0, 40));
  }
}

function aboutFeature(value: unknown): About {
  const properties = record(value);
  const names = [properties["name"], record(properties["classification"])["name"]];
  const name = names.find((one): one is string => typeof one === "string" && one !== "") ?? null;
  return { name, corner_px: typeof properties["objectType"] === "string" ? 0.5 : 0 };
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function readPolygon(value: unknown, { name, corner_px }: About, reading: Reading): void {
  const rings = Array.isArray(value) ? (value as unknown[]) : [];
  const points = Array.isArray(rings[0]) ? (rings[0] as unknown[]) : [];
  reading.corners += points.length;
  if (reading.outlines.length >= GEOJSON_OUTLINES || reading.corners > GEOJSON_CORNERS) {
    throw fault(reading, `holds more than ${GEOJSON_OUTLINES} outlines or ${GEOJSON_CORNERS} corners. Split the file.`);
  }
  const ring = points.map((point, at): [number, number] => {
    const [x, y] = Array.isArray(point) ? (point as unknown[]) : [];
    if (typeof x !== "number" || typeof y !== "number" || !Number.isFinite(x) || !Number.isFinite(y)) {
      const shown = JSON.stringify(point)?.slice(0, 60) ?? "nothing";
      throw fault(reading, `corner ${at} of polygon ${reading.outlines.length} is ${shown}. Give x and y in px.`);
    }
    return [x - corner_px, y - corner_px];
  });
  const [first, last] = [ring[0], ring.at(-1)];
  if (ring.length > 1 && first![0] === last![0] && first![1] === last![1]) ring.pop();
  if (ring.length < 3) {
    throw fault(
      reading,
      `polygon ${reading.outlines.length} has ${ring.length} ${ring.length === 1 ? "corner" : "corners"}. Give at least three.`,
    );
  }
  reading.holes += Math.max(0, rings.length - 1);
  reading.outlines.push({ outline_px: ring, name, frame: null });
}

/** Outlines as a FeatureCollection of polygons, one a line, every ring closed. */
export function encodeGeoJson(outlines: readonly DrawnOutline[]): string {
  const features = outlines.map(({ outline_px, name, frame }, id) =>
    JSON.stringify({
      type: "Feature",
      id,
      properties: { ...(name === null ? {} : { name }), ...(frame === null ? {} : { frame }) },
      geometry: { type: "Polygon", coordinates: [[...outline_px, ...outline_px.slice(0, 1)]] },
    }),
  );
  const about = JSON.stringify({ unit: "px", origin: "centre of the top-left pixel", y: "down" });
  return `{"type":"FeatureCollection","ionoscope":${about},"features":[\n${features.join(",\n")}\n]}\n`;
}
