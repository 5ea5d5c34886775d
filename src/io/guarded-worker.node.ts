/** The reader's thread: opens files by their path and answers one call after another. See guarded.node.ts. */
import { parentPort } from "node:worker_threads";
import type { MovieFile, Samples } from "../model/movie.js";
import { openPath } from "./bytes.node.js";
import { tellError, type Answer, type Call, type Reply, type ToldMovie } from "./guarded-messages.js";
import { openAny, openMovie, readCycling, type Opened } from "./open.js";
import { frameBuffer } from "./views.js";

/** Memory that a decoder in WebAssembly may grow to. */
const decoderBytes = 768 << 20;

const { grow } = WebAssembly.Memory.prototype;
WebAssembly.Memory.prototype.grow = function (pages: number): number {
  if (this.buffer.byteLength + pages * 65_536 > decoderBytes) throw new RangeError("the decoder is out of memory");
  return grow.call(this, pages);
};

interface Held {
  readonly movie: MovieFile;
  /** What is let go with it. */
  close(): Promise<void>;
}

const held = new Map<number, Held>();
let count = 0;

function hold(movie: MovieFile, close: () => Promise<void>): ToldMovie {
  const number = ++count;
  held.set(number, { movie, close });
  const { read: _, close: __, dataset, ...facts } = movie;
  if (dataset === undefined) return { number, facts };
  const { open: ___, ...told } = dataset;
  return { number, facts, dataset: told };
}

async function answer(call: Call): Promise<Answer> {
  if (call.what === "open" || call.what === "movie") {
    const source = await openPath(call.name);
    try {
      const opened: Opened =
        call.what === "open"
          ? await openAny(source, call.options)
          : { kind: "movie", movie: await openMovie(source, call.options) };
      if (opened.kind === "movie") {
        const { movie } = opened;
        const close = async (): Promise<void> => {
          await movie.close();
          await source.close().catch(() => undefined);
        };
        return { kind: "movie", movie: hold(movie, close) };
      }
      await source.close();
      return opened;
    } catch (error) {
      await source.close().catch(() => undefined);
      throw error;
    }
  }
  if (call.what === "cycling") {
    const sources = await Promise.all(call.names.map((name) => openPath(name)));
    try {
      return { kind: "cycling", cycling: await readCycling(sources, call.options) };
    } finally {
      await Promise.all(sources.map((source) => source.close().catch(() => undefined)));
    }
  }
  const one = held.get(call.movie);
  if (one === undefined) throw new RangeError(`movie ${call.movie} is closed`);
  const { movie } = one;
  if (call.what === "read") {
    const kind = frameBuffer({ width: 0, height: 0, dtype: movie.dtype }).constructor as new (
      buffer: SharedArrayBuffer,
    ) => Samples;
    await movie.read(call.index, new kind(call.into));
    return { kind: "done" };
  }
  if (call.what === "dataset") {
    const whole = await movie.dataset!.open();
    return { kind: "movie", movie: hold(whole, () => whole.close()) };
  }
  held.delete(call.movie);
  await one.close();
  return { kind: "done" };
}

function post(reply: Reply): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
  parentPort!.postMessage(reply);
}

parentPort!.on("message", (call: Call) => {
  answer(call)
    .then((given): Reply => ({ answer: given }))
    .catch((error: unknown): Reply => ({ error: tellError(error) }))
    .then(post)
    .catch((error: unknown) => post({ error: tellError(error) }));
});
