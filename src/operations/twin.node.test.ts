import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, expect, test } from "vitest";
import { openFile } from "../io/bytes.node.js";
import { openMovie, readCycling } from "../io/open.js";
import { FormatError, ParameterError } from "../model/errors.js";
import { scenarios } from "../physics/scenarios.js";
import { makeTwin } from "./twin.js";
import { openTwin, readScenario, scenarioNames, standardScenario, writeTwin } from "./twin.node.js";

const root = await mkdtemp(path.join(tmpdir(), "ionoscope-twin-"));
afterAll(() => rm(root, { recursive: true, force: true }));

const cycle = scenarios["paper-cycle"]!;
const small = {
  ...cycle,
  movie: { ...cycle.movie, width: 100, height: 96, frames: 12, dropped: [5], late_s: 0.4, pixelSize_um: 0.16 },
};

test("a twin is written as an ordinary folder whose files read back as the twin", async () => {
  const dir = path.join(root, "demo");
  const frames: number[] = [];
  await writeTwin(small, 21, dir, { onFrame: (done, total) => frames.push(done / total) });
  expect(frames).toHaveLength(11);
  expect(frames.at(-1)).toBe(1);
  expect((await readdir(dir)).sort()).toEqual(["cycling.csv", "movie.ome.tif", "truth", "truth.json"]);

  const made = makeTwin(small, 21);
  const movie = await openMovie(await openFile(path.join(dir, "movie.ome.tif")));
  expect([movie.width, movie.height, movie.frames, movie.dtype, movie.frameStamp]).toEqual([
    100,
    96,
    11,
    "uint16",
    "middle",
  ]);
  expect(movie.pixelSize_um).toBeCloseTo(0.16, 9);
  for (const [index, time_s] of movie.time_s!.entries()) {
    expect(time_s).toBeCloseTo(made.acquisition.time_s[index]!, 6);
  }
  const read = new Uint16Array(100 * 96);
  const drawn = new Uint16Array(100 * 96);
  for (const index of [0, 5, 10]) {
    await movie.read(index, read);
    made.read(index, drawn);
    expect(read).toEqual(drawn);
  }
  await movie.close();

  const table = await openFile(path.join(dir, "cycling.csv"));
  const cycling = await readCycling([table]);
  await table.close();
  expect(cycling.time_s).toHaveLength(made.cycling!.time_s.length);
  expect(cycling.current_mA[200]).toBeCloseTo(made.cycling!.current_mA[200]!, 9);
  // One clock, to the millisecond: the record begins a minute before the movie.
  const start_ms = Date.parse(movie.start!) - Date.parse(cycling.start!);
  expect(movie.start).toMatch(/Z$/);
  expect(start_ms).toBe(60_000);
});

test("the truth names its maps, the scenario and the seed, and makes the same twin again", async () => {
  const truth = JSON.parse(await readFile(path.join(root, "demo", "truth.json"), "utf8")) as {
    seed: number;
    scenario: unknown;
    ionoscope: string;
    drift: { x_px: number[] };
    fronts: { map: string; width: number; height: number; transition: number }[];
    kinetics: { t50_s: number }[];
    transitions: unknown[];
    mechanisms: { kind: string }[];
  };
  expect(truth.seed).toBe(21);
  expect(truth.ionoscope).toMatch(/^\d+\.\d+\.\d+$/);
  expect(truth.scenario).toEqual(small);
  expect(truth.drift.x_px).toEqual([...makeTwin(truth.scenario, truth.seed).acquisition.x_px]);
  expect(truth.mechanisms.map(({ kind }) => kind)).toEqual(["core", "wave"]);
  expect(truth.transitions).toHaveLength(2);
  for (const { map, width, height } of truth.fronts) {
    const bytes = await readFile(path.join(root, "demo", ...map.split("/")));
    expect(bytes.subarray(0, 6).toString("latin1")).toBe("\x93NUMPY");
    expect(bytes.toString("latin1", 10, 128)).toContain(
      `'<f4', 'fortran_order': False, 'shape': (${height}, ${width})`,
    );
  }
});

test("a twin replaces its own folder, never another's, and leaves nothing half done when it is stopped", async () => {
  const tiny = { movie: { width: 32, height: 32, frames: 20 }, particles: [] };
  const own = path.join(root, "own");
  await writeTwin(tiny, 1, own);
  await writeTwin(tiny, 2, own);
  expect((JSON.parse(await readFile(path.join(own, "truth.json"), "utf8")) as { seed: number }).seed).toBe(2);
  const foreign = path.join(root, "foreign");
  await writeTwin(tiny, 1, foreign);
  await rm(path.join(foreign, "truth.json"));
  await expect(writeTwin(tiny, 1, foreign)).rejects.toThrow(ParameterError);
  const stop = new AbortController();
  const stopped = path.join(root, "stopped");
  await expect(
    writeTwin(tiny, 1, stopped, { signal: stop.signal, onFrame: (done) => done === 3 && stop.abort() }),
  ).rejects.toThrow();
  expect((await readdir(root)).sort()).toEqual(["demo", "foreign", "own"]);
});

test("a scenario is found by its name or read from a JSON file; anything else is refused", async () => {
  expect(await readScenario(standardScenario)).toBe(scenarios[standardScenario]);
  expect(scenarioNames().map(({ name }) => name)).toEqual(Object.keys(scenarios));
  for (const { summary } of scenarioNames()) expect(summary).toMatch(/\.$/);
  const file = path.join(root, "mine.json");
  await writeFile(file, `\uFEFF${JSON.stringify(small)}`);
  expect(await readScenario(file)).toEqual(small);
  await writeFile(file, "{ summary: 1 }");
  await expect(readScenario(file)).rejects.toThrow(FormatError);
  await expect(readScenario("plain")).rejects.toThrow(
    /there is no scenario plain and no such file\. Scenarios are .*plane/,
  );
  await expect(readScenario("toString")).rejects.toThrow(ParameterError);
});

test("a recipe's twin opens as an experiment", async () => {
  const opened = await openTwin({ scenario: "inert", seed: 3 });
  expect(await opened.hashing.inputs()).toEqual([]);
  expect(opened.experiment.movie.frames).toBe(scenarios["inert"]!.movie.frames);
  await opened.close();
});
