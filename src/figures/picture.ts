/** An image as a PNG in a data URL, at its own resolution. */
import { encode } from "fast-png";
import type { Image } from "../model/movie.js";
import { lookupTable, type Colormap } from "./colormap.js";

/**
 * Colours an image from range[0] to range[1] and encodes it as PNG; NaN is transparent.
 * One pixel of the image is one pixel of the PNG.
 */
export function pictureUrl(
  { width, height, data }: Pick<Image, "width" | "height"> & { readonly data: ArrayLike<number> },
  range: readonly [number, number],
  name: Colormap,
): string {
  const table = lookupTable(name);
  const pixels = new Uint8Array(4 * width * height);
  const [low, high] = range;
  for (let at = 0; at < width * height; at++) {
    const value = data[at]!;
    if (Number.isNaN(value)) continue;
    const entry = high > low ? Math.round(255 * Math.min(1, Math.max(0, (value - low) / (high - low)))) : 128;
    pixels.set(table.subarray(3 * entry, 3 * entry + 3), 4 * at);
    pixels[4 * at + 3] = 255;
  }
  return `data:image/png;base64,${base64(encode({ width, height, data: pixels, channels: 4, depth: 8 }))}`;
}

/** A vertical strip of all colours, the highest value on top: the body of a colour bar. */
export function barUrl(name: Colormap): string {
  const data = Float32Array.from({ length: 256 }, (_, at) => 255 - at);
  return pictureUrl({ width: 1, height: 256, data }, [0, 255], name);
}

/** Bytes as base64, in browsers and elsewhere. */
export function base64(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(text);
}
