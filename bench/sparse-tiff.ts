/** BigTIFFs of uint16 frames of any size that take little room on the disk. */
import { closeSync, ftruncateSync, openSync, writeSync } from "node:fs";

const TAGS = 8;
const DIRECTORY_BYTES = 8 + 20 * TAGS + 8;
const HEAD_BYTES = 16;

/** A directory: a frame of one strip at `strip`, the next directory at `next`, 0 for none. */
function directory(width: number, height: number, strip: number, next: number): Buffer {
  const bytes = Buffer.alloc(DIRECTORY_BYTES);
  bytes.writeBigUInt64LE(BigInt(TAGS), 0);
  const tags = [
    [256, width],
    [257, height],
    [258, 16],
    [259, 1],
    [262, 1],
    [273, strip],
    [278, height],
    [279, 2 * width * height],
  ] as const;
  for (const [at, [tag, value]] of tags.entries()) {
    bytes.writeUInt16LE(tag, 8 + 20 * at);
    bytes.writeUInt16LE(16, 10 + 20 * at);
    bytes.writeBigUInt64LE(1n, 12 + 20 * at);
    bytes.writeBigUInt64LE(BigInt(value), 20 + 20 * at);
  }
  bytes.writeBigUInt64LE(BigInt(next), DIRECTORY_BYTES - 8);
  return bytes;
}

function head(first: number): Buffer {
  const bytes = Buffer.alloc(HEAD_BYTES);
  bytes.write("II+\0\b\0\0\0", "latin1");
  bytes.writeBigUInt64LE(BigInt(first), 8);
  return bytes;
}

/** Frames behind their directories, as microscopes write them; of the frames nothing is written, so they read as zeros. */
export function writeSparse(file: string, frames: number, width: number, height: number): void {
  const descriptor = openSync(file, "w");
  const each = DIRECTORY_BYTES + 2 * width * height;
  writeSync(descriptor, head(HEAD_BYTES), 0, HEAD_BYTES, 0);
  for (let frame = 0; frame < frames; frame++) {
    const at = HEAD_BYTES + frame * each;
    const next = frame === frames - 1 ? 0 : at + each;
    writeSync(descriptor, directory(width, height, at + DIRECTORY_BYTES, next), 0, DIRECTORY_BYTES, at);
  }
  ftruncateSync(descriptor, HEAD_BYTES + frames * each);
  closeSync(descriptor);
}

/** Frames that are shown again and again: `frames` pages that share the strips of the `distinct` ones. */
export function writeShared(
  file: string,
  frames: number,
  width: number,
  height: number,
  distinct: number,
  render: (frame: number) => Uint16Array,
): void {
  const descriptor = openSync(file, "w");
  const strip = 2 * width * height;
  const pages = HEAD_BYTES + distinct * strip;
  writeSync(descriptor, head(pages), 0, HEAD_BYTES, 0);
  for (let frame = 0; frame < distinct; frame++) {
    const samples = render(frame);
    writeSync(
      descriptor,
      new Uint8Array(samples.buffer, samples.byteOffset, strip),
      0,
      strip,
      HEAD_BYTES + frame * strip,
    );
  }
  const directories = Buffer.concat(
    Array.from({ length: frames }, (_, frame) => {
      const next = frame === frames - 1 ? 0 : pages + (frame + 1) * DIRECTORY_BYTES;
      return directory(width, height, HEAD_BYTES + (frame % distinct) * strip, next);
    }),
  );
  writeSync(descriptor, directories, 0, directories.length, pages);
  closeSync(descriptor);
}
