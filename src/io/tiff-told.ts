/** What is known of a TIFF's frames: their pixels, and what a description adds to them. */
import type { FramePlace, FrameStamp } from "../model/movie.js";
import type { Plane } from "./tiff-decode.js";
import type { TiffIndex } from "./tiff-index.js";
import type { TiffPage } from "./tiff-page.js";

/** A frame's pixels: a page and which of its planes. */
export interface FramePixels {
  readonly page: TiffPage;
  /** Number of the page in the file. */
  readonly number: number;
  readonly plane: Plane;
}

/** Frames by their number; an array, or made when asked for where there are many of one kind. */
export interface FrameList {
  readonly length: number;
  at(number: number): FramePixels | undefined;
}

/** What the description adds to the bare frames; frames may be put in another order by it. */
export interface Told {
  readonly format: string;
  readonly frames: FrameList;
  readonly planes?: readonly FramePlace[];
  readonly channelNames?: readonly string[];
  readonly imageNames?: readonly string[];
  readonly pixelSize_um: number | null;
  readonly pixelSizeSource: string;
  readonly time_s: Float64Array | null;
  readonly timeSource: string;
  readonly frameStamp: FrameStamp;
  readonly start: string | null;
}

/** Frames of which nothing more is told. */
export function plain(format: string, frames: FrameList): Told {
  return {
    format,
    frames,
    pixelSize_um: null,
    pixelSizeSource: "missing",
    time_s: null,
    timeSource: "missing",
    frameStamp: "unknown",
    start: null,
  };
}

/** Says how much of a cut file is missing; `declared` is the number of frames it was to have, null where unknown. */
export function sayCut(index: TiffIndex, frames: number, declared: number | null, warnings: string[]): void {
  const broken = index.pages.filter((page) => !page.whole).length;
  const cut = index.ending?.kind === "cut";
  if (declared !== null && declared > frames) {
    warnings.push(
      cut || broken > 0
        ? `the file is cut off: ${declared - frames} of ${declared} frames are missing, the first ${frames} are used.`
        : `the file says that it holds ${declared} frames but holds ${frames}: ${declared - frames} are missing.`,
    );
  } else if (cut || broken > 0) {
    const missing = broken + (cut ? 1 : 0);
    warnings.push(
      `the file is cut off: at least ${missing} ${missing === 1 ? "frame is" : "frames are"} missing, the first ${frames} are used.`,
    );
  }
}
