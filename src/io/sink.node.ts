/** Files of this machine as sinks: written beside their final name and renamed when whole. */
import { open, rename, rm } from "node:fs/promises";
import type { Sink } from "./ome-tiff-write.js";

/**
 * Writes a file from a sink's calls. It appears under its name whole or not at all: until then it is
 * `NAME.partial-PID`, which is removed where the work, or the check of what was written, throws.
 */
export async function writeThroughSink(
  name: string,
  work: (sink: Sink) => Promise<void>,
  check: (draft: string) => Promise<void> = async () => {},
): Promise<void> {
  const draft = `${name}.partial-${process.pid}`;
  const handle = await open(draft, "w");
  try {
    await work({
      async write(bytes, position) {
        for (let done = 0; done < bytes.length;) {
          done += (await handle.write(bytes, done, bytes.length - done, position + done)).bytesWritten;
        }
      },
    });
    await handle.close();
    await check(draft);
    await rename(draft, name);
  } catch (error) {
    await handle.close().catch(() => undefined);
    await rm(draft, { force: true });
    throw error;
  }
}
