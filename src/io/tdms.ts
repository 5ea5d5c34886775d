/**
 * LabVIEW TDMS files that hold a camera's movie, and what others hold.
 *
 * TDMS knows no images: a camera's channel is a row of samples, frame after frame, and properties tell their size.
 *
 *     group / channel     fast axis (width)   slow axis (height)      frames per second
 *     img / cam1          "Image size 2"      "Image size"            "Effective frame rate"    recorded
 *     group / 0           "Width"             "Heigth" or "Height"    "FPS"                     after drift correction
 *     Image / Image       "dimy"              "dimx"                  not told
 *
 * Properties may stand at the channel, its group or the file. Of the first layout, public scripts for iSCAT (EPFL, both
 * ways; Cambridge) unfold samples as (frames, "Image size", "Image size 2"); of the third, TDMSExplorer does as
 * (frames, dimx, dimy). The layout of the segments stands in tdms-segments.ts.
 */
import type { OtherFile } from "../model/cycling.js";
import { FormatError } from "../model/errors.js";
import type { Dtype, MovieFile, Samples } from "../model/movie.js";
import { isFolder, type ByteSource, type Source } from "./bytes.js";
import { civilText, fromUnixTime } from "./civil-time.js";
import { daqmxType, tdmsSampleBytes, type TdmsValue } from "./tdms-metadata.js";
import { isTdms, readTdms, type TdmsFile, type TdmsObject } from "./tdms-segments.js";
import { readTdmsSamples } from "./tdms-samples.js";
import { maxFrames } from "./tiff-index.js";
import { seriesNote } from "./time-series.js";

/** Properties that tell how a channel of samples is unfolded to frames; names without regard to case. */
interface Layout {
  readonly width: readonly string[];
  readonly height: readonly string[];
  readonly rate: readonly string[];
  /** What to say where frames are not square and the names leave a doubt. */
  readonly doubt: boolean;
}

const layouts: readonly Layout[] = [
  { width: ["Image size 2"], height: ["Image size"], rate: ["Effective frame rate", "FPS"], doubt: true },
  { width: ["Width"], height: ["Heigth", "Height"], rate: ["FPS", "Effective frame rate"], doubt: false },
  { width: ["dimy"], height: ["dimx"], rate: ["FPS"], doubt: true },
];

/** A channel that holds frames. */
interface Camera {
  readonly object: TdmsObject;
  readonly width: Property;
  readonly height: Property;
  readonly rate: Property | null;
  readonly doubt: boolean;
}

interface Property {
  readonly name: string;
  readonly value: number;
  /** 2 channel, 1 group, 0 file. */
  readonly level: number;
}

const dtypes = new Map<number, Dtype>([
  [0x01, "int8"],
  [0x02, "int16"],
  [0x03, "int32"],
  [0x05, "uint8"],
  [0x06, "uint16"],
  [0x07, "uint32"],
  [0x09, "float32"],
  [0x0a, "float64"],
  [0x19, "float32"],
  [0x1a, "float64"],
  [0x21, "uint8"],
]);

const typeNames = new Map<number, string>([
  [0x04, "64-bit integers"],
  [0x08, "64-bit integers"],
  [0x0b, "extended floats"],
  [0x1b, "extended floats"],
  [0x20, "texts"],
  [0x44, "time stamps"],
  [0x08000c, "complex numbers"],
  [0x10000d, "complex numbers"],
  [daqmxType, "raw samples of a DAQmx device"],
]);

const maxSide = 1 << 20;
const maxFrameBytes = 1 << 30;

/** Whether a source is a TDMS file with a channel whose properties tell the size of images. */
export async function isTdmsMovie(head: Uint8Array, source: Source): Promise<boolean> {
  if (isFolder(source) || !isTdms(head)) return false;
  try {
    return camerasOf(await readTdms(source)).length > 0;
  } catch (error) {
    if (error instanceof FormatError) return false;
    throw error;
  }
}

/**
 * Opens a TDMS file as a movie. Cameras of one size and type are channels of it. Frames are read by position, one read
 * where a frame's samples lie in one piece, gathered where they do not. Times are those of the frame rate; where none
 * is told, or 0, there are none. A file that is cut off is used up to the cut.
 * Throws FormatError where no channel holds a whole frame of a type that is read.
 */
