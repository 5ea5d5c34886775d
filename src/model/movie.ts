/** Images in time: a frame, a movie read one frame at a time, a stretch of it in memory, one image. */

/** The smallest standard type that holds a sample of the file. */
export type Dtype = "uint8" | "int8" | "uint16" | "int16" | "uint32" | "int32" | "float32" | "float64";

/** An array that holds raw samples. */
export type Samples =
  Uint8Array | Int8Array | Uint16Array | Int16Array | Uint32Array | Int32Array | Float32Array | Float64Array;

/** One image as the camera gave it, row by row from the top left. */
export interface Frame {
  readonly time_s: number;
  readonly data: Samples;
}

/** What a frame's time stamp means. Inside ionoscope it is the middle of the exposure or burst. */
export type FrameStamp = "start" | "middle" | "end" | "unknown";

/** Place of a frame where a file holds more than one image (stage position), channel or focus plane; counted from 0. */
export interface FramePlace {
  readonly image: number;
  readonly channel: number;
  readonly slice: number;
  readonly time: number;
}

/** The whole of a recording that is spread over several files, of which one was named. */
export interface Dataset {
  /** Names of its files in their order, without path. */
  readonly files: readonly string[];
  /** Names of files that belong to it and are not there. */
  readonly missing: readonly string[];
  /** Frames of all files that are there. */
  readonly frames: number;
  /** Opens all of it as one movie, to be closed apart from the file that was named. */
  open(): Promise<MovieFile>;
}

/**
 * A movie as its file tells it, frames read one at a time, never held whole.
 * What the file does not say is null: nothing is guessed.
 */
export interface MovieFile {
  /** The file or folder, as named by the user. */
  readonly name: string;
  /** "tiff" | "imagej-tiff" | "ome-tiff" | "micro-manager" | "ndtiff" | "ome-zarr" | "hdf5" | "tdms" | "npy" | "folder" ... */
  readonly format: string;
  readonly width: number;
  readonly height: number;
  readonly frames: number;
  readonly dtype: Dtype;
  /** Samples of a pixel, read together, where frames are in colour; absent for grey. */
  readonly samplesPerPixel?: number;
  /** One entry a frame where frames do not simply follow each other in time; absent where they do. */
  readonly planes?: readonly FramePlace[];
  /**
   * Frames whose pixels are not all in the file (a chunk is missing, say) and read as a fill value, by their numbers;
   * absent where there is none. They are no measurement: an analysis and a conversion leave them out.
   */
  readonly incomplete?: readonly number[];
  /** Names of the channels and of the images (stage positions), by their numbers in `planes`, where the file has them. */
  readonly channelNames?: readonly string[];
  readonly imageNames?: readonly string[];
  /** The whole set, where the file that was named is one of several. */
  readonly dataset?: Dataset;
  readonly pixelSize_um: number | null;
  /** Where the pixel size stands in the file: "OME PhysicalSizeX"; "missing" where it has none. */
  readonly pixelSizeSource: string;
  /** One entry a frame, seconds from the first frame, NaN for one without a stamp; null where the file has no times. */
  readonly time_s: Float64Array | null;
  /** Where the times stand in the file: "OME DeltaT"; "missing" where it has none. */
  readonly timeSource: string;
  readonly frameStamp: FrameStamp;
  /** Civil time of the first frame, ISO 8601, with a zone only where the file has one; null if absent. */
  readonly start: string | null;
  /** Sentences for the user: what was odd, what is missing. */
  readonly warnings: readonly string[];
  /** Raw stored samples of one frame into an array of width*height of the movie's dtype. */
  read(index: number, into: Samples, signal?: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** A movie whose scale and clock are known, from the file or from the user. */
export interface Movie extends MovieFile {
  readonly pixelSize_um: number;
  readonly time_s: Float64Array;
}

/** One image in memory; NaN where nothing is known. */
export interface Image {
  readonly width: number;
  readonly height: number;
  readonly pixelSize_um: number;
  readonly data: Float32Array;
}

/** A stretch of a movie in memory: time x height x width. NaN where the shift brought in no light. */
export interface Stack {
  readonly width: number;
  readonly height: number;
  readonly pixelSize_um: number;
  /** One entry a frame. */
  readonly time_s: Float64Array;
  /** frames * height * width samples. */
  readonly data: Float32Array;
}
