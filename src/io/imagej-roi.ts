/**
 * ImageJ's region of interest (.roi), big-endian; every offset counts from the file's first byte.
 *
 *      0  "Iout"                                 34  u16 stroke width
 *      4  u16 version                            36  i32 floats of a composite shape; 0 for none
 *      6  u8 type, u8 unused                     40  u32 stroke colour, u32 fill colour
 *      8  i16 top, left, bottom, right           48  u16 subtype
 *     16  u16 corners; 0: i32 at 18              50  u16 options: 1 spline, 128 sub-pixel
 *     18  f32 x1, y1, x2, y2 of an ellipse or    52  f32 ratio of an ellipse's axes or width of a turned rectangle
 *         a turned rectangle; f32 x, y, width,   54  u16 diameter of a rectangle's rounded corners
 *         height of a sub-pixel rectangle        56  i32 position in the stack, from 1
 *                                                60  i32 offset of the second header
 *     64  u16 x of every corner, then u16 y, both from left and top; then f32 x, f32 y where sub-pixel, absolute;
 *         or the shape: f32 kind (0 move, 1 line, 2 quadratic, 3 cubic, 4 close) and its f32 points, absolute
 *
 * Second header: i32 unused, channel, slice, frame (each from 1), offset of the name, its length in UTF-16 units.
 *
 * ImageJ counts from the corner of the top-left pixel, so its (0.5, 0.5) is our (0, 0).
 * Source: ij.io.RoiDecoder and RoiEncoder of ImageJ 1 (public domain).
 */
import { FormatError, ParameterError } from "../model/errors.js";
import type { DrawnOutline } from "../model/particle.js";

/** A region of more corners than this, or a shape of more numbers, is refused. */
export const ROI_CORNERS = 1_000_000;
/** A name of more letters than this is cut. */
const NAME_LETTERS = 1000;
const HEADER_BYTES = 64;
const HEADER2_BYTES = 64;
const VERSION = 228;
const SUB_PIXEL = 128;

type Point = [number, number];

/** A region that encloses an area. */
export interface RoiArea {
  readonly kind: "area";
  readonly name: string | null;
  /** Closed rings, places as in `Particle`; a composite has several, some of which may be holes in others. */
  readonly rings_px: readonly Point[][];
  /** Frame that it was drawn on, counted from 0. */
  readonly frame: number | null;
  /** What of it is not kept, in words; null as a rule. */
  readonly simplified: string | null;
}

/** A region without an area: a line, points, a text. */
export interface RoiOther {
  readonly kind: "other";
  readonly name: string | null;
  /** "a straight line" */
  readonly what: string;
}

const types = [
  "a polygon",
  "a rectangle",
  "an oval",
  "a straight line",
  "a freehand line",
  "a segmented line",
  "no region",
  "a freehand area",
  "a traced area",
  "an angle",
  "points",
] as const;

/** Whether a file begins as a region of ImageJ does. */
export function isRoi(head: Uint8Array): boolean {
  return [0x49, 0x6f, 0x75, 0x74].every((byte, at) => head[at] === byte);
}

/**
 * Reads one region; `file` is its name in messages. Ovals and curves become polygons that stay within 0.01 px of them.
 * Throws FormatError where the bytes are no region, end too early or hold more than ROI_CORNERS.
 */