export async function openTdms(source: Source): Promise<MovieFile> {
  if (isFolder(source)) throw new RangeError(`${source.name} is a folder`);
  const found = camerasOf(await readTdms(source)).map(({ object }) => nameOf(object));
  const file = await readTdms(source, (path) => found.includes(path.join("\0")));
  const warnings = [...file.warnings];
  const cameras = sameCameras(source, camerasOf(file), warnings);
  const [first] = cameras as [Camera, ...Camera[]];
  const [width, height] = [first.width.value, first.height.value];
  const dtype = dtypes.get(first.object.type!)!;
  const frameSamples = width * height;
  const shots = cameras.flatMap((camera, channel) =>
    Array.from({ length: Math.floor(camera.object.samples / frameSamples) }, (_, time) => ({ camera, channel, time })),
  );
  if (shots.length === 0) {
    throw fault(
      source,
      `${said(first.object)} holds ${first.object.samples} samples, a frame of ${width} x ${height} px has ${frameSamples}. Record it again.`,
    );
  }
  if (shots.length > maxFrames) throw fault(source, `it claims ${shots.length} frames, more than ${maxFrames}.`);
  shots.sort((a, b) => a.time - b.time || a.channel - b.channel);
  for (const { object } of cameras) {
    const rest = object.samples % frameSamples;
    if (rest > 0)
      warnings.push(`${said(object)} ends ${rest} samples into a frame of ${frameSamples}: they are left out.`);
  }
  if (first.doubt && width !== height) {
    warnings.push(
      `frames are taken as ${width} px wide ("${first.width.name}") and ${height} px high ("${first.height.name}"), ` +
        "as public readers of this layout do; the file itself does not say which is which.",
    );
  }
  const planes = shots.map(({ channel, time }) => ({ image: 0, channel, slice: 0, time }));
  const note = seriesNote(planes);
  if (note !== null) warnings.push(note);
  const times = timesOf(
    first,
    planes.map(({ time }) => time),
    warnings,
  );
  return {
    name: source.name,
    format: "tdms",
    width,
    height,
    frames: shots.length,
    dtype,
    ...(cameras.length > 1 ? { planes, channelNames: cameras.map(({ object }) => object.path[1]!) } : {}),
    pixelSize_um: null,
    pixelSizeSource: "missing",
    ...times,
    frameStamp: "unknown",
    start: startOf(first.object),
    warnings,
    async read(index: number, into: Samples, signal?: AbortSignal): Promise<void> {
      signal?.throwIfAborted();
      const shot = shots[index];
      if (shot === undefined) throw new RangeError(`frame ${index} of ${shots.length}`);
      if (into.length !== frameSamples) throw new RangeError(`an array of ${into.length} for ${frameSamples}`);
      await readTdmsSamples(source, shot.camera.object.runs, shot.time * frameSamples, into, signal);
    },
    close: () => source.close(),
  };
}

/** Reads a TDMS file without images for what it is: its groups and channels in words. */
export async function readTdmsOther(source: ByteSource): Promise<OtherFile> {
  const file = await readTdms(source);
  const groups = new Map<string, TdmsObject[]>();
  for (const object of file.objects) {
    const [group, channel] = object.path;
    if (group === undefined) continue;
    const channels = groups.get(group) ?? [];
    groups.set(group, channels);
    if (channel !== undefined) channels.push(object);
  }
  const channels = [...groups.values()].flat();
  const parts = [...groups].map(
    ([group, own]) => `group "${short(group)}" with ${own.length === 0 ? "no channel" : listed(own.map(inWords))}`,
  );
  const warnings = [...file.warnings];
  const likely = channels.filter((object) => looksCycled(object)).map(inWords);
  if (likely.length > 0) {
    warnings.push(
      `${listed(likely)} ${likely.length === 1 ? "is" : "are"} named or scaled like time, voltage or current: what they are ` +
        "to the cell is not told. Export a cycler's record as CSV.",
    );
  }
  return {
    name: source.name,
    format: "tdms",
    description: `a LabVIEW TDMS file without the size of any image: ${listed(parts, "; ") || "no group"}.`,
    rows: channels.reduce((most, { samples }) => Math.max(most, samples), 0),
    columns: channels.map(({ path }) => path[1]!),
    warnings,
  };
}

const listedAtMost = 12;

function listed(parts: readonly string[], by = ", "): string {
  const more = parts.length - listedAtMost;
  return parts.slice(0, listedAtMost).join(by) + (more > 0 ? ` and ${more} more` : "");
}

function inWords({ path, samples, type }: TdmsObject): string {
  const kind =
    type === daqmxType
      ? "raw samples of a DAQmx device"
      : `${samples} ${typeNames.get(type ?? -1) ?? (samples === 1 ? "value" : "values")}`;
  return `"${short(path[1]!)}" (${kind})`;
}

function short(name: string): string {
  return name.length > 60 ? `${name.slice(0, 60)}...` : name;
}

function looksCycled({ path, properties }: TdmsObject): boolean {
  const unit = [...properties].find(([name]) => /^(unit_string|unit)$/i.test(name))?.[1];
  const byUnit = typeof unit === "string" && /^(m?V|[mµu]?A|[mµu]?Ah|s|h|Volts?|Amps?)$/i.test(unit.trim());
  return byUnit || /\b(time|volt(age)?|potential|current|charge|capacity|E?we|I|U|V)\b/i.test(path[1] ?? "");
}

