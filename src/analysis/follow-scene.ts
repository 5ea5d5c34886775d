/** A movie read once, in order: each frame laid on the carrier while the next ones are read and others are at work. */
import type { Movie, Samples } from "../model/movie.js";
import type { Crew, Hire } from "./crew.js";
import { samplesOf } from "./frames.js";
import type { LaidFrame, Wanted } from "./laid-frames.js";
import { type Epoch, firstEpoch, isFull, newGathering, nextEpoch } from "./registration-epochs.js";
import type { Reference, View } from "./registration.js";

/** Frames in a row; fewer where they are large, so that all that are held stay within HELD_bytes. */
const ROW = 4;
const HELD_bytes = 96e6;
/** The guess of a row is where the scene lay so many rows before: these may be at work at once. */
const AHEAD = 3;
/** Rows that are being read meanwhile. */
const READ = 2;

/** Frames that go together. */
interface Row {
  readonly first: number;
  readonly frames: readonly Samples[];
  readonly read: Promise<unknown>;
}

/** A row at work, and what it takes to lay it again. */
interface Work {
  readonly row: Row;
  readonly wanted: readonly Wanted[];
  readonly guess: readonly [number, number];
  readonly ground: number;
  readonly laid: Promise<(LaidFrame | null)[]>;
}

/**
 * Lays every frame of a movie on its reference, or on one that takes its place (registration-epochs.ts), and shows each, in
 * order, to `onFrame` with the number of its epoch; its samples are good for that moment alone. Gives the epochs.
 *
 * Rows of frames go to the crew as they are read. A row is sought about the last place known when the row AHEAD of it was done,
 * and a new reference begins with a row, so what is found depends neither on how many work nor on who is done first.
 */
export async function followScene(
  movie: Movie,
  view: View,
  reference: Reference,
  {
    hire,
    asked,
    split,
    signal,
    onFrame,
  }: {
    readonly hire: Hire;
    readonly asked: (frame: number) => boolean;
    readonly split: (frame: number) => boolean;
    readonly signal?: AbortSignal | undefined;
    readonly onFrame: (frame: number, samples: Samples, laid: LaidFrame | null, epoch: number) => void;
  },
): Promise<readonly Epoch[]> {
  const { frames } = movie;
  const epochs = [firstEpoch(reference, view.psf_px)];
  let gathering = newGathering();
  const frameBytes = samplesOf(movie.dtype, 1).BYTES_PER_ELEMENT * movie.width * movie.height;
  const inRow = Math.max(2, Math.min(ROW, Math.floor(HELD_bytes / ((AHEAD + READ) * frameBytes))));
  const rows = Math.ceil(frames / inRow);
  const rooms = Array.from({ length: Math.min(rows, AHEAD + READ) }, () =>
    Array.from({ length: inRow }, () => samplesOf(movie.dtype, movie.width * movie.height, hire.shares)),
  );
  const read = (at: number): Row => {
    const first = at * inRow;
    const room = rooms[at % rooms.length]!.slice(0, Math.min(inRow, frames - first));
    const reading = readInOrder(movie, first, room, signal);
    // Whoever awaits it hears of a failure; this keeps one that nobody awaits from ending the process.
    reading.catch(() => undefined);
    return { first, frames: room, read: reading };
  };
  const reading: Row[] = [];
  const working: Work[] = [];
  let crew: Crew | null = null;
  let place: readonly [number, number] = [0, 0];

  const finish = async (work: Work): Promise<void> => {
    const epoch = epochs.at(-1)!;
    const { row, wanted, guess } = work;
    // What was begun on a reference that has been renewed since is laid again.
    const laid = await (work.ground === epoch.ground.id ? work.laid : crew!.lay(epoch.ground, wanted, guess));
    signal?.throwIfAborted();
    for (const [at, one] of laid.entries()) {
      const frame = row.first + at;
      onFrame(frame, row.frames[at]!, one, epochs.length - 1);
      if (one === null) continue;
      place = [one.x, one.y];
      if (epoch.ground.probe === null) continue;
      gathering.frames.push(frame);
      gathering.shifts.push([one.x, one.y]);
      gathering.gains.push(one.gain);
      gathering.coarse.push(one.coarse);
    }
    if (!isFull(gathering)) return;
    const next = await nextEpoch(movie, view, epoch, gathering, {
      first: reference,
      from: row.first + laid.length,
      signal,
    });
    gathering = newGathering();
    if (next !== null) epochs.push(next);
  };

  try {
    crew = hire.crew(view);
    let next = 0;
    for (let at = 0; at < rows; at++) {
      while (next < rows && next < at + READ) reading.push(read(next++));
      const row = reading.shift()!;
      await row.read;
      if (working.length === AHEAD) await finish(working.shift()!);
      const { ground } = epochs.at(-1)!;
      const wanted = row.frames.map((samples, k) => ({
        samples,
        asked: asked(row.first + k),
        split: split(row.first + k),
      }));
      const guess = place;
      const laid = crew.lay(ground, wanted, guess);
      laid.catch(() => undefined);
      working.push({ row, wanted, guess, ground: ground.id, laid });
      // Let the event loop turn, so that Ctrl-C is heard in a movie that is read without waiting.
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    while (working.length > 0) await finish(working.shift()!);
    return epochs;
  } finally {
    await Promise.allSettled([...reading.map(({ read: one }) => one), ...working.map(({ laid }) => laid)]);
    crew?.dismiss();
  }
}

async function readInOrder(
  movie: Movie,
  first: number,
  frames: readonly Samples[],
  signal?: AbortSignal,
): Promise<void> {
  for (const [at, samples] of frames.entries()) await movie.read(first + at, samples, signal);
}