export function decodeRoi(bytes: Uint8Array, file: string): RoiArea | RoiOther {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const refuse = (offset: number, what: string): never => {
    throw new FormatError(`${file}: ${what} (at byte ${offset}). Save the region again in Fiji.`, {
      path: file,
      offset,
    });
  };
  if (!isRoi(bytes)) refuse(0, "is no region of ImageJ: it does not begin with Iout");
  if (bytes.length < HEADER_BYTES) refuse(bytes.length, `breaks off after ${bytes.length} of ${HEADER_BYTES} bytes`);
  const type = view.getUint8(6);
  const subtype = view.getUint16(48);
  const name = nameOf(view);
  const what = types[type];
  if (what === undefined) refuse(6, `is of type ${type}; 0 to ${types.length - 1} are known`);
  if (type === 1 && subtype === 1) return { kind: "other", name, what: "a text" };
  if (type === 1 && subtype === 4) return { kind: "other", name, what: "an image" };
  const area = { kind: "area", name, frame: frameOf(view), simplified: null } as const;
  const shape = view.getInt32(36);
  if (shape > 0) return { ...area, rings_px: shapeRings(view, shape, refuse) };
  switch (type) {
    case 0:
    case 8:
      return { ...area, ...corners(view, refuse) };
    case 1: {
      const rounded = view.getUint16(54) > 0 ? "its rounded corners are taken as square" : null;
      return { ...area, rings_px: [boxRing(boxOf(view))], simplified: rounded };
    }
    case 2:
      return { ...area, rings_px: [ovalRing(boxOf(view))] };
    case 7:
      if (subtype === 3) return { ...area, rings_px: [ellipseRing(view)] };
      if (subtype === 5) return { ...area, rings_px: [turnedRectangle(view)] };
      return { ...area, ...corners(view, refuse) };
    default:
      return { kind: "other", name, what: what! };
  }
}

/**
 * An outline as a polygon of ImageJ with sub-pixel corners, named where it has a name.
 * Throws ParameterError where it has fewer than three corners, too many, or one beyond what ImageJ can hold.
 */
export function encodeRoi({ outline_px, name, frame }: DrawnOutline): Uint8Array {
  const n = outline_px.length;
  const told = (name ?? "").slice(0, NAME_LETTERS);
  if (n < 3 || n > ROI_CORNERS) {
    throw new ParameterError(`an outline has ${n} corners. Give 3 to ${ROI_CORNERS}.`, {
      parameter: "outline_px",
      value: n,
    });
  }
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const [x, y] of outline_px) {
    if (!(x >= -5000 && x < 60_000 && y >= -5000 && y < 60_000)) {
      throw new ParameterError(`an outline has a corner at ${x},${y}. ImageJ holds -5000 to 60000 px.`, {
        parameter: "outline_px",
        value: [x, y],
      });
    }
    left = Math.min(left, Math.floor(x + 0.5));
    top = Math.min(top, Math.floor(y + 0.5));
    right = Math.max(right, Math.ceil(x + 0.5));
    bottom = Math.max(bottom, Math.ceil(y + 0.5));
  }
  const header2 = HEADER_BYTES + 12 * n;
  const bytes = new Uint8Array(header2 + HEADER2_BYTES + 2 * told.length);
  const view = new DataView(bytes.buffer);
  bytes.set([0x49, 0x6f, 0x75, 0x74]);
  view.setUint16(4, VERSION);
  view.setInt16(8, top);
  view.setInt16(10, left);
  view.setInt16(12, bottom);
  view.setInt16(14, right);
  if (n <= 0xffff) view.setUint16(16, n);
  else view.setInt32(18, n);
  view.setUint16(50, SUB_PIXEL);
  view.setInt32(60, header2);
  for (const [at, [x, y]] of outline_px.entries()) {
    view.setUint16(HEADER_BYTES + 2 * at, Math.floor(x + 0.5) - left);
    view.setUint16(HEADER_BYTES + 2 * (n + at), Math.floor(y + 0.5) - top);
    view.setFloat32(HEADER_BYTES + 4 * (n + at), x + 0.5);
    view.setFloat32(HEADER_BYTES + 4 * (2 * n + at), y + 0.5);
  }
  if (frame !== null) view.setInt32(56, frame + 1);
  if (told !== "") {
    view.setInt32(header2 + 16, header2 + HEADER2_BYTES);
    view.setInt32(header2 + 20, told.length);
    for (let at = 0; at < told.length; at++) {
      view.setUint16(header2 + HEADER2_BYTES + 2 * at, told.charCodeAt(at));
    }
  }
  return bytes;
}

type Refuse = (offset: number, what: string) => never;