/** Channels whose properties, or those of group or file, tell the size of images. */
function camerasOf({ objects }: TdmsFile): Camera[] {
  const byName = new Map(objects.map((object) => [nameOf(object), object]));
  const file = propertiesOf(byName.get(""));
  const groups = new Map<string, Properties>();
  const found: Camera[] = [];
  for (const object of objects) {
    if (object.path.length !== 2 || object.type === null) continue;
    const group = groups.get(object.path[0]!) ?? propertiesOf(byName.get(object.path[0]!));
    groups.set(object.path[0]!, group);
    const above = [file, group, propertiesOf(object)];
    for (const { width, height, rate, doubt } of layouts) {
      const [w, h] = [property(above, width), property(above, height)];
      if (w === null || h === null || !isSide(w.value) || !isSide(h.value)) continue;
      found.push({ object, width: w, height: h, rate: property(above, rate), doubt });
      break;
    }
  }
  // Sizes of a group or of the file are meant for its images, not for the channels of other kinds beside them.
  const own = found.filter(({ width, height }) => width.level === 2 && height.level === 2);
  if (own.length > 0) return own;
  const holding = found.filter(({ object, width, height }) => object.samples >= width.value * height.value);
  const known = holding.filter(({ object }) => /^(cam|im(a?g|age)|frame|movie|video|0$)/i.test(object.path[1]!));
  if (known.length > 0) return known;
  const most = holding.reduce((samples, { object }) => Math.max(samples, object.samples), 0);
  return holding.filter(({ object }) => object.samples === most).slice(0, 1);
}

function nameOf({ path }: TdmsObject): string {
  return path.join("\0");
}

function said({ path }: TdmsObject): string {
  return `channel "${short(path[1]!)}" of group "${short(path[0]!)}"`;
}

/** Properties by their names in lower case: a file may have many, and each channel asks for a few. */
type Properties = ReadonlyMap<string, { readonly name: string; readonly value: TdmsValue }>;

function propertiesOf(object: TdmsObject | undefined): Properties {
  return new Map([...(object?.properties ?? [])].map(([name, value]) => [name.trim().toLowerCase(), { name, value }]));
}

/** The nearest property of one of the names; null where it is absent or no number. */
function property(above: readonly Properties[], names: readonly string[]): Property | null {
  for (let level = above.length - 1; level >= 0; level--) {
    for (const wanted of names) {
      const found = above[level]?.get(wanted.toLowerCase());
      const value = found === undefined ? null : numberOf(found.value);
      if (found !== undefined && value !== null) return { name: found.name.trim(), value, level };
    }
  }
  return null;
}

function numberOf(value: TdmsValue): number | null {
  if (typeof value === "number") return value;
  if (typeof value !== "string" || value.trim() === "") return null;
  const number = Number(value.trim().replace(",", "."));
  return Number.isNaN(number) ? null : number;
}

function isSide(value: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= maxSide;
}

/** The first camera and those like it; throws where it cannot be read. */
function sameCameras(source: ByteSource, cameras: readonly Camera[], warnings: string[]): Camera[] {
  const first = cameras.find(({ object }) => object.samples > 0) ?? cameras[0];
  if (first === undefined) throw fault(source, "changed while it was read.");
  const { type } = first.object;
  if (type === null || !dtypes.has(type)) {
    const what = typeNames.get(type ?? -1) ?? `samples of type ${type}`;
    throw fault(
      source,
      `${said(first.object)} holds ${what}; whole numbers up to 32 bits and floats are read. Export the movie as TIFF.`,
    );
  }
  const bytes = first.width.value * first.height.value * tdmsSampleBytes(type)!;
  if (bytes > maxFrameBytes) {
    throw fault(
      source,
      `claims frames of ${first.width.value} x ${first.height.value} px, more than any camera takes. Record it again.`,
    );
  }
  const same = cameras.filter(
    ({ object, width, height }) =>
      object.type === type &&
      width.value === first.width.value &&
      height.value === first.height.value &&
      object.samples > 0,
  );
  const others = cameras.filter((camera) => camera !== first && !same.includes(camera));
  if (others.length > 0) {
    const names = listed(others.map(({ object }) => said(object)));
    warnings.push(`${names} differs in size or type from the first camera, or is empty: left out.`);
  }
  return same.length === 0 ? [first] : same;
}

function timesOf(
  { rate }: Camera,
  numbers: readonly number[],
  warnings: string[],
): { time_s: Float64Array | null; timeSource: string } {
  if (rate !== null && rate.value > 0 && Number.isFinite(rate.value)) {
    return {
      time_s: Float64Array.from(numbers, (number) => number / rate.value),
      timeSource: `TDMS ${rate.name}`,
    };
  }
  if (rate !== null) warnings.push(`the file's "${rate.name}" is ${rate.value}: when frames were taken is unknown.`);
  return { time_s: null, timeSource: "missing" };
}

/** When a waveform begins, which a channel tells by a property of its own; null where it was not set. */
function startOf({ properties }: TdmsObject): string | null {
  const stamp = properties.get("wf_start_time");
  if (typeof stamp !== "object" || stamp === null) return null;
  const { stamp_ms } = stamp;
  return stamp_ms > Date.UTC(1970) && stamp_ms < Date.UTC(2200) ? civilText(fromUnixTime(stamp_ms / 1000)) : null;
}

function fault(source: ByteSource, what: string): FormatError {
  return new FormatError(`${source.name}: ${what}`, { path: source.name });
}
