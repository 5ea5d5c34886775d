/** `ionoscope analyse`, `run` and `STEP`: the river from files or from a recipe. */
import type { Movie } from "../model/movie.js";
import { availableParallelism } from "node:os";
import path from "node:path";
import { ParameterError } from "../model/errors.js";
import { analyseExperiment, type Analysis } from "../operations/analyse.js";
import type { OpenedExperiment } from "../operations/files.node.js";
import { readMaterial } from "../operations/material.node.js";
import type { FigureChoice } from "../operations/outputs.node.js";
import { completeRecipe, type CompleteRecipe } from "../operations/recipe.js";
import { checkInputs, readRecipe, type WrittenRecipe } from "../operations/recipe.node.js";
import { filesParams } from "../operations/sources.js";
import { steps, type StepName } from "../operations/steps.js";
import { findingsTable, stepSentence } from "../operations/table-text.js";
import { jsonText, summarise } from "../operations/summary.js";
import type { Command } from "./commands.js";
import { flagHelp, flagsOf, flagValue, readArguments, type Arguments, type Flag } from "./flags.js";
import { reporter, type Reporter } from "./progress.js";

/** As many threads as the machine runs at once. */
const allThreads = availableParallelism();

const own: readonly Flag[] = [
  plain("out", "Folder to write; an existing one is replaced only if ionoscope made it.", "text"),
  { ...plain("movie", "The movie, said outright.", "text"), many: true },
  { ...plain("cycling", "A cycler's file, said outright.", "text"), many: true },
  plain("skip", "File of frames to leave out: first,last,because a line.", "text"),
  plain(
    "outlines",
    "File of drawn outlines (Fiji .roi or .zip, label image, GeoJSON in px); then no crystals are looked for.",
    "text",
  ),
  plain("recipe", "A recipe whose parameters are the defaults here.", "text"),
  { ...plain("figures", "Which figures to draw.", "none | report | all"), default: "report" },
  { ...plain("threads", "Most worker threads to use; results do not depend on it.", "number"), default: allThreads },
  {
    ...plain(
      "controls",
      "Measure every front again in experiments spoiled on purpose: is it drift, noise, the mask?",
      "",
    ),
    boolean: true,
  },
  { ...plain("json", "Print one JSON value on standard output.", ""), boolean: true },
  { ...plain("quiet", "No progress on standard error.", ""), boolean: true },
  { ...plain("help", "Show this.", ""), boolean: true },
];

function plain(name: string, description: string, wanted: string): Flag {
  return { name, path: [name], description, wanted, boolean: false, many: false };
}

const sourceFlags = flagsOf(filesParams).filter(({ name }) => !own.some((flag) => flag.name === name));

/** Flags of a command whose bare flags belong to the source, or to one step beside it. */
function flagsFor(bare: StepName | null): Flag[] {
  const dotted = steps.flatMap((step) => flagsOf(step.params, step.name));
  const bareStep = bare === null ? [] : flagsOf(steps.find(({ name }) => name === bare)!.params);
  const taken = new Set([...own, ...bareStep].map(({ name }) => name));
  return [
    ...own,
    ...bareStep.map((flag) => ({ ...flag, path: [bare!, ...flag.path] })),
    ...sourceFlags.filter(({ name }) => !taken.has(name)).map((flag) => ({ ...flag, path: ["files", ...flag.path] })),
    ...dotted,
  ];
}

/** Analyses files into a folder. */
export async function analyseCommand(args: readonly string[], signal: AbortSignal): Promise<void> {
  const flags = flagsFor(null);
  const given = readArguments(args, flags);
  if (given.values.get("help") === true) return help("ionoscope analyse MOVIE [CYCLING ...] --out DIR", flags);
  const out = text(given, "out");
  if (out === null) throw missing("out", "--out is missing: the folder to write. Give --out DIR.");
  const { recipe, outlines } = await recipeOf(given, flags, signal);
  await analyseInto(recipe, out, given, signal, { outlines });
}

/** The command of one step: the river down to it, printed, nothing written unless --out is given. */
export function stepCommand(name: StepName): Command {
  return async (args, signal) => {
    const flags = flagsFor(name);
    const given = readArguments(args, flags);
    if (given.values.get("help") === true) {
      const { summary } = steps.find((step) => step.name === name)!;
      return help(`ionoscope ${name} MOVIE [CYCLING ...]\n\n${summary}`, flags);
    }
    const { recipe, outlines } = await recipeOf(given, flags, signal);
    const out = text(given, "out");
    if (out !== null) return analyseInto(recipe, out, given, signal, { until: name, outlines });
    await withProgress(given, async (report) => {
      const opened = await openSource(recipe, signal);
      try {
        checkOutlines(outlines, opened);
        const analysis = await analyseWith(report, recipe, opened, given, signal, name, outlines?.warnings);
        print(given, analysis);
      } finally {
        await opened.close();
      }
    });
  };
}

