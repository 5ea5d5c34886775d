/** Outlines from files and to files: Fiji's regions, label images, GeoJSON, or the folder of an analysis. */
import { readFile } from "node:fs/promises";
import path from "node:path";
import { isFolder, readBytes, type ByteSource } from "../io/bytes.js";
import { openPath } from "../io/bytes.node.js";
import { encodeGeoJson, parseGeoJson } from "../io/geojson.js";
import { readOverlay } from "../io/imagej-overlay.js";
import { encodeRoiSet, readRoiSet, ROI_BYTES } from "../io/imagej-roi-set.js";
import { decodeRoi, encodeRoi, isRoi } from "../io/imagej-roi.js";
import { encodeLabelImage, LABEL_PIXELS, readLabelImage } from "../io/label-image.js";
import { writeThroughSink } from "../io/sink.node.js";
import { isTiff } from "../io/tiff-directory.js";
import { isZip } from "../io/zip.js";
import { polygonLabels } from "../kernels/pixel-edges.js";
import { FormatError, ParameterError } from "../model/errors.js";
import type { DrawnOutline, Particle } from "../model/particle.js";
import { openMovies } from "./movies.node.js";
import { holesNote, outlinesOfLabels, outlinesOfRegions, type OutlineFile } from "./outlines.js";

/** An outline drawn by hand, as the step `particles` takes it. */
export interface Drawn {
  readonly outline_px: [number, number][];
  readonly because: string;
}

/** A GeoJSON file larger than this is refused. */
const GEOJSON_BYTES = 128 << 20;
/** Where an analysis leaves its outlines. */
export const analysisOutlines = "findings/particles/outlines.geojson";

const known = "Outlines are read from .roi and sets of them (.zip) of Fiji, a label image, or GeoJSON.";

/**
 * Reads outlines, told by the file's content: a region of ImageJ or a zip archive of them, a TIFF with ImageJ's
 * overlay, an image of labels in any format that movies have, GeoJSON, or a folder that `analyse` wrote.
 * Throws FormatError where the file is none of these, is damaged, or holds no area.
 */
