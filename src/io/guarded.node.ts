/**
 * Reading where it can be stopped: files whose format is decoded by code that is not ours are opened in a thread of their
 * own, which is ended when it takes too long, needs too much memory, or is no longer wanted.
 *
 * Limits: 60 s to open a movie, and 1 s more per MiB for a record, which is read whole; 20 s a frame; 2 GiB of objects and
 * 768 MiB for a decoder in WebAssembly.
 */
import { existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { FormatError } from "../model/errors.js";
import type { CyclingFile, OtherFile } from "../model/cycling.js";
import type { MovieFile, Samples } from "../model/movie.js";
import { bytesOf } from "./byte-order.js";
import type { Source } from "./bytes.js";
import { openPath } from "./bytes.node.js";
import { joinWithContext } from "./cycling-context.js";
import { decoderFailed, errorOf, type Answer, type Call, type Reply, type ToldMovie } from "./guarded-messages.js";
import { isForeign, openAny, openMovie, readCycler, readCycling, type Opened, type OpenOptions } from "./open.js";

/** How long the thread may take, and what else stops it. */
export interface GuardOptions extends OpenOptions {
  readonly signal?: AbortSignal | undefined;
  /** To open a movie, or a record of no size. */
  readonly open_s?: number;
  /** To read one frame. */
  readonly frame_s?: number;
  /** Room for objects. */
  readonly objects_MiB?: number;
}

/** Whatever a path holds, in-process where all its code is ours. A movie is to be closed. Throws as `openAny` does. */
export async function openAnyPath(name: string, options: GuardOptions = {}): Promise<Opened> {
  const source = await openPath(name);
  try {
    if (!(await isForeign(source))) {
      const opened = await openAny(source, options);
      if (opened.kind === "movie") return { kind: "movie", movie: withSource(opened.movie, source) };
      await source.close();
      return opened;
    }
  } catch (error) {
    await source.close().catch(() => undefined);
    throw error;
  }
  await source.close();
  return openGuardedAny(name, options);
}

/** The movie of a path, in-process where all its code is ours. Throws as `openMovie` does. */
export async function openMoviePath(name: string, options: GuardOptions = {}): Promise<MovieFile> {
  const source = await openPath(name);
  try {
    if (!(await isForeign(source))) return withSource(await openMovie(source, options), source);
  } catch (error) {
    await source.close().catch(() => undefined);
    throw error;
  }
  await source.close();
  return openGuardedMovie(name, options);
}

/** Cycler's files of one run from opened sources, those decoded by code that is not ours anew by their paths. */
export async function readCyclingSources(sources: readonly Source[], options: GuardOptions = {}): Promise<CyclingFile> {
  const files: (CyclingFile | OtherFile)[] = [];
  for (const source of sources) {
    const foreign = await isForeign(source);
    files.push(await (foreign ? readGuardedCycling([source.name], options) : readCycler(source, options)));
  }
  return joinWithContext(files);
}

function withSource(movie: MovieFile, source: Source): MovieFile {
  return {
    ...movie,
    async close() {
      await movie.close();
      await source.close().catch(() => undefined);
    },
  };
}

/** Opens a movie in a thread of its own, which ends when the movie is closed. Throws as `openMovie` does, and in time. */
export async function openGuardedMovie(name: string, options: GuardOptions = {}): Promise<MovieFile> {
  const opened = await openGuarded("movie", name, options);
  if (opened.kind !== "movie") throw new RangeError(`${name} is ${opened.kind}`);
  return opened.movie;
}

/** Opens whatever a path holds in a thread of its own. Throws as `openAny` does, and in time. */
export function openGuardedAny(name: string, options: GuardOptions = {}): Promise<Opened> {
  return openGuarded("open", name, options);
}

/** Reads cycler's files in a thread of their own, which ends with it. Throws as `readCycling` does, and in time. */
export async function readGuardedCycling(names: readonly string[], options: GuardOptions = {}): Promise<CyclingFile> {
  const url = workerUrl();
  if (url === null) {
    const sources = await Promise.all(names.map((name) => openPath(name)));
    try {
      return await readCycling(sources, options);
    } finally {
      await Promise.all(sources.map((source) => source.close().catch(() => undefined)));
    }
  }
  const file = names.join(", ");
  const thread = startThread(url, file, options.objects_MiB);
  try {
    const limit_s = await openLimit_s(names, options);
    const answer = await thread.ask(
      { what: "cycling", names, options: plainOptions(options) },
      limit_s,
      options.signal,
    );
    if (answer.kind !== "cycling") throw new RangeError(`${file} is ${answer.kind}`);
    return answer.cycling;
  } finally {
    await thread.end();
  }
}

async function openGuarded(what: "open" | "movie", name: string, options: GuardOptions): Promise<Opened> {
  const url = workerUrl();
  if (url === null) {
    const source = await openPath(name);
    const opened: Opened =
      what === "open" ? await openAny(source, options) : { kind: "movie", movie: await openMovie(source, options) };
    if (opened.kind === "movie") return { kind: "movie", movie: withSource(opened.movie, source) };
    await source.close();
    return opened;
  }
  const thread = startThread(url, name, options.objects_MiB);
  try {
    const limit_s = what === "movie" ? (options.open_s ?? open_s) : await openLimit_s([name], options);
    const answer = await thread.ask({ what, name, options: plainOptions(options) }, limit_s, options.signal);
    if (answer.kind === "movie") return { kind: "movie", movie: proxied(thread, answer.movie, options) };
    await thread.end();
    if (answer.kind === "done") throw new RangeError(`${name} was not opened`);
    return answer;
  } catch (error) {
    await thread.end();
    throw error;
  }
}

const open_s = 60;
const frame_s = 20;
const perMiB_s = 1;
const objects_MiB = 2048;

/** A record is read whole: the larger the file, the longer it may take, up to an hour. */
async function openLimit_s(names: readonly string[], options: GuardOptions): Promise<number> {
  const sizes = await Promise.all(names.map(async (name) => (await stat(name).catch(() => null))?.size ?? 0));
  const size_MiB = sizes.reduce((sum, size) => sum + size, 0) / 2 ** 20;
  return Math.min(3600, (options.open_s ?? open_s) + perMiB_s * size_MiB);
}

function plainOptions(options: GuardOptions): OpenOptions {
  const { signal: _, open_s: __, frame_s: ___, objects_MiB: ____, ...plain } = options;
  return plain;
}

/**
 * The thread's program. Run from sources that Node 20 cannot start (.ts, in tests) it is the one last built; where none
 * was built, null: files are then read in-process.
 */
function workerUrl(): URL | null {
  const here = import.meta.url;
  const url = here.endsWith(".ts")
    ? new URL("../../dist/io/guarded-worker.node.js", here)
    : new URL("./guarded-worker.node.js", here);
  return existsSync(fileURLToPath(url)) ? url : null;
}

interface Thread {
  /** Answers come one after another; an abort rejects at once, though the thread may still be busy. */
  ask(call: Call, limit_s: number, signal?: AbortSignal, then?: () => void): Promise<Answer>;
  end(): Promise<void>;
  /** Movies that are open in it. */
  movies: number;
}

function startThread(url: URL, file: string, room_MiB = objects_MiB): Thread {
  const worker = new Worker(url, {
    workerData: {},
    resourceLimits: { maxOldGenerationSizeMb: room_MiB },
    execArgv: [],
    // Libraries write to these what they also throw.
    stdout: true,
    stderr: true,
  });
  worker.unref();
  let dead: Error | null = null;
  let pending: { resolve(reply: Reply): void; reject(error: Error): void } | null = null;
  const die = (error: Error): void => {
    dead ??= error;
    pending?.reject(dead);
    pending = null;
    void worker.terminate();
  };
  worker.on("message", (reply: Reply) => {
    pending?.resolve(reply);
    pending = null;
  });
  worker.on("messageerror", (error) => die(decoderFailed(file, error.message)));
  worker.on("error", (error: Error & { code?: string }) => {
    const reason = error.code === "ERR_WORKER_OUT_OF_MEMORY" ? `it needs more than ${room_MiB} MiB` : error.message;
    die(decoderFailed(file, reason));
  });
  worker.on("exit", (code) => die(decoderFailed(file, `it ended with status ${code}`)));

  const run = async (call: Call, limit_s: number): Promise<Answer> => {
    if (dead !== null) throw dead;
    worker.ref();
    const deadline = setTimeout(() => {
      const limit = `${Number(limit_s.toPrecision(3))} s`;
      const doing = call.what === "read" ? `frame ${call.index} took` : "opening it took";
      die(
        new FormatError(`${file}: ${doing} longer than ${limit} and was stopped. Copy it again, or export it anew.`, {
          path: file,
        }),
      );
    }, limit_s * 1000);
    try {
      const reply = await new Promise<Reply>((resolve, reject) => {
        pending = { resolve, reject };
        // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
        worker.postMessage(call);
      });
      if ("error" in reply) throw errorOf(reply.error, file);
      return reply.answer;
    } finally {
      clearTimeout(deadline);
      worker.unref();
    }
  };
  let queue: Promise<unknown> = Promise.resolve();
  return {
    movies: 0,
    ask(call, limit_s, signal, then) {
      const turn = queue.then(async () => {
        signal?.throwIfAborted();
        const answer = await run(call, limit_s);
        if (signal?.aborted !== true) then?.();
        return answer;
      });
      queue = turn.catch(() => undefined);
      return signal === undefined ? turn : orAborted(turn, signal);
    },
    async end() {
      dead ??= new RangeError(`${file} is closed`);
      pending?.reject(dead);
      pending = null;
      await worker.terminate();
    },
  };
}

function orAborted<T>(turn: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true });
    void turn.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

