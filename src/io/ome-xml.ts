/**
 * What an OME-XML document says of a movie: sizes, scale, times of planes, and which page holds which plane.
 *
 * Namespaces from 2003 to 2016-06; entities are not expanded, depth and size are limited.
 * Source: the OME data model and OME-TIFF specification (docs.openmicroscopy.org/ome-model).
 */
import { XMLParser } from "fast-xml-parser";
import { FormatError } from "../model/errors.js";
import type { FrameStamp } from "../model/movie.js";
import { pixelsNumber, takePlanes, type PageElement, type PlaneElements } from "./ome-planes.js";
import { lengthUnit_um, timeUnit_s } from "./units.js";

/** Place of a plane among channels, focus planes and times. */
export interface OmePlace {
  readonly channel: number;
  readonly slice: number;
  readonly time: number;
}

/** Pages that hold planes one after another in the image's order of dimensions. */
export interface OmePages {
  /** First page; null where the document leaves it open. */
  readonly page: number | null;
  readonly first: OmePlace;
  /** Planes; null for one where a page is named, else for all. */
  readonly count: number | null;
  /** The file that holds them, where one is named. */
  readonly fileName: string | null;
  readonly uuid: string | null;
}

/** One image of a document. Lengths in um, times in s, null where not told or not of the sample. */
export interface OmeImage {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly slices: number;
  readonly times: number;
  /** "XYZCT" and so on: the third letter runs fastest from page to page. */
  readonly order: string;
  readonly pixelSize_um: number | null;
  readonly pixelHeight_um: number | null;
  readonly interval_s: number | null;
  /** AcquisitionDate as written. */
  readonly date: string | null;
  readonly name: string | null;
  /** One entry a channel; null for one without a name. */
  readonly channelNames: readonly (string | null)[];
  readonly pages: readonly OmePages[];
  /** Seconds since the experiment's beginning, by place. */
  readonly stamps: readonly (OmePlace & { readonly stamp_s: number })[];
}

/** A document: its images, or the name of the companion file that holds them. */
export interface OmeDocument {
  readonly uuid: string | null;
  readonly images: readonly OmeImage[];
  readonly companion: string | null;
  /** UUID of that file's own document, where it is told. */
  readonly companionUuid: string | null;
  /** What stamps mean, where the document says so. */
  readonly frameStamp: FrameStamp;
  readonly warnings: readonly string[];
}

/** Namespace of the annotation that says what a time stamp means. */
export const annotationNamespace = "ionoscope.frames";

type Node = Readonly<Record<string, unknown>>;

const lists = new Set(["Image", "TiffData", "Plane", "Channel", "MapAnnotation", "M"]);

/** Letters of a document beside its planes; one with more is no description of a movie. */
const maxTree = 1 << 23;

/** Whether a text looks like an OME-XML document. */
export function isOmeXml(text: string): boolean {
  const head = text.slice(0, 4096).trimStart();
  return head.startsWith("<") && /<([\w.-]+:)?OME[\s>]/.test(head);
}

/**
 * Reads a document. Throws FormatError where it is not well-formed, holds no image and names no companion, or holds
 * more than 8 million letters beside its planes.
 */
export function parseOmeXml(text: string, name: string): OmeDocument {
  const parser = new XMLParser({
    ignoreAttributes: false,
    attributeNamePrefix: "",
    removeNSPrefix: true,
    processEntities: false,
    parseTagValue: false,
    parseAttributeValue: false,
    maxNestedTags: 64,
    isArray: (tag, _path, _leaf, isAttribute) => !isAttribute && lists.has(tag),
  });
  const { rest, elements } = takePlanes(text);
  if (rest.length > maxTree) {
    throw new FormatError(
      `${name}: its OME-XML has ${rest.length} letters beside its planes, at most ${maxTree} are read. Export the movie again.`,
      { path: name },
    );
  }
  let root: unknown;
  try {
    root = (parser.parse(rest) as { OME?: unknown }).OME;
  } catch (cause) {
    throw new FormatError(`${name}: its OME-XML is not well-formed. Export the movie again.`, { path: name, cause });
  }
  const document = node(root);
  const companion = string(node(document["BinaryOnly"]), "MetadataFile");
  const companionUuid = string(node(document["BinaryOnly"]), "UUID");
  const warnings: string[] = [];
  const images = nodes(document["Image"]).flatMap((image) => {
    const read = readImage(image, elements, warnings);
    return read === null ? [] : [read];
  });
  if (images.length === 0 && companion === null) {
    throw new FormatError(`${name}: its OME-XML holds no image. Export the movie again.`, { path: name });
  }
  return {
    uuid: string(document, "UUID"),
    images,
    companion,
    companionUuid,
    frameStamp: stampMeaning(document),
    warnings,
  };
}