export async function readOutlines(name: string, signal?: AbortSignal): Promise<OutlineFile> {
  const source = await openPath(name);
  try {
    if (isFolder(source)) {
      return source.entries.includes("summary.json") ? await readAnalysis(name) : await readLabels(name, signal);
    }
    const head = await readBytes(source, 0, 1024);
    if (isRoi(head)) {
      const region = decodeRoi(await whole(source, ROI_BYTES), name);
      return { format: "imagej-roi", size_px: null, ...outlinesOfRegions([region], name) };
    }
    const regions = isZip(head) ? await readRoiSet(source) : isTiff(head) ? await readOverlay(source) : null;
    if (regions !== null && regions.length > 0) {
      const format = isZip(head) ? "imagej-roi-set" : "imagej-overlay";
      return { format, size_px: null, ...outlinesOfRegions(regions, name) };
    }
    if (/^\uFEFF?\s*[[{]/.test(new TextDecoder().decode(head))) {
      return { format: "geojson", size_px: null, ...readGeoJson(await whole(source, GEOJSON_BYTES), name) };
    }
    return await readLabels(name, signal);
  } finally {
    await source.close();
  }
}

/** Whether a file can be nothing but outlines, or a folder an analysis: a label image may as well be a movie. */
export async function holdsOutlines(name: string): Promise<boolean> {
  const source = await openPath(name);
  try {
    if (isFolder(source)) return source.entries.includes("summary.json") && source.entries.includes("recipe.json");
    const head = await readBytes(source, 0, 1024);
    if (isZip(head)) return ((await readRoiSet(source)) ?? []).length > 0;
    return (
      isRoi(head) || /^\uFEFF?\s*[[{][^]*"(Feature|FeatureCollection|Polygon)/.test(new TextDecoder().decode(head))
    );
  } finally {
    await source.close();
  }
}

async function whole(source: ByteSource, most: number): Promise<Uint8Array> {
  if (source.size > most) {
    throw new FormatError(`${source.name}: has ${source.size} bytes, more than the ${most} of any outlines.`, {
      path: source.name,
    });
  }
  return readBytes(source, 0, source.size);
}

function readGeoJson(bytes: Uint8Array, name: string): Pick<OutlineFile, "outlines" | "warnings"> {
  const { outlines, holes, others } = parseGeoJson(new TextDecoder().decode(bytes), name);
  const kinds = [...new Set(others)].join(", ");
  const passed = others.length === 0 ? [] : [`${name}: ${others.length} without an area passed over: ${kinds}.`];
  return { outlines, warnings: [...passed, ...holesNote(name, holes)] };
}

async function readLabels(name: string, signal?: AbortSignal): Promise<OutlineFile> {
  const opened = await openMovies([name]).catch((error: unknown) => {
    if (!(error instanceof FormatError)) throw error;
    const [what = ""] = /^.*?(?= Movies are read from|$)/s.exec(error.message) ?? [];
    throw new FormatError(`${what} ${known}`, { path: name, cause: error });
  });
  try {
    const labels = await readLabelImage(opened.movie, signal);
    const told = outlinesOfLabels(labels, name);
    return {
      format: "label-image",
      outlines: told.outlines,
      size_px: [labels.width, labels.height],
      warnings: told.warnings,
    };
  } finally {
    await opened.close();
  }
}

/** The outlines of a folder that `analyse` wrote, from its GeoJSON or else from its summary. */
async function readAnalysis(dir: string): Promise<OutlineFile> {
  const at = path.join(dir, "summary.json");
  const text = await readFile(at, "utf8").catch((cause: unknown) => {
    throw new FormatError(`${at}: cannot be read. Check the permissions.`, { path: at, cause });
  });
  let summary: Summary | null;
  try {
    summary = JSON.parse(text) as Summary | null;
  } catch (cause) {
    throw new FormatError(`${at}: is not JSON (${(cause as Error).message}). Analyse again.`, { path: at, cause });
  }
  const { width, height } = summary?.movie ?? {};
  const size_px = typeof width === "number" && typeof height === "number" ? ([width, height] as const) : null;
  const particles = Array.isArray(summary?.particles) ? summary.particles : [];
  if (particles.length === 0) {
    throw new FormatError(`${dir}: the analysis found no particle, so there is no outline.`, { path: dir });
  }
  const features = particles.map(({ id, outline_px }) => ({
    type: "Feature",
    properties: { name: `particle ${String(id)}` },
    geometry: { type: "Polygon", coordinates: [outline_px] },
  }));
  const { outlines } = parseGeoJson(JSON.stringify(features), at);
  return { format: "analysis", outlines, size_px, warnings: [] };
}

interface Summary {
  readonly movie?: { readonly width?: unknown; readonly height?: unknown };
  readonly particles?: readonly { readonly id?: unknown; readonly outline_px?: unknown }[];
}

/** Outlines as the step `particles` takes them, each with where it comes from. */
export function drawnBy(file: OutlineFile, name: string): Drawn[] {
  return file.outlines.map((outline) => ({
    outline_px: outline.outline_px.map(([x, y]): [number, number] => [x, y]),
    because: `${outline.name === null ? "" : `${outline.name}, `}drawn in ${name}`,
  }));
}

/** Throws ParameterError where outlines belong to an image of another size than the movie. */
export function checkOutlineSize(
  { size_px }: OutlineFile,
  name: string,
  movie: { readonly width: number; readonly height: number },
): void {
  if (size_px === null || (size_px[0] === movie.width && size_px[1] === movie.height)) return;
  throw new ParameterError(
    `${name}: is ${size_px[0]} x ${size_px[1]} px but the movie is ${movie.width} x ${movie.height} px. ` +
      "Give outlines of the movie's own frames.",
    { parameter: "outlines", value: name },
  );
}

/** Outlines of particles, as they are written. */
export function outlinesOfParticles(particles: readonly Particle[]): DrawnOutline[] {
  return particles.map(({ id, outline_px }) => ({ outline_px, name: `particle ${id}`, frame: null }));
}

/** Outlines as an analysis leaves them: for any program, and for Fiji. */
export function outlineFiles(particles: readonly Particle[]): { readonly path: string; readonly bytes: Uint8Array }[] {
  if (particles.length === 0) return [];
  const outlines = outlinesOfParticles(particles);
  return [
    { path: analysisOutlines, bytes: new TextEncoder().encode(encodeGeoJson(outlines)) },
    { path: analysisOutlines.replace(/geojson$/, "roi.zip"), bytes: encodeRoiSet(outlines) },
  ];
}

/**
 * Writes outlines in the form that the name's ending asks for: .zip (a set of Fiji), .roi (one region), .geojson or
 * .json, .tif (labels; `size` in px is needed). The file appears whole or not at all. Returns sentences on what is lost.
 * Throws ParameterError for another ending, a missing size, or outlines that the form cannot hold.
 */
export async function writeOutlines(
  outlines: readonly DrawnOutline[],
  name: string,
  size: { readonly width: number; readonly height: number } | null = null,
): Promise<string[]> {
  const { bytes, warnings } = encodeOutlines(outlines, name, size);
  await writeThroughSink(name, (sink) => sink.write(bytes, 0));
  return warnings;
}

function encodeOutlines(
  outlines: readonly DrawnOutline[],
  name: string,
  size: { readonly width: number; readonly height: number } | null,
): { bytes: Uint8Array; warnings: string[] } {
  const refuse = (what: string): never => {
    throw new ParameterError(`${name}: ${what}`, { parameter: "out", value: name });
  };
  if (/\.zip$/i.test(name)) return { bytes: encodeRoiSet(outlines), warnings: [] };
  if (/\.(geo)?json$/i.test(name)) return { bytes: new TextEncoder().encode(encodeGeoJson(outlines)), warnings: [] };
  if (/\.roi$/i.test(name)) {
    if (outlines.length !== 1) refuse(`a .roi holds one region, not ${outlines.length}. Let the name end in .roi.zip.`);
    return { bytes: encodeRoi(outlines[0]!), warnings: [] };
  }
  if (!/\.tiff?$/i.test(name)) refuse("tells no form of outlines. Let its name end in .roi.zip, .geojson or .tif.");
  if (size === null)
    return refuse(
      "a label image needs the movie's size, which these outlines do not tell. Give --width and --height, or convert the folder of an analysis.",
    );
  const { width, height } = size;
  if (
    !Number.isInteger(width) ||
    !Number.isInteger(height) ||
    !(width > 0 && height > 0) ||
    width * height > LABEL_PIXELS
  ) {
    refuse(
      `${width} x ${height} px is no size of a label image. Give whole numbers, at most ${LABEL_PIXELS} px in all.`,
    );
  }
  if (outlines.length > 0xffff) refuse(`${outlines.length} outlines are more than the 65535 labels of 16 bits.`);
  const { labels, taken, empty } = polygonLabels(
    outlines.map(({ outline_px }) => outline_px),
    width,
    height,
  );
  const warnings = [
    ...(taken === 0 ? [] : [`outlines overlap on ${taken} px: each of these has the label of the earlier outline.`]),
    ...(empty.length === 0
      ? []
      : [`${empty.length} of ${outlines.length} outlines hold no pixel's centre of their own and have no label.`]),
  ];
  return { bytes: encodeLabelImage(Uint16Array.from(labels), width, height), warnings };
}
