/**
 * OME-Zarr, an image in a Zarr group. Versions 0.1 to 0.5 (0.5 is Zarr version 3).
 *
 *     attributes, from 0.5 below "ome":
 *       multiscales   [{ axes, datasets: [{ path, coordinateTransformations }], coordinateTransformations, version }]
 *                     the first entry's first dataset is the image at its full resolution
 *       omero         { channels: [{ label }] }
 *       plate, well, labels, bioformats2raw.layout: groups of images
 *     OME/METADATA.ome.xml   beside the images that bioformats2raw numbers 0, 1, ...: OME-XML, times of planes in it
 *
 * The standard has times in equal steps only: the scale of the axis of time. ionoscope writes the time of each frame
 * beside, and prefers it on reading:
 *
 *     attributes.ionoscope   { version: 1, times: "time_s", frameStamp, start, source: { format, timeSource } }
 *     time_s/                1-D array of float64, one a frame in the order of time, slice, channel; seconds from the
 *                            first, NaN where unknown
 *
 * Source: ngff.openmicroscopy.org, 0.1 to 0.5; bioformats2raw's description of its layout.
 */
import { FormatError } from "../model/errors.js";
import type { FrameStamp, MovieFile } from "../model/movie.js";
import { readBytes, type FolderSource } from "./bytes.js";
import { checkStamps, laterCivilTime } from "./frame-times.js";
import { axesOf, lengthWord_um, scaleAlong, scaleOf, timeWord_s, type NamedAxes } from "./ome-zarr-axes.js";
import { parseOmeXml, type OmeDocument } from "./ome-xml.js";
import { seriesNote } from "./time-series.js";
import { list, object, readZarrNode, said, type Json, type ZarrNode } from "./zarr-metadata.js";
import { openPlanes } from "./zarr-planes.js";
import { openStack, type ZarrStack } from "./zarr-stack.js";

/** Version of the attribute that ionoscope writes, and the key it stands under. */
export const ownKey = "ionoscope";
export const ownVersion = 1;

const layoutKey = "bioformats2raw.layout";
const known = new Set(["0.1", "0.2", "0.3", "0.4", "0.5"]);
const maxXmlBytes = 1 << 26;

/** The OME part of a group's attributes. */
function omeOf({ attributes }: Pick<ZarrNode, "attributes">): Json {
  return { ...attributes, ...object(attributes["ome"]) };
}

/** Whether a group is an image, or holds images that bioformats2raw numbered. */
export function isOmeNode(node: ZarrNode): boolean {
  const ome = omeOf(node);
  return ome["multiscales"] !== undefined || ome[layoutKey] !== undefined;
}

/** Throws FormatError for a group of several images: which folder to name instead. */
export function refuseOmeCollection(folder: FolderSource, attributes: Json): void {
  const ome = omeOf({ attributes });
  const inside = (path: unknown, more = ""): string =>
    typeof path === "string" ? `, ${folder.name}/${path}${more} say` : "";
  if (ome["plate"] !== undefined) {
    const wells = list(object(ome["plate"])["wells"]).map(object);
    throw fault(
      folder,
      `is a plate of ${wells.length} wells, not one image. Name the folder of one field${inside(wells[0]?.["path"], "/0")}.`,
    );
  }
  if (ome["well"] !== undefined) {
    const images = list(object(ome["well"])["images"]).map(object);
    throw fault(
      folder,
      `is a well of ${images.length} fields, not one image. Name the folder of one${inside(images[0]?.["path"])}.`,
    );
  }
  if (ome["multiscales"] === undefined && Array.isArray(ome["labels"])) {
    const [first] = ome["labels"] as readonly unknown[];
    throw fault(folder, `is the folder of an image's labels. Name the image's folder, or one label's${inside(first)}.`);
  }
}

/** Opens an image of OME-Zarr. Throws FormatError where it is none or malformed, naming what is wrong. */
export async function openOmeImage(folder: FolderSource, group: ZarrNode): Promise<MovieFile> {
  const ome = omeOf(group);
  if (ome["multiscales"] !== undefined) return openImage(folder, "", group, null, []);
  const warnings: string[] = [];
  const meta = await readZarrNode(folder, "OME").catch(() => null);
  const series = list(meta === null ? [] : omeOf(meta)["series"]).filter((path) => typeof path === "string");
  const numbered = series.length > 0 ? series : folder.folders.filter((name) => /^\d+$/.test(name));
  const path = numbered[0] ?? "0";
  const image = isInside(path) ? await readZarrNode(folder, path) : null;
  if (image === null || image.array !== null) {
    throw fault(
      folder,
      `holds images of bioformats2raw but not ${said(path)}, the first. Copy the whole folder again.`,
    );
  }
  refuseOmeCollection(folder, image.attributes);
  if (numbered.length > 1) {
    warnings.push(
      `it holds ${numbered.length} images: the first is read. Name the folder of another, ${folder.name}/${numbered[1]} say.`,
    );
  }
  return openImage(folder, path, image, await omeXml(folder, warnings), warnings);
}

