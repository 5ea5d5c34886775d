/** Files as Micro-Manager writes them: header with summary, pages each before its pixels and its JSON, map of images. */

/** One image: its place, one 16-bit value for all its pixels, and what its JSON says beside the place. */
export interface ImageSpec {
  readonly channel?: number;
  readonly slice?: number;
  readonly frame?: number;
  readonly position?: number;
  readonly value: number;
  readonly note?: Readonly<Record<string, unknown>>;
}

export interface AcquisitionSpec {
  readonly images: readonly ImageSpec[];
  readonly summary?: Readonly<Record<string, unknown>> | string;
  readonly width?: number;
  readonly height?: number;
  readonly littleEndian?: boolean;
  /** False for a file whose acquisition crashed: no map, no description, a last page that points on. */
  readonly closed?: boolean;
  /** Zeros behind the last image, as where the file was laid out before it was written. */
  readonly zeros?: number;
  /** OME-XML of the first page. */
  readonly description?: string;
}

/** The bytes of a file as it is specified. */
export function buildMicroManager(spec: AcquisitionSpec): Uint8Array {
  const { images, width = 2, height = 2, littleEndian = true, closed = true, zeros = 0, description } = spec;
  const { summary = {} } = spec;
  const parts: Uint8Array[] = [];
  let at = 0;
  const add = (bytes: Uint8Array): number => {
    const padded = new Uint8Array(bytes.length + (bytes.length % 2));
    padded.set(bytes);
    parts.push(padded);
    at += padded.length;
    return at - padded.length;
  };
  const view = (length: number): DataView => new DataView(new ArrayBuffer(length));
  const text = (value: unknown): Uint8Array =>
    new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value));

  const head = view(40);
  head.setUint16(0, littleEndian ? 0x4949 : 0x4d4d);
  head.setUint16(2, 42, littleEndian);
  const header = [54_773_648, 0, 483_765_892, 0, 99_384_722, 0, 2_355_492];
  for (const [index, value] of header.entries()) head.setUint32(8 + 4 * index, value, littleEndian);
  add(new Uint8Array(head.buffer));
  const summaryBytes = text(summary);
  head.setUint32(36, summaryBytes.length, littleEndian);
  add(summaryBytes);
  head.setUint32(4, at, littleEndian);

  const directories: number[] = [];
  for (const [number, image] of images.entries()) {
    const { channel = 0, slice = 0, frame = 0, position = 0, value, note = {} } = image;
    const index = { ChannelIndex: channel, SliceIndex: slice, FrameIndex: frame, PositionIndex: position };
    const json = text({ ...index, Width: width, Height: height, PixelType: "GRAY16", ...note });
    const told = number === 0 && description !== undefined ? text(`${description}\0`) : null;
    const pixels = view(2 * width * height);
    for (let pixel = 0; pixel < width * height; pixel++) pixels.setUint16(2 * pixel, value, littleEndian);
    const tags = told === null ? 11 : 12;
    const directory = at;
    const pixelsAt = directory + 2 + 12 * tags + 4 + ((2 + 12 * tags + 4) % 2);
    const jsonAt = pixelsAt + pixels.byteLength;
    const toldAt = jsonAt + json.length + (json.length % 2);
    const next = toldAt + (told === null ? 0 : told.length + (told.length % 2));
    const entries: [tag: number, type: number, count: number, value: number][] = [
      [256, 4, 1, width],
      [257, 4, 1, height],
      [258, 3, 1, 16],
      [259, 3, 1, 1],
      [262, 3, 1, 1],
      ...(told === null ? [] : [[270, 2, told.length, toldAt] as [number, number, number, number]]),
      [273, 4, 1, pixelsAt],
      [277, 3, 1, 1],
      [278, 3, 1, height],
      [279, 4, 1, pixels.byteLength],
      [296, 3, 1, 1],
      [51123, 2, json.length, jsonAt],
    ];
    const page = view(2 + 12 * entries.length + 4);
    page.setUint16(0, entries.length, littleEndian);
    for (const [entry, [tag, type, count, one]] of entries.entries()) {
      page.setUint16(2 + 12 * entry, tag, littleEndian);
      page.setUint16(4 + 12 * entry, type, littleEndian);
      page.setUint32(6 + 12 * entry, count, littleEndian);
      if (type === 3) page.setUint16(10 + 12 * entry, one, littleEndian);
      else page.setUint32(10 + 12 * entry, one, littleEndian);
    }
    page.setUint32(2 + 12 * entries.length, closed && number === images.length - 1 ? 0 : next, littleEndian);
    directories.push(add(new Uint8Array(page.buffer)));
    add(new Uint8Array(pixels.buffer));
    add(json);
    if (told !== null) add(told);
  }
  if (closed) {
    const map = view(8 + 20 * images.length);
    map.setUint32(0, 3_453_623, littleEndian);
    map.setUint32(4, images.length, littleEndian);
    for (const [number, { channel = 0, slice = 0, frame = 0, position = 0 }] of images.entries()) {
      for (const [place, one] of [channel, slice, frame, position, directories[number]!].entries()) {
        map.setUint32(8 + 20 * number + 4 * place, one, littleEndian);
      }
    }
    head.setUint32(12, at, littleEndian);
    add(new Uint8Array(map.buffer));
  }
  if (zeros > 0) add(new Uint8Array(zeros));
  parts[0] = new Uint8Array(head.buffer);
  const whole = new Uint8Array(at);
  let filled = 0;
  for (const part of parts) {
    whole.set(part, filled);
    filled += part.length;
  }
  return whole;
}
