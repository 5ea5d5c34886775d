/** Small HDF5 files of our own making, by the library that also reads them; `earliest` has no checksums. */
import { unzlibSync } from "fflate";
import type { File } from "h5wasm";

let built = 0;

/** The bytes of a file that `fill` has filled. */
export async function hdf5Bytes(
  fill: (file: File) => void,
  version: "earliest" | "latest" = "earliest",
): Promise<Uint8Array> {
  const { File, ready } = await import("h5wasm");
  const { FS } = await ready;
  const name = `/built-${++built}.h5`;
  const file = new File(name, "w", { libver: [version, "latest"] });
  fill(file);
  file.close();
  const bytes = FS.readFile(name).slice();
  FS.unlink(name);
  return bytes;
}

/** Samples of a movie that tell frame, row and column apart. */
export function ramp(frames: number, height: number, width: number): Uint16Array {
  return Uint16Array.from({ length: frames * height * width }, (_, at) => {
    const frame = Math.floor(at / (height * width));
    return 1000 * frame + (at % (height * width));
  });
}

/** What a microscope's program writes: a movie of 8 frames of 20 x 16, its clock, three rows of a potentiostat. */
export function fillOperando(
  file: File,
  extra: { readonly chunks?: number[]; readonly compression?: "gzip" } = {},
): void {
  const frames = 8;
  file.create_dataset({ name: "movie", data: ramp(frames, 20, 16), shape: [frames, 20, 16], dtype: "<H", ...extra });
  const seconds = [0, 10, 20, 30, 40, 180, 190, 200];
  const ticks = seconds.map((second) => 1.6e16 + second * 1e7);
  file.create_dataset({ name: "camera_timing", data: Float64Array.from([...ticks, ...seconds]), shape: [2, frames] });
  file.create_dataset({ name: "potentiostat_value", data: potentiostatRows(), shape: [3, 100] });
}

/** Time, potential and current of a charge and a discharge, in s, V and mA. */
export function potentiostatRows(): Float64Array {
  const row = (value: (at: number) => number): number[] => Array.from({ length: 100 }, (_, at) => value(at));
  return Float64Array.from([
    ...row((at) => 5 + 2 * at),
    ...row((at) => (at < 50 ? 3.6 + at / 100 : 4.1 - (at - 50) / 100)),
    ...row((at) => (at < 50 ? 0.2 : -0.2)),
  ]);
}

/**
 * A file of version "earliest" whose chunks are packed by gzip, packed by LZF instead, as h5py writes them: the chunks
 * are put behind its end. Those whose number, in the order of the file, is in `unpacked` are stored as they are.
 */
export function lzfInstead(bytes: Uint8Array, rank: number, unpacked: readonly number[] = []): Uint8Array {
  const out = [...bytes];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const put = (at: number, value: number, width: number): void => {
    for (let byte = 0; byte < width; byte++) out[at + byte] = Math.floor(value / 2 ** (8 * byte)) % 256;
  };
  const find = (words: string, from: number): number => {
    const codes = [...words].map((letter) => letter.charCodeAt(0));
    for (let at = from; at < bytes.length; at++) if (codes.every((code, step) => bytes[at + step] === code)) return at;
    return -1;
  };
  // The filter's message: u16 number, u16 length of its name, u16 flags, u16 count of values, its name.
  for (let at = find("deflate\0", 0); at >= 0; at = find("deflate\0", at + 1)) put(at - 8, 32000, 2);
  // A leaf of the tree of chunks: key, address, key, ...; a key: u32 bytes, u32 filters left out, u64 a place and one more.
  const entryBytes = 8 + 8 * (rank + 1) + 8;
  let chunk = 0;
  for (let tree = find("TREE\x01\0", 0); tree >= 0; tree = find("TREE\x01\0", tree + 1)) {
    for (let entry = 0; entry < view.getUint16(tree + 6, true); entry++) {
      const key = tree + 24 + entry * entryBytes;
      const address = Number(view.getBigUint64(key + entryBytes - 8, true));
      const plain = unzlibSync(bytes.subarray(address, address + view.getUint32(key, true)));
      const bare = unpacked.includes(chunk++);
      const stored = bare ? [...plain] : packLzf(plain);
      put(key, stored.length, 4);
      if (bare) put(key + 4, 1, 4);
      put(key + entryBytes - 8, out.length, 8);
      for (const byte of stored) out.push(byte);
    }
  }
  // Where the file ends, in the superblock.
  put(40, out.length, 8);
  return Uint8Array.from(out);
}

/** Bytes packed as LZF does: what stood shortly before is repeated, the rest is kept. */
export function packLzf(plain: Uint8Array): number[] {
  const out: number[] = [];
  let kept: number[] = [];
  const flush = (): void => {
    while (kept.length > 0) {
      const run = kept.splice(0, 32);
      out.push(run.length - 1, ...run);
    }
  };
  const seen = new Map<string, number>();
  for (let at = 0; at < plain.length;) {
    const three = plain.subarray(at, at + 3).join();
    const before = seen.get(three);
    seen.set(three, at);
    let length = 0;
    if (before !== undefined && at - before <= 8192 && at + 3 <= plain.length) {
      while (length < 264 && at + length < plain.length && plain[before + length] === plain[at + length]) length++;
    }
    if (length < 3) {
      kept.push(plain[at++]!);
      continue;
    }
    flush();
    const back = at - before! - 1;
    const more = length - 2;
    if (more < 7) out.push((more << 5) | (back >> 8), back & 255);
    else out.push((7 << 5) | (back >> 8), more - 7, back & 255);
    at += length;
  }
  flush();
  return out;
}