async function openImage(
  folder: FolderSource,
  base: string,
  group: ZarrNode,
  document: OmeDocument | null,
  warnings: string[],
): Promise<MovieFile> {
  const ome = omeOf(group);
  const wrong = (what: string): FormatError => fault(folder, `its multiscales are not to be read: ${what}`);
  const [first, ...others] = list(ome["multiscales"]);
  const whole = object(first);
  const levels = list(whole["datasets"]).map(object);
  const path = levels[0]?.["path"];
  if (levels.length === 0) throw wrong(`their datasets are ${said(whole["datasets"])}, not a list of levels.`);
  if (!isInside(path)) throw wrong(`the first level's path is ${said(path)}, no folder inside.`);
  if (others.length > 0) warnings.push(`it holds ${others.length + 1} multiscales: the first is read.`);
  const version = ome["version"] ?? whole["version"];
  if (typeof version === "string" && !known.has(version.slice(0, 3))) {
    warnings.push(`it is of version ${said(version)} of OME-Zarr; 0.1 to 0.5 are known.`);
  }
  const at = (name: string): string => (base === "" ? name : `${base}/${name}`);
  const node = await readZarrNode(folder, at(path));
  if (node === null || node.array === null) {
    throw wrong(`they name ${said(path)}, but there is no array in ${at(path)}. Copy the whole folder again.`);
  }
  const { array } = node;
  const rank = array.shape.length;
  const axes = axesOf(whole["axes"], rank, wrong);
  const scale = scaleOf(levels[0]!, whole, rank, warnings);
  const stack = await openStack(folder, at(path), array, axes);
  const own = object(group.attributes[ownKey]);
  const note = stack.planes === undefined ? null : seriesNote(stack.planes);
  if (note !== null) warnings.push(note);
  warnings.push(...stack.warnings);
  const lengths = pixelSize(axes, scale, document, warnings);
  const times = await timesOf(folder, { at, own, stack, axes, scale, document, warnings });
  const labels = list(object(ome["omero"])["channels"]).map((channel) => object(channel)["label"]);
  const named = labels.length === stack.channels && labels.every((label) => label !== undefined && label !== null);
  const { incomplete, times: _, channels: __, momentOf: ___, ...frames } = stack;
  return {
    ...frames,
    ...(incomplete.length === 0 ? {} : { incomplete }),
    name: folder.name,
    format: "ome-zarr",
    ...(named && stack.channels > 0 ? { channelNames: labels.map(String) } : {}),
    ...lengths,
    ...times,
    warnings,
    close: () => folder.close(),
  };
}

function fault(folder: FolderSource, what: string): FormatError {
  return new FormatError(`${folder.name}: ${what}`, { path: folder.name });
}

/** Whether a path leads to a folder below, and nowhere else. */
function isInside(path: unknown): path is string {
  return typeof path === "string" && path.split("/").every((part) => part !== "" && !/^\.|[\\:\0]/.test(part));
}

function pixelSize(
  axes: NamedAxes,
  scale: readonly number[] | null,
  document: OmeDocument | null,
  warnings: string[],
): Pick<MovieFile, "pixelSize_um" | "pixelSizeSource"> {
  const along = (name: "x" | "y"): number | null =>
    scaleAlong({ name, value: scale?.[axes[name]], unit: axes.units[axes[name]]! }, lengthWord_um, warnings);
  const width_um = along("x");
  const height_um = along("y");
  if (width_um === null) {
    const told_um = document?.images[0]?.pixelSize_um ?? null;
    return { pixelSize_um: told_um, pixelSizeSource: told_um === null ? "missing" : "OME PhysicalSizeX" };
  }
  if (height_um !== null && Math.abs(height_um / width_um - 1) > 0.01) {
    warnings.push(`pixels are ${width_um} um wide but ${height_um} um high: the width is used.`);
  }
  return { pixelSize_um: width_um, pixelSizeSource: "OME-Zarr scale of axis x" };
}

type Times = Pick<MovieFile, "time_s" | "timeSource" | "frameStamp" | "start">;

interface TimeSources {
  readonly at: (name: string) => string;
  readonly own: Json;
  readonly stack: ZarrStack;
  readonly axes: NamedAxes;
  readonly scale: readonly number[] | null;
  readonly document: OmeDocument | null;
  readonly warnings: string[];
}

