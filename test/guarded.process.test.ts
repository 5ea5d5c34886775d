/** Reading in a thread that can be stopped: the same frames, errors whole, deadlines, aborts, and what it costs to fail. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openFile } from "../src/io/bytes.node.js";
import {
  openAnyPath,
  openGuardedAny,
  openGuardedMovie,
  openMoviePath,
  readCyclingSources,
  readGuardedCycling,
} from "../src/io/guarded.node.js";
import { encodeNpy } from "../src/io/npy-write.js";
import { openMovie } from "../src/io/open.js";
import { frameBuffer } from "../src/io/views.js";
import { FormatError, ParameterError } from "../src/model/errors.js";
import type { MovieFile } from "../src/model/movie.js";
import { inspectPath, kindOfPath } from "../src/operations/inspect.node.js";
import { fillOperando, hdf5Bytes, ramp } from "./hdf5-builder.js";

const folder = mkdtempSync(path.join(tmpdir(), "ionoscope-guarded-"));
const operando = path.join(folder, "operando.h5");
const heavy = path.join(folder, "heavy.h5");
const rows = { potentiostatRows: ["time_s", "potential_V", "current_mA"] };

beforeAll(async () => {
  writeFileSync(operando, await hdf5Bytes(fillOperando));
  const [frames, edge] = [3, 2048];
  const data = Uint16Array.from({ length: frames * edge * edge }, (_, at) => Math.imul(at, 2654435761) >>> 20);
  writeFileSync(
    heavy,
    await hdf5Bytes(
      (file) =>
        void file.create_dataset({
          name: "movie",
          data,
          shape: [frames, edge, edge],
          dtype: "<H",
          chunks: [1, edge, edge],
          compression: "gzip",
          compression_opts: [1],
        }),
    ),
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function frame(movie: MovieFile, index: number): Promise<number[]> {
  const into = frameBuffer(movie);
  await movie.read(index, into);
  return Array.from(into);
}

function refusal(work: Promise<unknown>): Promise<Error> {
  return work.then(
    () => new Error("nothing was refused"),
    (error: Error) => error,
  );
}

test("a movie read in the thread has the facts and frames of one read here, asked for one by one or at once", async () => {
  const npy = path.join(folder, "ramp.npy");
  writeFileSync(npy, encodeNpy(ramp(8, 20, 16), [8, 20, 16]));
  for (const name of [operando, npy]) {
    const guarded = await openGuardedMovie(name);
    const here = await openMovie(await openFile(name));
    const { read: _, close: __, ...facts } = guarded;
    const { read: ___, close: ____, ...known } = here;
    expect(facts).toEqual(known);
    const all = await Promise.all([7, 0, 3, 3].map((index) => frame(guarded, index)));
    expect(all).toEqual(await Promise.all([7, 0, 3, 3].map((index) => frame(here, index))));
    await expect(frame(guarded, 8)).rejects.toThrow(RangeError);
    await Promise.all([guarded.close(), here.close()]);
    expect((await refusal(frame(guarded, 0))).message).toMatch(/is closed/);
  }
});

test("records and other files cross as they are", async () => {
  const record = await readGuardedCycling([operando], rows);
  expect([record.format, record.time_s.length, record.potential_V[0]]).toEqual(["operando-hdf5", 100, 3.6]);
  const line = path.join(folder, "line.h5");
  writeFileSync(line, await hdf5Bytes((file) => void file.create_dataset({ name: "line", data: [1, 2, 3] })));
  const opened = await openGuardedAny(line);
  expect(opened.kind === "other" && opened.other.description).toBe("an HDF5 file with /line 3 int32.");
});

test("errors cross whole: message, path, parameter, value", async () => {
  const broken = path.join(folder, "broken.h5");
  writeFileSync(broken, Uint8Array.of(0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a, 99));
  const format = (await refusal(openGuardedMovie(broken))) as FormatError;
  expect(format).toBeInstanceOf(FormatError);
  expect([format.path, format.message.startsWith(`${broken}: `)]).toEqual([broken, true]);
  const wish = (await refusal(openGuardedMovie(operando, { dataset: "/none" }))) as ParameterError;
  expect(wish).toBeInstanceOf(ParameterError);
  expect([wish.parameter, wish.value]).toEqual(["dataset", "/none"]);
  const asked = (await refusal(readGuardedCycling([operando]))) as ParameterError;
  expect([asked.name, asked.parameter]).toEqual(["ParameterError", "potentiostatRows"]);
});

describe("what takes too long is stopped", () => {
  test("an opening, with the file and the limit in the refusal", async () => {
    const soon = { open_s: 0.001 };
    for (const work of [() => openGuardedMovie(heavy, soon), () => readGuardedCycling([operando], soon)]) {
      const error = await refusal(work());
      expect(error).toBeInstanceOf(FormatError);
      expect(error.message).toMatch(/\.h5: opening it took longer than .* s and was stopped/);
    }
  });

  test("a frame; no other is then read", async () => {
    const movie = await openGuardedMovie(heavy, { frame_s: 0.002 });
    const error = await refusal(frame(movie, 1));
    expect(error.message).toMatch(/heavy\.h5: frame 1 took longer than 0\.002 s and was stopped/);
    expect(await refusal(frame(movie, 0))).toBe(error);
    await movie.close();
  });

  test("an abort in the middle of decoding rejects at once, and the movie can still be read", async () => {
    const movie = await openGuardedMovie(heavy);
    const started = performance.now();
    await frame(movie, 0);
    const whole_ms = performance.now() - started;
    const into = frameBuffer(movie).fill(7);
    const control = new AbortController();
    const reading = refusal(movie.read(1, into, control.signal));
    const aborted = performance.now();
    setTimeout(() => control.abort(new Error("no longer wanted")), 1);
    expect((await reading).message).toBe("no longer wanted");
    expect(performance.now() - aborted).toBeLessThan(Math.max(20, whole_ms));
    expect((await frame(movie, 2)).length).toBe(2048 * 2048);
    expect(into.every((sample) => sample === 7)).toBe(true);
    await movie.close();
  });

  test("an abort before or during opening", async () => {
    const control = new AbortController();
    const opening = refusal(openGuardedAny(heavy, { signal: control.signal }));
    setTimeout(() => control.abort(new Error("stop")), 20);
    expect((await opening).message).toBe("stop");
    expect((await refusal(readGuardedCycling([heavy], { signal: control.signal }))).message).toBe("stop");
  });

  test("a thread that runs out of room", async () => {
    const error = await refusal(openGuardedMovie(operando, { objects_MiB: 4 }));
    expect(error).toBeInstanceOf(FormatError);
    expect(error.message).toMatch(/its decoder failed on it \(it needs more than 4 MiB\)/);
  });
});

test("a path is read in the thread where its decoder is foreign, and here where it is ours", async () => {
  expect(await kindOfPath(operando)).toBe("movie");
  expect((await inspectPath(operando)).kind).toBe("movie");
  const movie = await openMoviePath(operando);
  expect((await frame(movie, 1))[0]).toBe(1000);
  await movie.close();
  const opened = await openAnyPath(path.join(folder, "ramp.npy"));
  expect(opened.kind === "movie" && opened.movie.format).toBe("npy");
  if (opened.kind === "movie") await opened.movie.close();
  const source = await openFile(operando);
  expect((await readCyclingSources([source], rows)).format).toBe("operando-hdf5");
  await source.close();
});