/** Corners of a polygon, a freehand or a traced area. */
function corners(view: DataView, refuse: Refuse): Pick<RoiArea, "rings_px" | "simplified"> {
  const options = view.getUint16(50);
  const few = view.getUint16(16);
  const n = few === 0 ? view.getInt32(18) : few;
  const subPixel = (options & SUB_PIXEL) !== 0 && view.getUint16(4) >= 222;
  if (n < 3 || n > ROI_CORNERS) refuse(16, `claims ${n} corners, 3 to ${ROI_CORNERS} make an area`);
  const end = HEADER_BYTES + (subPixel ? 12 : 4) * n;
  if (end > view.byteLength) {
    refuse(16, `claims ${n} corners, which end at byte ${end}, but breaks off after ${view.byteLength}`);
  }
  const ring: Point[] = [];
  const [left, top] = [wrapped(view, 10), wrapped(view, 8)];
  for (let at = 0; at < n; at++) {
    const [x, y] = subPixel
      ? [view.getFloat32(HEADER_BYTES + 4 * (n + at)), view.getFloat32(HEADER_BYTES + 4 * (2 * n + at))]
      : [
          left + Math.max(0, wrapped(view, HEADER_BYTES + 2 * at)),
          top + Math.max(0, wrapped(view, HEADER_BYTES + 2 * (n + at))),
        ];
    if (!Number.isFinite(x) || !Number.isFinite(y)) refuse(HEADER_BYTES, `puts corner ${at} at ${x},${y}`);
    ring.push(fromCorner(x, y));
  }
  return { rings_px: [ring], simplified: (options & 1) === 0 ? null : "its spline is taken as straight sides" };
}

/** A 16-bit number, negative ones down to -5000, as ImageJ takes it. */
function wrapped(view: DataView, at: number): number {
  const value = view.getInt16(at);
  return value < -5000 ? value + 65_536 : value;
}

function fromCorner(x: number, y: number): Point {
  return [x - 0.5, y - 0.5];
}

/** Left, top, width, height in ImageJ's px. */
function boxOf(view: DataView): readonly [number, number, number, number] {
  if ((view.getUint16(50) & SUB_PIXEL) !== 0 && view.getUint16(4) >= 223) {
    const [x, y, width, height] = floatsAt18(view);
    if (width > 0 && height > 0 && Number.isFinite(x + y + width + height)) return [x, y, width, height];
  }
  const [left, top] = [wrapped(view, 10), wrapped(view, 8)];
  return [left, top, wrapped(view, 14) - left, wrapped(view, 12) - top];
}

function floatsAt18(view: DataView): [number, number, number, number] {
  return [view.getFloat32(18), view.getFloat32(22), view.getFloat32(26), view.getFloat32(30)];
}

function boxRing([x, y, width, height]: readonly [number, number, number, number]): Point[] {
  return [fromCorner(x, y), fromCorner(x + width, y), fromCorner(x + width, y + height), fromCorner(x, y + height)];
}

function ovalRing([x, y, width, height]: readonly [number, number, number, number]): Point[] {
  return oval(x + width / 2, y + height / 2, width / 2, height / 2, 0);
}

/** An ellipse by the ends of its long axis and the ratio of its axes. */
function ellipseRing(view: DataView): Point[] {
  const [x1, y1, x2, y2] = floatsAt18(view);
  const half = Math.hypot(x2 - x1, y2 - y1) / 2;
  return oval((x1 + x2) / 2, (y1 + y2) / 2, half, half * view.getFloat32(52), Math.atan2(y2 - y1, x2 - x1));
}

function oval(x: number, y: number, halfLong: number, halfShort: number, angle: number): Point[] {
  const radius = Math.max(Math.abs(halfLong), Math.abs(halfShort));
  // The polygon lies half of its sagitta inside and half outside, so that its area is the oval's.
  const count = Math.min(720, Math.max(16, Math.ceil((Math.PI / Math.sqrt(0.04)) * Math.sqrt(Math.max(radius, 1)))));
  const step = (2 * Math.PI) / count;
  const scale = Math.sqrt(step / Math.sin(step));
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  return Array.from({ length: count }, (_, at) => {
    const along = scale * halfLong * Math.cos(at * step);
    const across = scale * halfShort * Math.sin(at * step);
    return fromCorner(x + along * cos - across * sin, y + along * sin + across * cos);
  });
}