/** Repeats a written recipe. */
export async function runCommand(args: readonly string[], signal: AbortSignal): Promise<void> {
  const flags: Flag[] = own.filter(({ name }) =>
    ["out", "movie", "cycling", "figures", "threads", "json", "quiet", "help"].includes(name),
  );
  const given = readArguments(args, flags);
  if (given.values.get("help") === true) return help("ionoscope run RECIPE.json [--out DIR]", flags);
  const [file, ...rest] = given.positionals;
  if (file === undefined || rest.length > 0) {
    throw new ParameterError(
      `run takes one recipe, ${given.positionals.length} were given. Use ionoscope run RECIPE.json`,
      {
        parameter: "recipe",
        value: given.positionals,
      },
    );
  }
  const written = await readRecipe(file);
  const movies = many(given, "movie");
  const cycling = many(given, "cycling");
  const moved = moveInputs(written, movies, cycling);
  const recipe = completeRecipe(moved.recipe);
  const out = text(given, "out") ?? "ionoscope-run";
  await analyseInto(recipe, out, given, signal, { repeated: moved });
}

function moveInputs(written: WrittenRecipe, movies: readonly string[], cycling: readonly string[]): WrittenRecipe {
  if (movies.length === 0 && cycling.length === 0) return written;
  if (written.recipe.files === undefined) {
    throw new ParameterError("this recipe is of a twin: it has no files to move. Leave --movie and --cycling out.", {
      parameter: "movie",
      value: movies,
    });
  }
  const files = {
    ...written.recipe.files,
    ...(movies.length === 0 ? {} : { movie: oneOrMany(movies) }),
    ...(cycling.length === 0 ? {} : { cycling: [...cycling] }),
  };
  return { ...written, recipe: { ...written.recipe, files } };
}

async function analyseInto(
  recipe: CompleteRecipe,
  out: string,
  given: Arguments,
  signal: AbortSignal,
  {
    until,
    repeated,
    outlines = null,
  }: { readonly until?: StepName; readonly repeated?: WrittenRecipe; readonly outlines?: NamedOutlines | null },
): Promise<void> {
  const figures = figureChoice(given);
  threadsOf(given);
  await withProgress(given, async (report) => {
    const opened = await openSource(recipe, signal);
    try {
      checkOutlines(outlines, opened);
      const found = await analyseWith(report, recipe, opened, given, signal, until, outlines?.warnings);
      const inputs = await opened.hashing.inputs();
      const differences = repeated === undefined ? [] : checkInputs(repeated, inputs);
      const analysis = { ...found, warnings: [...differences, ...found.warnings] };
      const { writeAnalysis } = await import("../operations/outputs.node.js");
      await writeAnalysis(analysis, inputs, out, {
        figures,
        signal,
      });
      report.done("report", `written to ${out}`);
      print(given, analysis, out);
    } finally {
      await opened.close();
    }
  });
}

async function withProgress(given: Arguments, work: (report: Reporter) => Promise<void>): Promise<void> {
  const report = await reporter(given.values.get("quiet") === true);
  try {
    await work(report);
  } finally {
    report.stop();
  }
}

// What reads files and starts threads is loaded when it is wanted: help and wrong flags answer sooner.
async function openSource(recipe: CompleteRecipe, signal: AbortSignal): Promise<OpenedExperiment> {
  if (recipe.files === undefined) return (await import("../operations/twin.node.js")).openTwin(recipe.twin!);
  return (await import("../operations/files.node.js")).openExperiment(recipe.files, signal);
}

async function analyseWith(
  report: Reporter,
  recipe: CompleteRecipe,
  opened: OpenedExperiment,
  given: Arguments,
  signal: AbortSignal,
  until?: StepName,
  warnings: readonly string[] = [],
): Promise<Analysis> {
  const { openWorkshop } = await import("../operations/workshop.node.js");
  const workshop = openWorkshop(threadsOf(given));
  try {
    const analysis = await analyseExperiment(
      recipe,
      opened.experiment,
      {
        signal,
        until,
        workshop,
        onProgress(step, done, total) {
          report.step(step, done, total, step === "drift" ? frameBytes(opened.experiment.movie) : undefined);
          if (step === "drift") opened.hashing.seen(done / total);
        },
        onControl: (_, done, total) => report.step("controls", done, total),
      },
      (step, findings) => report.done(step, stepSentence(step, findings)),
    );
    return { ...analysis, warnings: [...warnings, ...analysis.warnings] };
  } finally {
    await workshop.close();
  }
}

function frameBytes({ width, height, dtype }: Movie): number {
  return (width * height * Number(/\d+/.exec(dtype)![0])) / 8;
}

function print(given: Arguments, analysis: Analysis, out?: string): void {
  const summary = summarise(analysis.experiment, analysis.findings, analysis.warnings);
  if (given.values.get("json") === true) {
    process.stdout.write(`${jsonText(summary)}\n`);
    return;
  }
  const lines = [findingsTable(analysis.experiment, analysis.findings)];
  for (const warning of analysis.warnings) lines.push(`warning: ${warning}`);
  if (out !== undefined) lines.push("", `The report is ${path.join(out, "report.html")}`);
  process.stdout.write(`${lines.join("\n")}\n`);
}

