/** Small regions of ImageJ for tests, of any type, made field by field from the layout. */

/** A region; numbers are ImageJ's, counted from the corner of the top-left pixel. */
export interface RoiSpec {
  readonly type: number;
  readonly subtype?: number;
  readonly options?: number;
  readonly version?: number;
  /** Top, left, bottom, right. */
  readonly box?: readonly [number, number, number, number];
  /** From left and top. */
  readonly corners?: readonly (readonly [number, number])[];
  /** Absolute, as floats behind the corners. */
  readonly subPixel?: readonly (readonly [number, number])[];
  /** Floats at 18 and at 52. */
  readonly at18?: readonly [number, number, number, number];
  readonly at52?: number;
  readonly roundedBy?: number;
  readonly shape?: readonly number[];
  readonly position?: number;
  readonly frame?: number;
  readonly name?: string;
}

/** The bytes of a region. */
export function buildRoi(spec: RoiSpec): Uint8Array {
  const { corners = [], subPixel = [], shape = [], name = "" } = spec;
  const header2 = 64 + 4 * corners.length + 8 * subPixel.length + 4 * shape.length;
  const bytes = new Uint8Array(header2 + 64 + 2 * name.length);
  const view = new DataView(bytes.buffer);
  bytes.set([..."Iout"].map((letter) => letter.charCodeAt(0)));
  view.setUint16(4, spec.version ?? 227);
  view.setUint8(6, spec.type);
  (spec.box ?? [0, 0, 0, 0]).forEach((side, at) => view.setInt16(8 + 2 * at, side));
  view.setUint16(16, corners.length);
  spec.at18?.forEach((value, at) => view.setFloat32(18 + 4 * at, value));
  view.setInt32(36, shape.length);
  view.setUint16(48, spec.subtype ?? 0);
  view.setUint16(50, spec.options ?? (subPixel.length > 0 ? 128 : 0));
  if (spec.at52 !== undefined) view.setFloat32(52, spec.at52);
  if (spec.roundedBy !== undefined) view.setUint16(54, spec.roundedBy);
  view.setInt32(56, spec.position ?? 0);
  view.setInt32(60, header2);
  const n = corners.length;
  corners.forEach(([x, y], at) => {
    view.setInt16(64 + 2 * at, x);
    view.setInt16(64 + 2 * (n + at), y);
  });
  subPixel.forEach(([x, y], at) => {
    view.setFloat32(64 + 4 * (n + at), x);
    view.setFloat32(64 + 4 * (2 * n + at), y);
  });
  shape.forEach((value, at) => view.setFloat32(64 + 4 * at, value));
  view.setInt32(header2 + 12, spec.frame ?? 0);
  view.setInt32(header2 + 16, name === "" ? 0 : header2 + 64);
  view.setInt32(header2 + 20, name.length);
  [...name].forEach((_, at) => view.setUint16(header2 + 64 + 2 * at, name.charCodeAt(at)));
  return bytes;
}