/** A rectangle by the ends of its middle line and its width. */
function turnedRectangle(view: DataView): Point[] {
  const [x1, y1, x2, y2] = floatsAt18(view);
  const length = Math.hypot(x2 - x1, y2 - y1);
  const half = view.getFloat32(52) / 2 / (length || 1);
  const [dx, dy] = [-(y2 - y1) * half, (x2 - x1) * half];
  return [
    fromCorner(x1 + dx, y1 + dy),
    fromCorner(x2 + dx, y2 + dy),
    fromCorner(x2 - dx, y2 - dy),
    fromCorner(x1 - dx, y1 - dy),
  ];
}

/** The rings of a composite shape, its curves as short sides; rings without an area are left out. */
function shapeRings(view: DataView, count: number, refuse: Refuse): Point[][] {
  if (count > ROI_CORNERS || HEADER_BYTES + 4 * count > view.byteLength) {
    const held = Math.floor((view.byteLength - HEADER_BYTES) / 4);
    refuse(36, `claims a shape of ${count} numbers and holds ${held}`);
  }
  const rings: Point[][] = [];
  let ring: Point[] = [];
  const close = (): void => {
    if (ring.length >= 3) rings.push(ring);
    ring = [];
  };
  const pointsOf = [1, 1, 2, 3, 0] as const;
  for (let at = 0; at < count;) {
    const offset = HEADER_BYTES + 4 * at;
    const kind = view.getFloat32(offset);
    const points = pointsOf[kind as 0];
    if (points === undefined) refuse(offset, `holds a part of kind ${kind} in its shape; 0 to 4 are known`);
    if (at + 1 + 2 * points > count) refuse(offset, "breaks off inside a part of its shape");
    const given: Point[] = [];
    for (let point = 0; point < points; point++) {
      const [x, y] = [view.getFloat32(offset + 4 + 8 * point), view.getFloat32(offset + 8 + 8 * point)];
      if (!Number.isFinite(x) || !Number.isFinite(y)) refuse(offset, `puts a point of its shape at ${x},${y}`);
      given.push(fromCorner(x, y));
    }
    if (kind === 0 || kind === 4) close();
    if (kind === 0 || kind === 1) ring.push(given[0]!);
    else if (kind !== 4) ring.push(...curve(ring.at(-1) ?? given[0]!, given));
    at += 1 + 2 * points;
  }
  close();
  return rings;
}

/** Sides of a Bezier curve of two or three points behind its start. */
function curve(start: Point, points: readonly Point[]): Point[] {
  const count = 16;
  return Array.from({ length: count }, (_, step) => {
    const t = (step + 1) / count;
    let stage: readonly Point[] = [start, ...points];
    while (stage.length > 1) {
      stage = stage
        .slice(1)
        .map(([x, y], at): Point => [stage[at]![0] + t * (x - stage[at]![0]), stage[at]![1] + t * (y - stage[at]![1])]);
    }
    return stage[0]!;
  });
}

function header2Of(view: DataView): number | null {
  const at = view.getInt32(60);
  return at >= HEADER_BYTES && at + 24 <= view.byteLength ? at : null;
}

function frameOf(view: DataView): number | null {
  const header2 = header2Of(view);
  const frame = header2 === null ? 0 : view.getInt32(header2 + 12);
  const position = frame > 0 ? frame : view.getInt32(56);
  return position > 0 ? position - 1 : null;
}

function nameOf(view: DataView): string | null {
  const header2 = header2Of(view);
  if (header2 === null) return null;
  const at = view.getInt32(header2 + 16);
  const length = Math.min(view.getInt32(header2 + 20), NAME_LETTERS);
  if (at < HEADER_BYTES || length <= 0 || at + 2 * length > view.byteLength) return null;
  let name = "";
  for (let letter = 0; letter < length; letter++) name += String.fromCharCode(view.getUint16(at + 2 * letter));
  return name;
}
