/** The threads and the room in which a run works on this machine. */
import { availableParallelism } from "node:os";
import type { Workshop } from "./operation.js";
import { crewsOf, openPool, tasksOf } from "./pool.node.js";
import { newStores } from "./raw-file.node.js";

/** A workshop that is open. */
export interface OpenWorkshop extends Workshop {
  close(): Promise<void>;
}

/** As many threads as the machine runs at once. */
export const allThreads = availableParallelism();

/** Opens a workshop of so many threads; results do not depend on their number. */
export function openWorkshop(threads = allThreads): OpenWorkshop {
  const pool = openPool(threads);
  const stores = newStores();
  return {
    ...(pool === null ? {} : { hire: crewsOf(pool), doTask: tasksOf(pool), hands: threads }),
    store: stores.make,
    async close() {
      stores.close();
      await pool?.close();
    },
  };
}
