/** Samples of a TDMS channel by number, wherever in the file they stand. */
import { FormatError } from "../model/errors.js";
import type { Samples } from "../model/movie.js";
import { bytesOf, machineIsLittle, swapBytes } from "./byte-order.js";
import { readBytes, type ByteSource } from "./bytes.js";
import type { TdmsRun } from "./tdms-segments.js";

/** Pieces shorter than this are read together with what lies between them. */
const pieceBytes = 1 << 16;
/** So much is read at one time to pick samples from. */
const blockBytes = 1 << 23;

/**
 * Reads samples from number `first` on until `into` is full: in one read where they lie in one piece, else piece by
 * piece, or picked from blocks of at most 8 MiB. Throws FormatError where the file ends before them.
 */
export async function readTdmsSamples(
  source: ByteSource,
  runs: readonly TdmsRun[],
  first: number,
  into: Samples,
  signal?: AbortSignal,
): Promise<void> {
  let done = 0;
  for (let at = runAt(runs, first); done < into.length; at++) {
    const run = runs[at];
    if (run === undefined) throw ended(source, first + done);
    const from = first + done - run.first;
    const count = Math.min(into.length - done, run.perChunk * run.chunks - from);
    const part = into.subarray(done, done + count);
    await readRun(source, run, from, bytesOf(part), into.BYTES_PER_ELEMENT, signal);
    if (run.littleEndian !== machineIsLittle) swapBytes(part);
    done += count;
  }
}

/** Number of the run that holds a sample. */
function runAt(runs: readonly TdmsRun[], sample: number): number {
  let low = 0;
  let high = runs.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (runs[middle]!.first <= sample) low = middle;
    else high = middle - 1;
  }
  return low;
}

async function readRun(
  source: ByteSource,
  run: TdmsRun,
  from: number,
  target: Uint8Array,
  size: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { offset, perChunk, chunkBytes, stride } = run;
  const place = (sample: number): number =>
    offset + Math.floor(sample / perChunk) * chunkBytes + (sample % perChunk) * stride;
  const count = target.length / size;
  let done = 0;
  while (done < count) {
    const start = from + done;
    const left = Math.min(count - done, perChunk - (start % perChunk));
    if (stride === size && (left === count - done || left * size >= pieceBytes)) {
      const piece = target.subarray(done * size, (done + left) * size);
      if ((await source.read(place(start), piece, signal)) < piece.length) throw ended(source, run.first + start);
      done += left;
      continue;
    }
    let last = start + Math.max(1, Math.min(count - done, Math.floor((blockBytes / chunkBytes) * perChunk))) - 1;
    while (last > start && place(last) + size - place(start) > blockBytes) last = start + ((last - start) >> 1);
    const block = await readBytes(source, place(start), place(last) + size - place(start), signal);
    if (block.length < place(last) + size - place(start)) throw ended(source, run.first + start);
    for (let sample = start; sample <= last; sample++, done++) {
      const at = place(sample) - place(start);
      for (let byte = 0; byte < size; byte++) target[done * size + byte] = block[at + byte]!;
    }
  }
}

function ended(source: ByteSource, sample: number): FormatError {
  return new FormatError(`${source.name}: ends before sample ${sample} of the movie. Copy it again.`, {
    path: source.name,
  });
}