/** From the command line to a complete recipe: a recipe file first, flags over it. */
async function recipeOf(
  given: Arguments,
  flags: readonly Flag[],
  signal: AbortSignal,
): Promise<{ recipe: CompleteRecipe; outlines: NamedOutlines | null }> {
  const base = text(given, "recipe");
  const start = base === null ? {} : (await readRecipe(base)).recipe;
  const { controls = false, ...operations } = start;
  const recipe: Record<string, Record<string, unknown>> = {};
  for (const [key, value] of Object.entries(operations)) recipe[key] = { ...(value as object) };
  const files = (recipe["files"] ??= {});
  const named = await sortPositionals(given);
  if (named.movie !== null) files["movie"] = named.movie;
  if (named.cycling.length > 0) files["cycling"] = named.cycling;
  if (files["movie"] === undefined) {
    throw missing("movie", "no movie was given. Name a movie: a file, or a folder with one frame a file.");
  }
  for (const flag of flags) {
    const typed = given.values.get(flag.name);
    if (typed === undefined || flag.path.length < 2) continue;
    const [operation, parameter] = flag.path as [string, string];
    (recipe[operation] ??= {})[parameter] = flagValue(flag, typed);
  }
  const skip = text(given, "skip");
  if (skip !== null) files["skip"] = await (await import("../operations/files.node.js")).readSkipFile(skip);
  const name = text(given, "outlines");
  let outlines: NamedOutlines | null = null;
  if (name !== null) {
    const { checkOutlineSize, drawnBy, readOutlines } = await import("../operations/outlines.node.js");
    const file = await readOutlines(name, signal);
    outlines = { check: (movie) => checkOutlineSize(file, name, movie), warnings: file.warnings };
    recipe["particles"] = { ...recipe["particles"], drawn: drawnBy(file, name), find: false };
  }
  delete recipe["twin"];
  const material = recipe["regime"]?.["material"];
  if (typeof material === "string") recipe["regime"]!["material"] = await readMaterial(material);
  const asked = controls || given.values.get("controls") === true;
  return { recipe: completeRecipe({ ...recipe, controls: asked }), outlines };
}

/** Outlines as named on the command line. */
interface NamedOutlines {
  /** Throws ParameterError where they are not of a movie's size. */
  check(movie: Pick<Movie, "width" | "height">): void;
  readonly warnings: readonly string[];
}

function checkOutlines(outlines: NamedOutlines | null, { experiment }: OpenedExperiment): void {
  outlines?.check(experiment.movie);
}

/** Tells movies from cycler's files by their content. */
async function sortPositionals(given: Arguments): Promise<{ movie: string | string[] | null; cycling: string[] }> {
  const movies = [...many(given, "movie")];
  const cycling = [...many(given, "cycling")];
  const { kindOfPath } = await import("../operations/inspect.node.js");
  for (const name of given.positionals) {
    if ((await kindOfPath(name)) === "movie") movies.push(name);
    else cycling.push(name);
  }
  if (movies.length === 0 && cycling.length > 0 && given.values.get("recipe") === undefined) {
    throw new ParameterError(`${cycling[0]} holds no images and no movie was given. Name the movie before it.`, {
      parameter: "movie",
      value: cycling,
    });
  }
  return { movie: movies.length === 0 ? null : oneOrMany(movies), cycling };
}

/** One movie stays a word in the recipe, several are a list. */
function oneOrMany(movies: readonly string[]): string | string[] {
  return movies.length === 1 ? movies[0]! : [...movies];
}

function figureChoice(given: Arguments): FigureChoice {
  const typed = text(given, "figures") ?? "report";
  if (typed === "none" || typed === "report" || typed === "all") return typed;
  throw new ParameterError(`figures is ${typed}. Give none, report or all.`, { parameter: "figures", value: typed });
}

function threadsOf(given: Arguments): number {
  const typed = text(given, "threads");
  if (typed === null) return allThreads;
  const threads = Number(typed);
  if (!Number.isInteger(threads) || threads < 1) {
    throw new ParameterError(`threads is ${typed}. Give a whole number, 1 or more.`, {
      parameter: "threads",
      value: typed,
    });
  }
  return threads;
}

function text(given: Arguments, name: string): string | null {
  const value = given.values.get(name);
  return typeof value === "string" ? value : null;
}

function many(given: Arguments, name: string): readonly string[] {
  const value = given.values.get(name);
  return Array.isArray(value) ? (value as string[]) : [];
}

function missing(parameter: string, message: string): ParameterError {
  return new ParameterError(message, { parameter, value: undefined });
}

function help(usage: string, flags: readonly Flag[]): void {
  process.stdout.write(`${usage}\n\n${flags.map(flagHelp).join("\n")}\n`);
}
