/** Drawn outlines from a file: GeoJSON polygons in px of frame 0. */
import { readFile } from "node:fs/promises";
import { FormatError } from "../model/errors.js";

/** An outline drawn by hand, as the step `particles` takes it. */
export interface Drawn {
  readonly outline_px: [number, number][];
  readonly because: string;
}

/**
 * Reads the polygons of a GeoJSON file: Feature, FeatureCollection, Polygon or MultiPolygon; holes are passed over.
 * A feature's `name` is kept as its reason. Throws FormatError where there is no polygon.
 */
export async function readOutlines(name: string): Promise<Drawn[]> {
  const text = await readFile(name, "utf8").catch((cause: unknown) => {
    throw new FormatError(`${name}: cannot be read. Check the path.`, { path: name, cause });
  });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new FormatError(`${name}: is not GeoJSON (no JSON). Export the outlines as GeoJSON polygons in px.`, {
      path: name,
      cause,
    });
  }
  const drawn = [...polygons(value, name, `drawn in ${name}`)];
  if (drawn.length === 0) {
    throw new FormatError(`${name}: holds no polygon. Export the outlines as GeoJSON polygons in px.`, { path: name });
  }
  return drawn;
}

function* polygons(value: unknown, name: string, because: string): Generator<Drawn> {
  if (typeof value !== "object" || value === null) return;
  const node = value as {
    type?: unknown;
    features?: unknown[];
    geometries?: unknown[];
    geometry?: unknown;
    coordinates?: unknown;
    properties?: { name?: unknown };
  };
  switch (node.type) {
    case "FeatureCollection":
      for (const feature of node.features ?? []) yield* polygons(feature, name, because);
      return;
    case "GeometryCollection":
      for (const geometry of node.geometries ?? []) yield* polygons(geometry, name, because);
      return;
    case "Feature": {
      const own = node.properties?.name;
      yield* polygons(node.geometry, name, typeof own === "string" && own !== "" ? `${own}, ${because}` : because);
      return;
    }
    case "Polygon":
      yield { outline_px: ring((node.coordinates as unknown[])?.[0], name), because };
      return;
    case "MultiPolygon":
      for (const polygon of (node.coordinates ?? []) as unknown[][])
        yield { outline_px: ring(polygon?.[0], name), because };
  }
}

function ring(value: unknown, name: string): [number, number][] {
  const points = Array.isArray(value) ? (value as unknown[]) : [];
  const ring = points.map((point, at): [number, number] => {
    const [x, y] = Array.isArray(point) ? (point as unknown[]) : [];
    if (typeof x !== "number" || typeof y !== "number" || !Number.isFinite(x) || !Number.isFinite(y)) {
      throw new FormatError(`${name}: corner ${at} of a polygon is ${JSON.stringify(point)}. Give x and y in px.`, {
        path: name,
      });
    }
    return [x, y];
  });
  const first = ring[0];
  const last = ring.at(-1);
  if (first !== undefined && last !== undefined && ring.length > 1 && first[0] === last[0] && first[1] === last[1])
    ring.pop();
  if (ring.length < 3) {
    throw new FormatError(`${name}: a polygon has ${ring.length} corners. Give at least three.`, { path: name });
  }
  return ring;
}
