/** Scenarios by name or from files, and twins written as an ordinary folder of files. */
import { startHashing } from "./hash.node.js";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { encodeBdf } from "../io/bdf.js";
import { encodeNpy } from "../io/npy-write.js";
import { writeOmeTiff } from "../io/ome-tiff-write.js";
import { writeThroughSink } from "../io/sink.node.js";
import { jsonText } from "../io/tree.js";
import { FormatError, ParameterError } from "../model/errors.js";
import type { Samples } from "../model/movie.js";
import { scenarios, standardScenario } from "../physics/scenarios.js";
import { truthOf } from "../physics/truth.js";
import { twinFrames, type Twin } from "../physics/twin.js";
import type { OpenedExperiment } from "./files.node.js";
import { draftFolder } from "./folder.node.js";
import type { TwinParams } from "./sources.js";
import { experimentOf, runTwin } from "./twin.js";
import { version } from "./version.js";

export { standardScenario };

/** How the writing of a twin is watched and stopped. */
export interface TwinWatch {
  readonly signal?: AbortSignal | undefined;
  readonly onFrame?: ((done: number, total: number) => void) | undefined;
  /** Share of a phase field's runs that is done, before the first frame. */
  readonly onProgress?: ((share: number) => void) | undefined;
}

/** What a user would have to state of the standard twin: its camera's black level and its electrode's active mass. */
export const standardFacts = {
  blackLevel: scenarios[standardScenario]!.camera.blackLevel,
  active_mass_mg: scenarios[standardScenario]!.cycling!.active_mass_mg,
} as const;

/** The scenarios that come with ionoscope, each with its sentence. */
export function scenarioNames(): { readonly name: string; readonly summary: string }[] {
  return Object.entries(scenarios).map(([name, { summary }]) => ({ name, summary }));
}

/**
 * A scenario by its name, or from a JSON file, not yet checked.
 * Throws ParameterError where it is neither, and FormatError for a file that is no JSON.
 */
export async function readScenario(nameOrFile: string): Promise<unknown> {
  if (Object.hasOwn(scenarios, nameOrFile)) return scenarios[nameOrFile];
  const text = await readFile(nameOrFile, "utf8").catch((cause: unknown) => {
    throw new ParameterError(
      `there is no scenario ${nameOrFile} and no such file. Scenarios are ${Object.keys(scenarios).join(", ")}.`,
      { parameter: "scenario", value: nameOrFile, cause },
    );
  });
  try {
    return JSON.parse(text.replace(/^\uFEFF/, "")) as unknown;
  } catch (cause) {
    throw new FormatError(`${nameOrFile}: ${(cause as Error).message}. Give a scenario as JSON.`, {
      path: nameOrFile,
      cause,
    });
  }
}

/** The experiment of a recipe's twin, as if its files had been opened. Throws ParameterError and FormatError. */
export async function openTwin(params: TwinParams): Promise<OpenedExperiment> {
  const made = await runTwin(await readScenario(params.scenario), params.seed);
  return { experiment: experimentOf(made), hashing: startHashing([], 0), async close() {} };
}

/**
 * Writes a twin as a folder: `movie.ome.tif`, `cycling.csv` (Battery Data Format, on the movie's absolute clock) where the
 * scenario has a cycler, `truth.json` and the maps it names. The folder is whole or not there.
 * Throws ParameterError for a scenario that makes no sense or a folder that ionoscope did not make.
 */
export async function writeTwin(
  scenario: unknown,
  seed: number | null,
  dir: string,
  watch: TwinWatch = {},
): Promise<void> {
  const made = await runTwin(scenario, seed, watch);
  const draft = await draftFolder(dir, "truth.json");
  try {
    await writeMovie(made, path.join(draft.path, "movie.ome.tif"), watch);
    if (made.cycling !== null) await draft.write("cycling.csv", encodeBdf(made.cycling, made.cyclingStart));
    for (const { name, content } of truthFiles(made)) await draft.write(name, content);
    watch.signal?.throwIfAborted();
    await draft.commit();
  } catch (error) {
    await draft.discard();
    throw error;
  }
}

async function writeMovie(made: Twin, file: string, watch: TwinWatch): Promise<void> {
  await writeThroughSink(file, async (sink) => {
    await writeOmeTiff({
      width: made.width,
      height: made.height,
      dtype: made.dtype,
      pixelSize_um: made.pixelSize_um,
      time_s: made.acquisition.time_s,
      start: made.start,
      frameStamp: "middle",
      frames: samplesOf(made, watch),
      sink,
    });
  });
}

async function* samplesOf(made: Twin, watch: TwinWatch): AsyncGenerator<Samples> {
  let done = 0;
  for await (const frame of twinFrames(made, watch.signal)) {
    yield frame.data;
    watch.onFrame?.(++done, made.frames);
  }
}

function* truthFiles(made: Twin): Generator<{ name: string; content: string | Uint8Array }> {
  const { maps, lithium, ...answers } = truthOf(made);
  const { scenario, seed, pixelSize_um, blackLevel } = made;
  const fronts = maps.map(({ particle, transition, origin_px, width, height }, index) => {
    return { particle, transition, map: `truth/fronts/${index}/arrival_s.npy`, origin_px, width, height };
  });
  for (const [index, { arrival_s, height, width }] of maps.entries()) {
    yield { name: fronts[index]!.map, content: encodeNpy(arrival_s, [height, width]) };
  }
  for (const { particle, x, time_s, height, width } of lithium ?? []) {
    yield { name: lithiumFile(particle), content: encodeNpy(x, [time_s.length, height, width]) };
  }
  const kept = lithium?.map((one) => ({ ...one, x: lithiumFile(one.particle) }));
  const truth = { ionoscope: version, seed, scenario, pixelSize_um, blackLevel, ...answers, fronts };
  yield { name: "truth.json", content: `${jsonText(kept === undefined ? truth : { ...truth, lithium: kept })}\n` };
}

/** Maps of lithium of one particle: moments x height x width. */
function lithiumFile(particle: number): string {
  return `truth/lithium/${particle}/x.npy`;
}