/** The times of frames: ionoscope's own, else OME-XML's, else equal steps along the axis of time. */
async function timesOf(folder: FolderSource, sources: TimeSources): Promise<Times> {
  const { own, stack, axes, scale, document, warnings } = sources;
  const date = own["start"] ?? document?.images[0]?.date;
  const start = typeof date === "string" ? laterCivilTime(date, 0) : null;
  const { frameStamp } = own["frameStamp"] === undefined ? (document ?? own) : own;
  const told: Omit<Times, "time_s" | "timeSource"> = { frameStamp: stampOf(frameStamp), start };
  const written = own["version"] === ownVersion ? await ownTimes(folder, sources) : null;
  if (written !== null) return { ...told, time_s: written, timeSource: "ionoscope time_s" };
  const stamped = document === null ? null : xmlTimes(document, stack, warnings);
  if (stamped !== null) {
    const first_s = stamped.first_s > 0 ? stamped.first_s : 0;
    const later = start === null ? null : laterCivilTime(start, first_s);
    return { ...told, start: later, time_s: stamped.time_s, timeSource: "OME DeltaT" };
  }
  const unit = axes.t === null ? null : axes.units[axes.t]!;
  const value = axes.t === null ? undefined : scale?.[axes.t];
  const step_s = stack.times < 2 ? null : scaleAlong({ name: "t", value, unit }, timeWord_s, warnings);
  if (step_s === null) return { ...told, time_s: null, timeSource: "missing" };
  const time_s = Float64Array.from({ length: stack.frames }, (_, frame) => stack.momentOf(frame) * step_s);
  return { ...told, time_s, timeSource: "OME-Zarr scale of axis t" };
}

function stampOf(value: unknown): FrameStamp {
  return value === "start" || value === "middle" || value === "end" ? value : "unknown";
}

async function ownTimes(folder: FolderSource, { at, own, stack, warnings }: TimeSources): Promise<Float64Array | null> {
  const path = own["times"];
  if (path === undefined || path === null) return null;
  const node = isInside(path) ? await readZarrNode(folder, at(path)) : null;
  const array = node?.array ?? null;
  if (array === null || array.shape.length !== 1 || array.shape[0] !== stack.frames || array.type.name !== "float64") {
    warnings.push(`its own frame times ${said(path)} are missing, or not ${stack.frames} numbers: they are not used.`);
    return null;
  }
  const row = await openPlanes(folder, at(path as string), array, { y: null, x: 0 });
  if (row.present([0]) !== row.chunksOfPlane) {
    warnings.push(`its own frame times ${said(path)} are not all there: they are not used.`);
    return null;
  }
  const time_s = new Float64Array(stack.frames);
  await row.read([0], time_s);
  return time_s;
}

function xmlTimes(
  document: OmeDocument,
  stack: ZarrStack,
  warnings: string[],
): { readonly time_s: Float64Array; readonly first_s: number } | null {
  const stamps = new Map<string, number>();
  for (const { channel, slice, time, stamp_s } of document.images[0]?.stamps ?? []) {
    stamps.set(`${channel},${slice},${time}`, stamp_s);
  }
  if (stamps.size === 0 || stack.times < 2) return null;
  const stampAt = (frame: number): number => {
    const { channel, slice, time } = stack.planes?.[frame] ?? { channel: 0, slice: 0, time: frame };
    return stamps.get(`${channel},${slice},${time}`) ?? Number.NaN;
  };
  const perMoment = stack.frames / stack.times;
  const firsts = Array.from({ length: stack.times }, (_, time) => time * perMoment);
  const checked = checkStamps(Float64Array.from(firsts, stampAt), "OME DeltaT");
  warnings.push(...checked.warnings);
  if (!checked.sound) return null;
  const zero = checked.time_s.indexOf(0);
  const first_s = stampAt(firsts[zero]!);
  const time_s = Float64Array.from({ length: stack.frames }, (_, frame) => stampAt(frame) - first_s);
  for (const [time, frame] of firsts.entries()) time_s[frame] = checked.time_s[time]!;
  return { time_s, first_s };
}

async function omeXml(folder: FolderSource, warnings: string[]): Promise<OmeDocument | null> {
  const entry = "OME/METADATA.ome.xml";
  const source = await folder.open(entry).catch(() => null);
  if (source === null) return null;
  try {
    if (source.size > maxXmlBytes) {
      warnings.push(`${entry} is ${source.size} bytes long and not read: its frame times are missing.`);
      return null;
    }
    const document = parseOmeXml(new TextDecoder().decode(await readBytes(source, 0, source.size)), entry);
    warnings.push(...document.warnings);
    return document;
  } catch (error) {
    warnings.push(`${error instanceof Error ? error.message : String(error)} Its frame times are missing.`);
    return null;
  } finally {
    await source.close();
  }
}
