/** Threads beside this one, that do whole stretches of work; without any, the same work is done here. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Piscina } from "piscina";
import type { Crew, Hire } from "../analysis/crew.js";
import type { Ground, LaidFrame } from "../analysis/laid-frames.js";
import type { Sight } from "../analysis/registration.js";
import type * as tasks from "./pool-worker.node.js";
import type { Done, DoTask, Given, TaskName } from "./tasks.js";

type Work = typeof tasks;

/** Threads that are ready. */
export interface Pool {
  readonly threads: number;
  /** Does a task by its name (pool-worker.node.ts); what is given and what comes back is copied, memory that is shared is not. */
  run<Name extends keyof Work>(
    name: Name,
    given: Parameters<Work[Name]>[0],
    signal?: AbortSignal,
  ): Promise<Awaited<ReturnType<Work[Name]>>>;
  close(): Promise<void>;
}

/** A pool of so many threads; null for fewer than two, and where the threads' program was not built: work is done here then. */
export function openPool(threads: number): Pool | null {
  const filename = program();
  if (threads < 2 || filename === null) return null;
  const piscina = new Piscina({
    filename,
    minThreads: threads,
    maxThreads: threads,
    idleTimeout: Infinity,
    execArgv: [],
    // A memory of its own for each is enough; what it prints is this process's.
    atomics: "disabled",
  });
  return {
    threads,
    run: (name, given, signal) => piscina.run(given, signal === undefined ? { name } : { name, signal }),
    close: () => piscina.destroy(),
  };
}

/** The threads' program; run from sources that Node 20 cannot start (.ts, in tests) it is the one last built. */
function program(): string | null {
  const here = import.meta.url;
  const url = here.endsWith(".ts")
    ? new URL("../../dist/operations/pool-worker.node.js", here)
    : new URL("./pool-worker.node.js", here);
  const path = fileURLToPath(url);
  return existsSync(path) ? path : null;
}

let sights = 0;

/** Crews that are the threads of a pool. */
export function crewsOf(pool: Pool): Hire {
  return {
    shares: true,
    crew(given): Crew {
      const id = ++sights;
      const sight = shared(given);
      const grounds = new Map<number, Ground>();
      const stop = new AbortController();
      return {
        lay(ground, frames, guess): Promise<(LaidFrame | null)[]> {
          const own = grounds.get(ground.id) ?? shared(ground);
          grounds.set(ground.id, own);
          return pool.run("lay", { id, sight, ground: own, frames, guess }, stop.signal);
        },
        dismiss: () => stop.abort(),
      };
    },
  };
}

/** Tasks done by the threads of a pool; a run that is stopped ends with its signal's reason. */
export function tasksOf(pool: Pool): DoTask {
  return async <Name extends TaskName>(name: Name, given: Given<Name>, signal?: AbortSignal): Promise<Done<Name>> => {
    try {
      return (await pool.run("task", { name, given }, signal)) as Done<Name>;
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    }
  };
}

/** The same record with its arrays in memory that threads share, so that they are handed on without a copy. */
function shared<T extends Sight | Ground>(record: T): T {
  return sharedValue(record) as T;
}

function sharedValue(value: unknown): unknown {
  if (ArrayBuffer.isView(value)) {
    const view = value as Float32Array;
    const copy = new Uint8Array(new SharedArrayBuffer(view.byteLength));
    copy.set(new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
    const Kind = view.constructor as Float32ArrayConstructor;
    return new Kind(copy.buffer, 0, view.length);
  }
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(sharedValue);
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, sharedValue(one)]));
}