function readImage(image: Node, elements: readonly PlaneElements[], warnings: string[]): OmeImage | null {
  const pixels = node(image["Pixels"]);
  const own = elements[Number(pixels[pixelsNumber])];
  const size = (key: string): number => Number(pixels[key] ?? Number.NaN);
  const sizes = [size("SizeX"), size("SizeY"), size("SizeC"), size("SizeZ"), size("SizeT")];
  if (!sizes.every((value) => Number.isInteger(value) && value >= 1 && value <= 1e9)) return null;
  const [width, height, samples, slices, times] = sizes as [number, number, number, number, number];
  const perChannel = Number(nodes(pixels["Channel"])[0]?.["SamplesPerPixel"] ?? 1);
  const channels = perChannel > 1 && samples % perChannel === 0 ? samples / perChannel : samples;

  const quantity = (holder: Node, key: string, unitOf: (unit: string) => number | null, usual: string) => {
    const written = string(holder, key);
    if (written === null) return null;
    const unit = string(holder, `${key}Unit`) ?? usual;
    const factor = unitOf(unit);
    const value = Number(written);
    if (factor === null) warnings.push(`OME ${key} is ${written} ${unit}: that unit is not used.`);
    return factor === null || written.trim() === "" || !Number.isFinite(value) ? null : value * factor;
  };
  const positive = (value: number | null): number | null => (value !== null && value > 0 ? value : null);
  const pages = [...(own?.pages ?? []), ...nodes(pixels["TiffData"]).map(pageElement)].map(
    ({ IFD, FirstC, FirstZ, FirstT, PlaneCount, fileName, uuid }): OmePages => ({
      page: IFD === undefined ? null : Number(IFD),
      first: { channel: Number(FirstC ?? 0), slice: Number(FirstZ ?? 0), time: Number(FirstT ?? 0) },
      count: PlaneCount === undefined ? null : Number(PlaneCount),
      fileName: fileName === null ? null : decodeEntities(fileName),
      uuid,
    }),
  );
  const stamps: (OmePlace & { stamp_s: number })[] = [];
  const unknownUnits = warnings.length;
  for (const plane of [...(own?.planes ?? []), ...nodes(pixels["Plane"])] as Node[]) {
    const stamp_s = quantity(plane, "DeltaT", timeUnit_s, "s");
    warnings.length = Math.min(warnings.length, unknownUnits + 1);
    if (stamp_s !== null) {
      const { TheC = 0, TheZ = 0, TheT = 0 } = plane;
      stamps.push({ channel: Number(TheC), slice: Number(TheZ), time: Number(TheT), stamp_s });
    }
  }
  const date = image["AcquisitionDate"] ?? image["AcquiredDate"] ?? image["CreationDate"];
  return {
    width,
    height,
    channels,
    slices,
    times,
    order: string(pixels, "DimensionOrder") ?? "XYZCT",
    pixelSize_um: positive(quantity(pixels, "PhysicalSizeX", lengthUnit_um, "µm")),
    pixelHeight_um: positive(quantity(pixels, "PhysicalSizeY", lengthUnit_um, "µm")),
    interval_s: positive(quantity(pixels, "TimeIncrement", timeUnit_s, "s")),
    date: typeof date === "string" && date !== "" ? date : null,
    name: string(image, "Name"),
    channelNames: nodes(pixels["Channel"]).map((channel) => string(channel, "Name")),
    pages,
    stamps,
  };
}

/** A `TiffData` of a document that was left whole. */
function pageElement(data: Node): PageElement {
  const file = data["UUID"];
  const fileName = string(node(file), "FileName");
  return { ...data, fileName, uuid: typeof file === "string" ? file : string(node(file), "#text") };
}

function stampMeaning(document: Node): FrameStamp {
  for (const annotation of nodes(node(document["StructuredAnnotations"])["MapAnnotation"])) {
    if (annotation["Namespace"] !== annotationNamespace) continue;
    for (const entry of nodes(node(annotation["Value"])["M"])) {
      const value = entry["#text"];
      if (entry["K"] !== "frameStamp") continue;
      if (value === "start" || value === "middle" || value === "end") return value;
    }
  }
  return "unknown";
}

/** The planes of an image in the order of its dimensions, counted from 0. */
export function placeInOrder(image: OmeImage, position: number): OmePlace {
  const sizes: Record<string, number> = { C: image.channels, Z: image.slices, T: image.times };
  const found: Record<string, number> = { C: 0, Z: 0, T: 0 };
  let rest = position;
  for (const letter of image.order.slice(2)) {
    const size = sizes[letter] ?? 1;
    found[letter] = rest % size;
    rest = Math.floor(rest / size);
  }
  return { channel: found["C"]!, slice: found["Z"]!, time: found["T"]! };
}

/** Where a plane stands in the order of its image's dimensions. */
export function positionInOrder(image: OmeImage, place: OmePlace): number {
  const sizes: Record<string, number> = { C: image.channels, Z: image.slices, T: image.times };
  const values: Record<string, number> = { C: place.channel, Z: place.slice, T: place.time };
  let position = 0;
  for (const letter of image.order.slice(2).split("").reverse()) {
    position = position * (sizes[letter] ?? 1) + (values[letter] ?? 0);
  }
  return position;
}

function node(value: unknown): Node {
  return typeof value === "object" && value !== null ? (value as Node) : {};
}

function nodes(value: unknown): readonly Node[] {
  return Array.isArray(value) ? value.map(node) : value === undefined ? [] : [node(value)];
}

function string(holder: Node, key: string): string | null {
  const value = holder[key];
  return typeof value === "string" ? decodeEntities(value) : null;
}

/** Only what XML itself defines: five names and numbers of characters. */
function decodeEntities(text: string): string {
  if (!text.includes("&")) return text;
  const named: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };
  return text.replace(/&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|(amp|lt|gt|quot|apos));/gi, (whole, hex, decimal, name) => {
    if (name !== undefined) return named[String(name).toLowerCase()] ?? whole;
    const code = hex === undefined ? Number(decimal) : Number.parseInt(String(hex), 16);
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}
