/** Files larger than memory would like: their holes take no room on disk, and they are opened without being read. */
import { closeSync, ftruncateSync, openSync, rmSync, statfsSync, writeSync } from "node:fs";
import path from "node:path";
import { afterAll, expect, test } from "vitest";
import { openFile } from "../src/io/bytes.node.js";
import type { ByteSource } from "../src/io/bytes.js";
import { openTiff } from "../src/io/tiff.js";
import { scratchFolder } from "./command-line.js";

const GiB = 2 ** 30;
const folder = scratchFolder();
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Sparse {
  readonly name: string;
  readonly frames: number;
  readonly side: number;
  readonly big: boolean;
  /** One directory for all, as ImageJ writes stacks of more than 4 GiB. */
  readonly description?: string;
}

/** A stack of uint16 frames, each behind its directory; the first two pixels of frame n are n as u32. */
function sparseStack({ name, frames, side, big, description }: Sparse): string {
  const file = path.join(folder, name);
  const descriptor = openSync(file, "w");
  const [entryBytes, room] = big ? [20, 8] : [12, 4];
  const single = description !== undefined;
  const tags = single ? 9 : 8;
  const directoryBytes = (big ? 8 : 2) + tags * entryBytes + room;
  const frameBytes = 2 * side * side;
  const first = 16;
  const pixels = (frame: number): number =>
    single ? first + 1024 + frame * frameBytes : first + frame * (directoryBytes + frameBytes) + directoryBytes;
  const directory = (frame: number): Buffer => {
    const bytes = Buffer.alloc(directoryBytes);
    const long = (value: number, at: number): void =>
      void (big ? bytes.writeBigUInt64LE(BigInt(value), at) : bytes.writeUInt32LE(value, at));
    if (big) long(tags, 0);
    else bytes.writeUInt16LE(tags, 0);
    const all: [tag: number, type: number, count: number, value: number][] = [
      [256, 4, 1, side],
      [257, 4, 1, side],
      [258, 3, 1, 16],
      [259, 3, 1, 1],
      [262, 3, 1, 1],
      ...(single ? [[270, 2, description.length + 1, 512] as [number, number, number, number]] : []),
      [273, big ? 16 : 4, 1, pixels(frame)],
      [278, 4, 1, side],
      [279, big ? 16 : 4, 1, frameBytes],
    ];
    for (const [number, [tag, type, count, value]] of all.entries()) {
      const at = (big ? 8 : 2) + number * entryBytes;
      bytes.writeUInt16LE(tag, at);
      bytes.writeUInt16LE(type, at + 2);
      long(count, at + 4);
      long(value, at + entryBytes - room);
    }
    const last = single || frame === frames - 1;
    long(last ? 0 : pixels(frame) + frameBytes, directoryBytes - room);
    return bytes;
  };
  const head = Buffer.alloc(first);
  head.write(big ? "II+\0" : "II*\0", "latin1");
  if (big) {
    head.writeUInt16LE(8, 4);
    head.writeBigUInt64LE(BigInt(first), 8);
  } else head.writeUInt32LE(first, 4);
  writeSync(descriptor, head, 0, first, 0);
  if (single) writeSync(descriptor, Buffer.from(`${description}\0`), 0, description.length + 1, 512);
  const mark = Buffer.alloc(4);
  for (let frame = 0; frame < frames; frame++) {
    if (!single || frame === 0)
      writeSync(descriptor, directory(frame), 0, directoryBytes, pixels(frame) - directoryBytes);
    if (single && frame === 0) writeSync(descriptor, directory(0), 0, directoryBytes, first);
    mark.writeUInt32LE(frame);
    writeSync(descriptor, mark, 0, 4, pixels(frame));
  }
  ftruncateSync(descriptor, pixels(frames - 1) + frameBytes);
  closeSync(descriptor);
  return file;
}

/** Whether the disk has room for so many marks of one block each. */
function hasRoom(blocks: number): boolean {
  const { bavail, bsize } = statfsSync(folder);
  if (bavail * bsize > 2 * blocks * 4096) return true;
  console.warn(`${folder} has no room for ${blocks} blocks: the test is skipped.`);
  return false;
}

async function opened(file: string): Promise<{
  source: ByteSource;
  movie: Awaited<ReturnType<typeof openTiff>>;
  wall_s: number;
  MB: number;
  reads: () => number;
}> {
  const plain = await openFile(file);
  let reads = 0;
  const source: ByteSource = { ...plain, read: (...args) => (reads++, plain.read(...args)) };
  const before_MB = process.memoryUsage().rss / 2 ** 20;
  const start = performance.now();
  const movie = await openTiff(source);
  const wall_s = (performance.now() - start) / 1000;
  return { source, movie, wall_s, MB: process.memoryUsage().rss / 2 ** 20 - before_MB, reads: () => reads };
}

async function expectFrames(
  { movie, reads }: Awaited<ReturnType<typeof opened>>,
  frames: readonly number[],
): Promise<void> {
  const into = new Uint16Array(movie.width * movie.height);
  for (const frame of frames) {
    const before = reads();
    await movie.read(frame, into);
    expect(reads() - before).toBe(1);
    expect(into[0]! + 65_536 * into[1]!).toBe(frame);
    expect(into[2]).toBe(0);
  }
}

test("a BigTIFF of 6 GiB opens in little time and memory, and any frame is one read", async () => {
  const frames = 768;
  const file = sparseStack({ name: "six.tif", frames, side: 2048, big: true });
  const stack = await opened(file);
  expect(stack.source.size).toBeGreaterThan(6 * GiB);
  expect(stack.movie).toMatchObject({ frames, width: 2048, dtype: "uint16", warnings: [] });
  await expectFrames(stack, [0, 1, 400, frames - 1]);
  expect(stack.MB).toBeLessThan(200);
  expect(stack.wall_s).toBeLessThan(2);
  await stack.movie.close();
});

test("a hundred thousand pages scattered over a file are found in little time and memory", async () => {
  const frames = 100_000;
  if (!hasRoom(2 * frames)) return;
  const file = sparseStack({ name: "many.tif", frames, side: 128, big: true });
  const stack = await opened(file);
  expect(stack.movie).toMatchObject({ frames, width: 128, warnings: [] });
  await expectFrames(stack, [0, 1, 65_537, frames - 1]);
  expect(stack.MB).toBeLessThan(200);
  // Two seconds on a machine that does nothing else; the tests share theirs.
  expect(stack.wall_s).toBeLessThan(6);
  await stack.movie.close();
});

test("a stack of ImageJ of 5 GiB has one directory and all its frames", async () => {
  const frames = 640;
  const description = `ImageJ=1.53t\nimages=${frames}\nframes=${frames}\nfinterval=0.5\nunit=micron\n`;
  const file = sparseStack({ name: "five.tif", frames, side: 2048, big: false, description });
  const stack = await opened(file);
  expect(stack.source.size).toBeGreaterThan(5 * GiB);
  expect(stack.movie).toMatchObject({ format: "imagej-tiff", frames, timeSource: "ImageJ finterval", warnings: [] });
  expect(stack.movie.time_s!.at(-1)).toBe(0.5 * (frames - 1));
  await expectFrames(stack, [0, 1, 511, 512, 513, frames - 1]);
  expect(stack.MB).toBeLessThan(200);
  await stack.movie.close();
});
