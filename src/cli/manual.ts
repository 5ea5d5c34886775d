/** `docs/operations.md`, printed from the table. */
import type { z } from "zod";
import { filesParams, twinParams } from "../operations/sources.js";
import { steps } from "../operations/steps.js";
import { flagsOf } from "./flags.js";

/** The manual of every source and step as Markdown. */
export function manual(): string {
  const lines = [
    "# Operations",
    "",
    "Printed from the table in `src/operations`; a test holds it against the code. A recipe has one key an operation; what is left out",
    "takes its default. On the command line `analyse` takes the flags below; `ionoscope STEP` takes the step's own flags without its name",
    "in front.",
    "",
    "## files",
    "",
    "A movie and a cycler's record from files.",
    "",
    ...table(filesParams, null),
    "## twin",
    "",
    "A synthetic experiment whose answer is known; in a recipe or the library.",
    "",
    ...table(twinParams, null),
  ];
  for (const step of steps) {
    lines.push(
      `## ${step.name}`,
      "",
      step.summary,
      "",
      `Takes ${step.takes.map((key) => `\`${key}\``).join(", ")}; gives ${step.gives.map((key) => `\`${key}\``).join(", ")}.`,
      "",
      ...table(step.params, step.name),
    );
  }
  return `${lines.join("\n").trimEnd()}\n`;
}

function table(params: z.ZodObject, prefix: string | null): string[] {
  const flags = flagsOf(params, prefix ?? undefined);
  if (flags.length === 0) return [];
  const rows = flags.map(
    (flag) =>
      `| \`${flag.path.at(-1)}\` | \`--${flag.name}\` | ${flag.wanted === "" ? "switch" : flag.wanted.replaceAll("|", "\\|")} | ${defaultText(flag.default)} | ${flag.description} |`,
  );
  return ["| parameter | flag | value | default | |", "|---|---|---|---|---|", ...rows, ""];
}

function defaultText(value: unknown): string {
  if (value === undefined || value === null || (Array.isArray(value) && value.length === 0)) return "";
  return `\`${String(value)}\``;
}
