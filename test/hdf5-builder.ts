/** Small HDF5 files of our own making, by the library that also reads them; `earliest` has no checksums. */
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
