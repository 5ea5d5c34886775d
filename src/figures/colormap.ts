/** Colours with one meaning each, in every figure; told apart by a colour-blind reader too. */
import { interpolateCividis, interpolateGreys, interpolateRdBu } from "d3-scale-chromatic";

/** What a map of colours stands for. */
export type Colormap = "contrast" | "arrival" | "intensity";

/**
 * The colour of a value already scaled to 0..1, as "rgb(r, g, b)".
 * contrast: blue below, white at the middle, red above; arrival: dark blue early, yellow late; intensity: black to white.
 */
export function colormap(name: Colormap, value: number): string {
  const at = Math.min(1, Math.max(0, value));
  switch (name) {
    case "contrast":
      return interpolateRdBu(1 - at);
    case "arrival":
      return interpolateCividis(at);
    case "intensity":
      return interpolateGreys(1 - at);
  }
}

/** 256 entries of a colormap as r, g, b bytes. */
export function lookupTable(name: Colormap): Uint8Array {
  const table = new Uint8Array(3 * 256);
  for (let entry = 0; entry < 256; entry++) {
    const [r, g, b] = bytesOf(colormap(name, entry / 255));
    table.set([r, g, b], 3 * entry);
  }
  return table;
}

function bytesOf(colour: string): [number, number, number] {
  const hex = /^#([0-9a-f]{6})$/i.exec(colour)?.[1];
  if (hex !== undefined) {
    const value = Number.parseInt(hex, 16);
    return [value >> 16, (value >> 8) & 255, value & 255];
  }
  const [r = 0, g = 0, b = 0] = (colour.match(/\d+(\.\d+)?/g) ?? []).map(Number);
  return [r, g, b];
}

/** Colours of lines, one a particle, used in turn (after Tol's muted scheme); none is that of a window. */
export const lineColours = ["#117733", "#882255", "#332288", "#999933", "#44aa99", "#aa4499", "#000000"] as const;

/** Colour of a window's shade by its kind: red and blue as in the paper's Fig. 2a. */
export const windowColours = { biphasic: "#d55e00", ordering: "#0072b2", unknown: "#777777" } as const;
