/** Small NDTiff datasets for tests: index and TIFFs as Micro-Manager writes them, from pixels that are known. */
import { joined } from "./tdms-builder.js";

export interface NdtiffImage {
  readonly axes: Readonly<Record<string, number | string>>;
  /** Samples row by row; three a pixel for type 2. */
  readonly pixels: readonly number[];
  /** Beside the axes, which are always told. */
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** Number of its TIFF; 0 by default. */
  readonly stack?: number;
}

export interface NdtiffSpec {
  readonly width: number;
  readonly height: number;
  readonly images: readonly NdtiffImage[];
  /** 0 8 bit, 1 16 bit, 2 RGB, 3 10, 4 12, 5 14, 6 11 bit; 1 by default. */
  readonly pixelType?: number;
  readonly compression?: number;
  readonly major?: 2 | 3;
  readonly summary?: Readonly<Record<string, unknown>>;
  /** Metadata of images does not tell their axes. */
  readonly axesUntold?: boolean;
}

export interface NdtiffBytes {
  readonly index: Uint8Array;
  /** By name. */
  readonly stacks: Record<string, Uint8Array>;
  /** Where each image's entry begins in the index, and where the last one ends. */
  readonly entryAt: readonly number[];
}

/** Name of a dataset's TIFF by its number. */
export function stackName(number: number): string {
  return `cell_NDTiffStack${number === 0 ? "" : `_${number}`}.tif`;
}

/** Index and TIFFs of a dataset. */
export function buildNdtiff(spec: NdtiffSpec): NdtiffBytes {
  const { width, height, images, pixelType = 1, compression = 0, major = 3, summary = {}, axesUntold = false } = spec;
  const colour = pixelType === 2;
  const wide = pixelType !== 0 && !colour;
  const text = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
  const head = text(summary);
  const stacks = new Map<number, Uint8Array[]>();
  const length = (parts: readonly Uint8Array[]): number => parts.reduce((sum, part) => sum + part.length, 0);
  const entries: Uint8Array[] = [];
  const entryAt = [0];
  const last = new Map<number, number>(images.map(({ stack = 0 }, at) => [stack, at]));
  for (const [at, { axes, pixels, metadata, stack = 0 }] of images.entries()) {
    let parts = stacks.get(stack);
    if (parts === undefined) {
      const fields = major === 2 ? [483729, 2, 2355492] : [483729, 3, 2, 2355492];
      const first = 12 + 4 * fields.length + head.length;
      const even = first + (first % 2);
      parts = [
        Uint8Array.of(0x49, 0x49, 42, 0),
        u32(even),
        ...fields.map(u32),
        u32(head.length),
        head,
        new Uint8Array(even - first),
      ];
      stacks.set(stack, parts);
    }
    const start = length(parts);
    const directoryBytes = 2 + 13 * 12 + 4 + 16 + (colour ? 6 : 0);
    const samples = wide
      ? joined(pixels.map((value) => Uint8Array.of(value & 255, value >> 8)))
      : Uint8Array.from(pixels);
    const told = text(axesUntold ? { ...metadata } : { ...metadata, Axes: axes });
    const pixelAt = start + directoryBytes;
    const metadataAt = pixelAt + samples.length;
    const end = metadataAt + told.length;
    const values = start + 2 + 13 * 12 + 4;
    const tag = (number: number, type: number, count: number, value: number): Uint8Array =>
      joined([u16(number), u16(type), u32(count), u32(value)]);
    parts.push(
      u16(13),
      tag(256, 4, 1, width),
      tag(257, 4, 1, height),
      tag(258, 3, colour ? 3 : 1, colour ? values + 16 : wide ? 16 : 8),
      tag(259, 3, 1, 1),
      tag(262, 3, 1, colour ? 2 : 1),
      tag(273, 4, 1, pixelAt),
      tag(277, 3, 1, colour ? 3 : 1),
      tag(278, 3, 1, height),
      tag(279, 4, 1, samples.length),
      tag(282, 5, 1, values),
      tag(283, 5, 1, values + 8),
      tag(296, 3, 1, 3),
      tag(51123, 2, told.length, metadataAt),
      u32(last.get(stack) === at ? 0 : end + (end % 2)),
      ...[1, 1, 1, 1].map(u32),
      ...(colour ? [8, 8, 8].map(u16) : []),
      samples,
      told,
      new Uint8Array(end % 2),
    );
    const name = new TextEncoder().encode(stackName(stack));
    const named = text(axes);
    const fields = [pixelAt, width, height, pixelType, compression, metadataAt, told.length, 0];
    entries.push(joined([u32(named.length), named, u32(name.length), name, ...fields.map(u32)]));
    entryAt.push(entryAt.at(-1)! + entries.at(-1)!.length);
  }
  return {
    index: joined(entries),
    stacks: Object.fromEntries([...stacks].map(([number, parts]) => [stackName(number), joined(parts)])),
    entryAt,
  };
}

function u16(value: number): Uint8Array {
  return Uint8Array.of(value & 255, (value >> 8) & 255);
}

function u32(value: number): Uint8Array {
  return Uint8Array.of(value & 255, (value >>> 8) & 255, (value >>> 16) & 255, value >>> 24);
}
