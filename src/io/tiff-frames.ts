/** The frames of one TIFF before a description is read: the pages like the first, each of its planes a frame. */
import { FormatError } from "../model/errors.js";
import type { MovieFile, Samples } from "../model/movie.js";
import type { ByteSource } from "./bytes.js";
import { layoutDtype, layoutRefusal, readPlane, type Plane } from "./tiff-decode.js";
import { indexTiff, maxFrames, type IndexOptions, type TiffIndex } from "./tiff-index.js";
import type { TiffPage } from "./tiff-page.js";
import type { FramePixels } from "./tiff-told.js";

/** A file's pages, and the frames that they hold in the order of the chain. */
export interface TiffFrames {
  readonly index: TiffIndex;
  readonly bare: readonly FramePixels[];
  /** Samples of a pixel that are read together: more than 1 where frames are in colour. */
  readonly colours: number;
}

/** Reads the pages of a file. Throws FormatError where none can be read, or where they claim too many frames. */
export async function tiffFrames(
  source: ByteSource,
  warnings: string[],
  options: IndexOptions = {},
): Promise<TiffFrames> {
  const index = withoutLeadingThumbnails(await indexTiff(source, options), warnings);
  const first = index.pages[0]!;
  const refusal = layoutRefusal(first.layout);
  if (refusal !== null) throw fault(source, refusal);
  if (!first.whole) {
    throw fault(source, `is cut off inside its first frame, after ${source.size} bytes. Copy it again.`);
  }
  const pages = usablePages(index, warnings);
  const planes = planesOf(first, warnings);
  if (pages.length * planes.length > maxFrames) {
    throw fault(source, `it claims ${pages.length * planes.length} frames, more than ${maxFrames}. Export it again.`);
  }
  const bare = pages.flatMap((number) => {
    return planes.map((plane): FramePixels => ({ page: index.pages[number]!, number, plane }));
  });
  const { samplesPerPixel } = first.layout;
  return { index, bare, colours: planes[0]!.sample === null && samplesPerPixel > 1 ? samplesPerPixel : 1 };
}

/** What every frame of a movie has in common, as its first page lays it out. */
export function frameKind({
  index,
  colours,
}: Pick<TiffFrames, "index" | "colours">): Pick<MovieFile, "width" | "height" | "dtype" | "samplesPerPixel"> {
  const { layout } = index.pages[0]!;
  return {
    width: layout.width,
    height: layout.height,
    dtype: layoutDtype(layout),
    ...(colours > 1 ? { samplesPerPixel: colours } : {}),
  };
}

/** Raw samples of one frame; throws FormatError where a grey one is asked of a file in colour. */
export async function readFrame(
  { index, colours }: Pick<TiffFrames, "index" | "colours">,
  frame: FramePixels,
  into: Samples,
  signal?: AbortSignal,
): Promise<void> {
  signal?.throwIfAborted();
  const { width, height } = frame.page.layout;
  if (colours > 1 && into.length === width * height) {
    throw fault(index.source, `frames are in colour, ${colours} samples a pixel. Export the movie as grey.`);
  }
  await readPlane(index, frame.page, frame.plane, into, signal);
}

function fault(source: ByteSource, what: string): FormatError {
  return new FormatError(`${source.name}: ${what}`, { path: source.name });
}

/** The index from its first page in full size on: some programs put a thumbnail before it. */
function withoutLeadingThumbnails(index: TiffIndex, warnings: string[]): TiffIndex {
  const first = index.pages.findIndex(({ reduced }) => !reduced);
  if (first < 1) return index;
  warnings.push(`${first === 1 ? "1 thumbnail" : `${first} thumbnails`} before the first image left out.`);
  return { ...index, pages: index.pages.slice(first) };
}

/** Numbers of the pages like the first, up to where the file is cut; what is left out is said. */
function usablePages(index: TiffIndex, warnings: string[]): number[] {
  const first = index.pages[0]!;
  const kept: number[] = [];
  let others = 0;
  for (const [number, page] of index.pages.entries()) {
    if (!page.whole) break;
    if (sameKind(page, first)) kept.push(number);
    else others++;
  }
  if (others > 0) {
    const pages = others === 1 ? "1 page" : `${others} pages`;
    warnings.push(`${pages} of another size or type than the first (a thumbnail, say) left out.`);
  }
  if (index.ending !== null && index.ending.kind !== "cut") {
    const before = kept.length === 1 ? "page before is" : "pages before are";
    warnings.push(`${index.ending.because}: the ${kept.length} ${before} used.`);
  }
  return kept;
}

/** Whether two pages are alike in all that matters to a movie. */
export function sameKind(page: TiffPage, first: TiffPage): boolean {
  const [a, b] = [page.layout, first.layout];
  if (page.reduced !== first.reduced) return false;
  if (a === b) return true;
  return (
    a.width === b.width &&
    a.height === b.height &&
    a.depth === b.depth &&
    a.samplesPerPixel === b.samplesPerPixel &&
    a.bitsPerSample === b.bitsPerSample &&
    a.sampleFormat === b.sampleFormat &&
    a.photometric === b.photometric &&
    a.separate === b.separate &&
    a.extraSamples === b.extraSamples &&
    layoutRefusal(a) === null
  );
}

/** The planes of a page that are frames of their own. */
function planesOf({ layout }: TiffPage, warnings: string[]): Plane[] {
  const { photometric, samplesPerPixel, depth } = layout;
  if (photometric === 0) warnings.push("white is zero in this file: stored values fall where the image is brighter.");
  if (photometric === 3) warnings.push("the file has a palette: its stored indices are taken as grey values.");
  if (photometric === 32803) warnings.push("the file is a colour mosaic: neighbouring pixels see different colours.");
  if (depth > 1) {
    warnings.push(`a page holds ${depth} planes in depth: they are taken as frames, in order.`);
    return Array.from({ length: depth }, (_, z) => ({ z, sample: null }));
  }
  if (samplesPerPixel === 1) return [{ z: 0, sample: null }];
  if (photometric > 1 && photometric !== 3) {
    warnings.push(
      `frames are in colour, ${samplesPerPixel} samples a pixel: an analysis needs a grey movie. Export it as grey.`,
    );
    return [{ z: 0, sample: null }];
  }
  const alpha = layout.extraSamples.split(",").filter((kind) => kind === "1" || kind === "2").length;
  const grey = Math.max(1, samplesPerPixel - alpha);
  if (alpha > 0) warnings.push("the file has a channel of transparency: it is left out.");
  if (grey > 1) warnings.push(`a page holds ${grey} planes of samples: they are taken as frames, in order.`);
  return Array.from({ length: grey }, (_, sample) => ({ z: 0, sample }));
}