/** A movie whose frames are read in the thread and come through memory that both share. */
function proxied(thread: Thread, told: ToldMovie, options: GuardOptions): MovieFile {
  thread.movies++;
  const { facts, number, dataset } = told;
  const limit_s = options.frame_s ?? frame_s;
  const samples = facts.width * facts.height * (facts.samplesPerPixel ?? 1);
  let shared: SharedArrayBuffer | null = null;
  let open = true;
  return {
    ...facts,
    ...(dataset === undefined
      ? {}
      : {
          dataset: {
            ...dataset,
            async open() {
              const answer = await thread.ask({ what: "dataset", movie: number }, options.open_s ?? open_s);
              if (answer.kind !== "movie") throw new RangeError("no movie");
              return proxied(thread, answer.movie, options);
            },
          },
        }),
    async read(index: number, into: Samples, signal?: AbortSignal): Promise<void> {
      signal?.throwIfAborted();
      if (!(index >= 0 && index < facts.frames)) throw new RangeError(`frame ${index} of ${facts.frames}`);
      if (into.length !== samples) throw new RangeError(`an array of ${into.length} for ${samples}`);
      const frame = (shared ??= new SharedArrayBuffer(samples * into.BYTES_PER_ELEMENT));
      await thread.ask({ what: "read", movie: number, index, into: frame }, limit_s, signal, () =>
        bytesOf(into).set(new Uint8Array(frame)),
      );
    },
    async close() {
      if (!open) return;
      open = false;
      thread.movies--;
      if (thread.movies === 0) await thread.end();
      else await thread.ask({ what: "close", movie: number }, limit_s).catch(() => undefined);
    },
  };
}
