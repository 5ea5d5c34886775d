/**
 * Frames: how many a second come out of an uncompressed stack, beside geotiff's readRasters and, where Python has it,
 * tifffile; and what it takes to open very large files.
 *
 *     npx rolldown bench/frames.ts --platform node -d dist/bench && node dist/bench/frames.js
 *
 * IONOSCOPE_PYTHON names the Python that has tifffile.
 */
import { execFileSync } from "node:child_process";
import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import path from "node:path";
import { fromFile } from "geotiff";
import { openFile } from "../src/io/bytes.node.js";
import { writeOmeTiff } from "../src/io/ome-tiff-write.js";
import { openMovie } from "../src/io/open.js";

const RUNS = 5;
const SIDE = 512;
const FRAMES = 600;

const folder = mkdtempSync(path.join(tmpdir(), "ionoscope-bench-"));

/** The least time of several runs and the share by which the others exceed it. */
async function timed(run: () => Promise<unknown>): Promise<{ readonly least_s: number; readonly spread: number }> {
  await run();
  const seconds: number[] = [];
  for (let number = 0; number < RUNS; number++) {
    const from = performance.now();
    await run();
    seconds.push((performance.now() - from) / 1000);
  }
  const least_s = Math.min(...seconds);
  return { least_s, spread: Math.max(...seconds) / least_s - 1 };
}

async function stack(file: string): Promise<void> {
  const descriptor = openSync(file, "w");
  const frame = Uint16Array.from({ length: SIDE * SIDE }, (_, at) => (Math.imul(at, 2654435761) >>> 20) & 4095);
  await writeOmeTiff({
    width: SIDE,
    height: SIDE,
    dtype: "uint16",
    pixelSize_um: 0.08,
    time_s: Float64Array.from({ length: FRAMES }, (_, at) => 5 * at),
    start: null,
    frameStamp: "middle",
    frames: Array.from({ length: FRAMES }, () => frame),
    sink: { write: async (bytes, position) => void writeSync(descriptor, bytes, 0, bytes.length, position) },
  });
  closeSync(descriptor);
}

async function ours(file: string): Promise<void> {
  const movie = await openMovie(await openFile(file));
  const into = new Uint16Array(SIDE * SIDE);
  for (let number = 0; number < movie.frames; number++) await movie.read(number, into);
  await movie.close();
}

async function geotiffs(file: string): Promise<void> {
  const tiff = await fromFile(file);
  for (let number = 0; number < FRAMES; number++) await (await tiff.getImage(number)).readRasters();
  tiff.close();
}

const script = `
import sys, time, tifffile
best = 1e9
for run in range(${RUNS + 1}):
    start = time.perf_counter()
    with tifffile.TiffFile(sys.argv[1]) as tif:
        for page in tif.pages:
            page.asarray()
    best = min(best, time.perf_counter() - start)
print(best)
`;

function tifffiles(file: string): number | null {
  try {
    const python = process.env["IONOSCOPE_PYTHON"] ?? "python3";
    return Number(
      execFileSync(python, ["-c", script, file], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }),
    );
  } catch {
    return null;
  }
}

/** A BigTIFF of uint16 frames, each behind its directory, nothing written but the directories. */
function sparse(file: string, frames: number, side: number): void {
  const descriptor = openSync(file, "w");
  const frameBytes = 2 * side * side;
  const directoryBytes = 8 + 8 * 20 + 8;
  const head = Buffer.alloc(16);
  head.write("II+\0\b\0\0\0", "latin1");
  head.writeBigUInt64LE(16n, 8);
  writeSync(descriptor, head, 0, 16, 0);
  for (let frame = 0; frame < frames; frame++) {
    const start = 16 + frame * (directoryBytes + frameBytes);
    const bytes = Buffer.alloc(directoryBytes);
    bytes.writeBigUInt64LE(8n, 0);
    const tags = [
      256,
      side,
      257,
      side,
      258,
      16,
      259,
      1,
      262,
      1,
      273,
      start + directoryBytes,
      278,
      side,
      279,
      frameBytes,
    ];
    for (let tag = 0; tag < 8; tag++) {
      bytes.writeUInt16LE(tags[2 * tag]!, 8 + 20 * tag);
      bytes.writeUInt16LE(16, 10 + 20 * tag);
      bytes.writeBigUInt64LE(1n, 12 + 20 * tag);
      bytes.writeBigUInt64LE(BigInt(tags[2 * tag + 1]!), 20 + 20 * tag);
    }
    const next = frame === frames - 1 ? 0 : start + directoryBytes + frameBytes;
    bytes.writeBigUInt64LE(BigInt(next), directoryBytes - 8);
    writeSync(descriptor, bytes, 0, directoryBytes, start);
  }
  ftruncateSync(descriptor, 16 + frames * (directoryBytes + frameBytes));
  closeSync(descriptor);
}

async function opening(what: string, file: string): Promise<void> {
  const opened = await timed(async () => (await openMovie(await openFile(file))).close());
  const { rss } = process.memoryUsage();
  console.log(
    `${what.padEnd(34)} ${(statSync(file).size / 2 ** 30).toFixed(1)} GiB  ${(1000 * opened.least_s).toFixed(0).padStart(5)} ms ` +
      `(+${(100 * opened.spread).toFixed(0)} %)  ${(rss / 2 ** 20).toFixed(0)} MB resident`,
  );
}

console.log(`${cpus()[0]?.model ?? "unknown processor"}, Node ${process.version}, ${RUNS} runs, least time (spread)`);
try {
  const six = path.join(folder, "six.tif");
  sparse(six, 768, 2048);
  await opening("open 768 frames of 2048 x 2048", six);
  rmSync(six);
  const many = path.join(folder, "many.tif");
  sparse(many, 100_000, 128);
  await opening("open 100,000 scattered frames", many);
  rmSync(many);

  const file = path.join(folder, "stack.ome.tif");
  await stack(file);
  const own = await timed(() => ours(file));
  const line = (name: string, seconds: number, note: string): void =>
    console.log(`${name.padEnd(34)} ${(FRAMES / seconds).toFixed(0).padStart(6)} frames/s  ${note}`);
  line(`ionoscope, ${SIDE} x ${SIDE} uint16`, own.least_s, `(+${(100 * own.spread).toFixed(0)} %)`);
  const theirs = await timed(() => geotiffs(file));
  line(
    "geotiff readRasters",
    theirs.least_s,
    `ionoscope is ${(theirs.least_s / own.least_s).toFixed(1)} times as quick`,
  );
  const python_s = tifffiles(file);
  if (python_s === null) console.log("tifffile: this Python has none");
  else line("tifffile asarray", python_s, `ionoscope is ${(python_s / own.least_s).toFixed(1)} times as quick`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
