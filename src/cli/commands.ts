/** The commands by name; each is loaded when it is called. */
import { ParameterError } from "../model/errors.js";

/** A command: its arguments and a signal that stops it. */
export type Command = (args: readonly string[], signal: AbortSignal) => Promise<void>;

const commands: Readonly<Record<string, { readonly usage: string; readonly load: () => Promise<Command> }>> = {
  analyse: {
    usage: "analyse MOVIE [CYCLING ...] --out DIR   movie and cycler's files to findings, figures and a report",
    load: async () => (await import("./analyse.js")).analyseCommand,
  },
  run: {
    usage: "run RECIPE.json [--out DIR]             the same from a recipe",
    load: async () => (await import("./analyse.js")).runCommand,
  },
  inspect: {
    usage: "inspect FILE [--json] [--full]          what a file holds; nothing is written",
    load: async () => (await import("./inspect.js")).inspectCommand,
  },
  glance: {
    usage: "glance MOVIE [--out DIR]                a look in under a minute: contact sheet, light, focus, drift",
    load: async () => (await import("./glance.js")).glanceCommand,
  },
  twin: {
    usage: "twin SCENARIO --out DIR | --list        a synthetic experiment whose answer is known",
    load: async () => (await import("./twin.js")).twinCommand,
  },
  convert: {
    usage: "convert IN ... OUT                      a movie, a record or outlines to an open format",
    load: async () => (await import("./convert.js")).convertCommand,
  },
  formats: {
    usage: "formats [--json]                        what is read, written and refused",
    load: async () => (await import("./formats.js")).formatsCommand,
  },
  compare: {
    usage: "compare DIR DIR ... --out DIR           several analyses in one table and figure",
    load: async () => (await import("./compare.js")).compareCommand,
  },
  demo: {
    usage: "demo [--out DIR]                        the standard twin, made and analysed",
    load: async () => (await import("./demo.js")).demoCommand,
  },
};

const stepUsage = "STEP MOVIE [CYCLING ...]                the river down to one step, its findings printed";

/** The text of `ionoscope --help`. */
export function overview(): string {
  const lines = Object.values(commands).map(({ usage }) => `  ionoscope ${usage}`);
  return [
    "ionoscope: from movies of battery particles to phase-boundary velocities, each with its error bar.",
    "",
    ...lines,
    `  ionoscope ${stepUsage}`,
    "",
    "ionoscope COMMAND --help tells the flags of a command. --debug shows where an error comes from.",
    "Exit status: 0 done, 2 a wrong flag or value, 3 a wrong file, 130 stopped by Ctrl-C, 1 our own fault.",
    "",
  ].join("\n");
}

/** Looks up a command or a step of the river. Throws ParameterError for an unknown name. */
export async function commandNamed(name: string): Promise<Command> {
  const command = commands[name];
  if (command !== undefined) return command.load();
  const { steps } = await import("../operations/steps.js");
  const step = steps.find((one) => one.name === name);
  if (step !== undefined) {
    const { stepCommand } = await import("./analyse.js");
    return stepCommand(step.name);
  }
  const known = [...Object.keys(commands), ...steps.map((one) => one.name)].join(", ");
  throw new ParameterError(`${name} is not a command. Commands are ${known}.`, { parameter: "command", value: name });
}
