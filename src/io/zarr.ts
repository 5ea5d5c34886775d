/**
 * A Zarr folder as a movie: an image of OME-Zarr, or a bare array of (t, y, x) or (y, x).
 *
 * A bare array has neither scale nor frame times. Its axes are told by their names (dimension_names of version 3,
 * xarray's _ARRAY_DIMENSIONS), else by their number, those of length 1 passed over.
 */
import { FormatError } from "../model/errors.js";
import type { MovieFile } from "../model/movie.js";
import type { FolderSource } from "./bytes.js";
import { isOmeNode, openOmeImage, refuseOmeCollection } from "./ome-zarr.js";
import { seriesNote } from "./time-series.js";
import { isZarrFolder, list, readZarrNode, said, type Json, type ZarrArray } from "./zarr-metadata.js";
import { openStack, type StackAxes } from "./zarr-stack.js";

export { isZarrFolder };

/** Folders of a group that are looked into, to name its arrays. */
const maxNamed = 20;

/**
 * Opens a Zarr folder. Throws FormatError where it holds no single image (a plate, a group of arrays), saying which
 * folder to name instead, and where it is not to be read.
 */
export async function openZarr(folder: FolderSource): Promise<MovieFile> {
  const node = await readZarrNode(folder, "");
  if (node === null) {
    throw fault(folder, "holds no zarr.json, .zarray or .zgroup. Copy it again with its hidden files.");
  }
  if (node.array !== null) return openBare(folder, node.array, node.attributes);
  refuseOmeCollection(folder, node.attributes);
  if (isOmeNode(node)) return openOmeImage(folder, node);
  const arrays: string[] = [];
  for (const name of folder.folders.slice(0, maxNamed)) {
    const below = await readZarrNode(folder, name).catch(() => null);
    if (below !== null && below.array !== null) arrays.push(name);
  }
  const cure =
    arrays.length > 0
      ? `Name one of its arrays: ${arrays
          .slice(0, 8)
          .map((name) => `${folder.name}/${name}`)
          .join(", ")}.`
      : "Name the folder of an OME-Zarr image, or of an array.";
  throw fault(folder, `is a Zarr group without multiscales, so it is no image. ${cure}`);
}

async function openBare(folder: FolderSource, array: ZarrArray, attributes: Json): Promise<MovieFile> {
  const axes = bareAxes(folder, array, attributes);
  const stack = await openStack(folder, "", array, axes.axes);
  const note = stack.planes === undefined ? null : seriesNote(stack.planes);
  const { incomplete, times: _, channels: __, momentOf: ___, ...frames } = stack;
  return {
    ...frames,
    ...(incomplete.length === 0 ? {} : { incomplete }),
    name: folder.name,
    format: "zarr",
    pixelSize_um: null,
    pixelSizeSource: "missing",
    time_s: null,
    timeSource: "missing",
    frameStamp: "unknown",
    start: null,
    warnings: [
      `it is a bare Zarr array without OME metadata: its shape ${said(array.shape)} is taken as ${axes.said}, without pixel size and frame times. If it lies in an OME-Zarr, name the folder above it.`,
      ...(note === null ? [] : [note]),
      ...stack.warnings,
    ],
    close: () => folder.close(),
  };
}

const words = new Map<string, keyof StackAxes>([
  ["t", "t"],
  ["time", "t"],
  ["frame", "t"],
  ["frames", "t"],
  ["c", "c"],
  ["channel", "c"],
  ["z", "z"],
  ["slice", "z"],
  ["y", "y"],
  ["height", "y"],
  ["row", "y"],
  ["x", "x"],
  ["width", "x"],
  ["column", "x"],
  ["col", "x"],
]);

function bareAxes(
  folder: FolderSource,
  { shape, dimensionNames }: ZarrArray,
  attributes: Json,
): { readonly axes: StackAxes; readonly said: string } {
  const names = dimensionNames ?? list(attributes["_ARRAY_DIMENSIONS"]);
  const known = names.map((name) => (typeof name === "string" ? (words.get(name.toLowerCase()) ?? null) : null));
  const numberOf = (axis: keyof StackAxes): number | null => (known.includes(axis) ? known.indexOf(axis) : null);
  const [y, x] = [numberOf("y"), numberOf("x")];
  const distinct = new Set(known).size === known.length && !known.includes(null);
  if (y !== null && x !== null && known.length === shape.length && distinct) {
    return { axes: { t: numberOf("t"), c: numberOf("c"), z: numberOf("z"), y, x }, said: `(${known.join(", ")})` };
  }
  const long = [...shape.keys()].filter((axis) => shape[axis]! > 1);
  const used = long.length < 2 ? [...shape.keys()].slice(-2) : long;
  if (used.length < 2 || used.length > 3) {
    throw fault(
      folder,
      `its shape is ${said(shape)} and its axes are not named; (t, y, x) and (y, x) are read. If it lies in an OME-Zarr, name the folder above it.`,
    );
  }
  const axes = { t: used.at(-3) ?? null, c: null, z: null, y: used.at(-2)!, x: used.at(-1)! };
  return { axes, said: axes.t === null ? "(y, x)" : "(t, y, x)" };
}

function fault(folder: FolderSource, what: string): FormatError {
  return new FormatError(`${folder.name}: ${what}`, { path: folder.name });
}
