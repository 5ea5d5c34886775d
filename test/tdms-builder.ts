/** Small TDMS files for tests, segment by segment, from samples that are known. */

/** A property's or a channel's type by its number in the format. */
export const tdmsType = {
  i8: 1,
  i16: 2,
  i32: 3,
  i64: 4,
  u8: 5,
  u16: 6,
  u32: 7,
  f32: 9,
  f64: 10,
  text: 0x20,
  stamp: 0x44,
};

export type PropertySpec =
  number | string | { readonly u32: number } | { readonly i32: number } | { readonly stamp: readonly [bigint, bigint] };

/** An object as a segment's metadata names it. */
export interface ObjectSpec {
  /** No name: the file; one: a group; two: a channel. */
  readonly path: readonly string[];
  readonly properties?: Readonly<Record<string, PropertySpec>>;
  /** Its samples in this segment, all chunks after each other; "same" keeps the last index; absent: no data. */
  readonly index?: { readonly type: number; readonly perChunk: number } | "same" | "daqmx";
}

export interface SegmentSpec {
  /** Absent: a segment without metadata. */
  readonly objects?: readonly ObjectSpec[];
  readonly newList?: boolean;
  readonly interleaved?: boolean;
  readonly bigEndian?: boolean;
  readonly daqmx?: boolean;
  /** Raw data as it stands. */
  readonly raw?: Uint8Array;
  /** Never closed: offset of the next segment is all ones. */
  readonly open?: boolean;
}

/** The bytes of a file of these segments. */
export function buildTdms(segments: readonly SegmentSpec[]): Uint8Array {
  return joined(segments.map(segmentBytes));
}

/** Samples as bytes of a type. */
export function sampleBytes(type: number, values: readonly number[], bigEndian = false): Uint8Array {
  const size = { 1: 1, 2: 2, 3: 4, 4: 8, 5: 1, 6: 2, 7: 4, 9: 4, 10: 8 }[type]!;
  const view = new DataView(new ArrayBuffer(size * values.length));
  for (const [at, value] of values.entries()) write(view, size * at, type, value, !bigEndian);
  return new Uint8Array(view.buffer);
}

/** Texts as a channel's raw data: where each ends, then all bytes. */
export function textBytes(texts: readonly string[]): Uint8Array {
  const bytes = texts.map((text) => new TextEncoder().encode(text));
  let end = 0;
  const ends = bytes.map((part) => (end += part.length));
  return joined([sampleBytes(tdmsType.u32, ends), ...bytes]);
}

/** Parts one after the other. */
export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function write(view: DataView, at: number, type: number, value: number, little: boolean): void {
  if (type === tdmsType.i8) view.setInt8(at, value);
  else if (type === tdmsType.i16) view.setInt16(at, value, little);
  else if (type === tdmsType.i32) view.setInt32(at, value, little);
  else if (type === tdmsType.i64) view.setBigInt64(at, BigInt(value), little);
  else if (type === tdmsType.u8) view.setUint8(at, value);
  else if (type === tdmsType.u16) view.setUint16(at, value, little);
  else if (type === tdmsType.u32) view.setUint32(at, value, little);
  else if (type === tdmsType.f32) view.setFloat32(at, value, little);
  else view.setFloat64(at, value, little);
}

function segmentBytes(spec: SegmentSpec): Uint8Array {
  const { objects, newList = false, interleaved = false, bigEndian = false, daqmx = false, raw, open = false } = spec;
  const u32 = (value: number): Uint8Array => sampleBytes(tdmsType.u32, [value], bigEndian);
  const u64 = (value: bigint): Uint8Array => {
    const view = new DataView(new ArrayBuffer(8));
    view.setBigUint64(0, value, !bigEndian);
    return new Uint8Array(view.buffer);
  };
  const text = (value: string): Uint8Array => {
    const bytes = new TextEncoder().encode(value);
    return joined([u32(bytes.length), bytes]);
  };
  const property = (value: PropertySpec): Uint8Array => {
    if (typeof value === "string") return joined([u32(tdmsType.text), text(value)]);
    if (typeof value === "number") return joined([u32(tdmsType.f64), sampleBytes(tdmsType.f64, [value], bigEndian)]);
    if ("u32" in value) return joined([u32(tdmsType.u32), u32(value.u32)]);
    if ("i32" in value) return joined([u32(tdmsType.i32), sampleBytes(tdmsType.i32, [value.i32], bigEndian)]);
    const [seconds, parts] = value.stamp;
    return joined([u32(tdmsType.stamp), ...(bigEndian ? [u64(seconds), u64(parts)] : [u64(parts), u64(seconds)])]);
  };
  const index = (object: ObjectSpec): Uint8Array => {
    if (object.index === undefined) return u32(0xffffffff);
    if (object.index === "same") return u32(0);
    // One scaler of a format, one raw buffer of two bytes.
    if (object.index === "daqmx") {
      const scaler = [3, 0, 0, 0, 0].map(u32);
      return joined([u32(0x1269), u32(0xffffffff), u32(1), u64(4n), u32(1), ...scaler, u32(1), u32(2)]);
    }
    const { type, perChunk } = object.index;
    const isText = type === tdmsType.text;
    const bytes = isText ? [u64(BigInt(raw!.length))] : [];
    return joined([u32(isText ? 28 : 20), u32(type), u32(1), u64(BigInt(perChunk)), ...bytes]);
  };
  const metadata =
    objects === undefined
      ? new Uint8Array()
      : joined([
          u32(objects.length),
          ...objects.flatMap((object) => [
            text(
              object.path.length === 0 ? "/" : object.path.map((name) => `/'${name.replaceAll("'", "''")}'`).join(""),
            ),
            index(object),
            u32(Object.keys(object.properties ?? {}).length),
            ...Object.entries(object.properties ?? {}).flatMap(([name, value]) => [text(name), property(value)]),
          ]),
        ]);
  const toc =
    (objects === undefined ? 0 : 2) |
    (newList ? 4 : 0) |
    (raw === undefined ? 0 : 8) |
    (interleaved ? 32 : 0) |
    (bigEndian ? 64 : 0) |
    (daqmx ? 128 : 0);
  const data = raw ?? new Uint8Array();
  return joined([
    new TextEncoder().encode("TDSm"),
    sampleBytes(tdmsType.u32, [toc]),
    u32(4713),
    u64(open ? 0xffffffffffffffffn : BigInt(metadata.length + data.length)),
    u64(BigInt(metadata.length)),
    metadata,
    data,
  ]);
}
