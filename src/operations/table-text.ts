/** Findings in words and columns for a terminal: nm/s and minutes, as a microscopist speaks. */
import type { ControlledFinding } from "../model/control.js";
import type { Domains } from "../model/domains.js";
import type {
  Estimate,
  Experiment,
  Explanation,
  Findings,
  Kinetics,
  Mechanism,
  Transition,
} from "../model/experiment.js";
import { NM_PER_UM } from "../model/units.js";
import type { StepName } from "./steps.js";

/** A value with its standard error, rounded to the error's second digit: "20.3 ± 0.3". */
export function valueText({ value, sd }: { value: number; sd: number | null }, scale = 1): string {
  const scaled = value * scale;
  if (!Number.isFinite(scaled)) return "-";
  if (sd === null || !Number.isFinite(sd)) return scaled.toPrecision(3);
  const error = Math.abs(sd * scale);
  if (error < 1e-6 * Math.abs(scaled)) return scaled.toPrecision(3);
  const digits = Math.max(0, Math.min(6, 1 - Math.floor(Math.log10(error))));
  return `${scaled.toFixed(digits)} ± ${error.toFixed(digits)}`;
}

function trimmed(value: number, digits: number): string {
  return String(Number(value.toPrecision(digits)));
}

const columns = [
  "particle",
  "window / s",
  "direction",
  "velocity / nm/s",
  "fraction",
  "half at / s",
  "C-rate max",
  "C-rate mean",
  "mechanism",
];

/** One line a transition, and one for a particle without any. */
export function findingsRows(findings: Findings): { readonly columns: readonly string[]; readonly rows: string[][] } {
  const { particles = [], transitions = [], fronts = [], kinetics = [], mechanisms = [], domains = [] } = findings;
  const rows: string[][] = [];
  for (const { id } of particles) {
    const own = transitions.filter(({ particle }) => particle === id);
    const none = mechanisms.find(({ particle, transition }) => particle === id && transition === null);
    if (own.length === 0 || none !== undefined) {
      rows.push([String(id), "-", "-", "-", "-", "-", "-", "-", mechanismText(none)]);
      continue;
    }
    for (const window of own) {
      rows.push(
        row(
          window,
          kinetics.find(({ transition }) => transition === window.id),
          mechanisms.find(({ transition }) => transition === window.id),
          domains.find(({ transition }) => transition === window.id),
          fronts.find(({ transition }) => transition === window.id)?.explained_by ?? null,
        ),
      );
    }
  }
  return { columns, rows };
}

/** Columns and rows as plain text, each column as wide as its widest cell. */
export function plainTable(columns: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = columns.map((name, at) => Math.max(name.length, ...rows.map((cells) => cells[at]!.length)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, at) => cell.padEnd(widths[at]!))
      .join("  ")
      .trimEnd();
  return [line(columns), widths.map((width) => "-".repeat(width)).join("  "), ...rows.map(line)];
}

/** Every particle's findings as a table in plain text, and their controls where they were asked for. */
export function findingsTable(experiment: Experiment, findings: Findings): string {
  const { movie } = experiment;
  const lines = [
    `${movie.name}: ${movie.frames} frames in ${trimmed(movie.time_s[movie.frames - 1]!, 5)} s, ${movie.pixelSize_um} um a pixel (${movie.pixelSizeSource})`,
    "",
  ];
  const { rows } = findingsRows(findings);
  if (rows.length === 0) return [...lines, "no particle was found."].join("\n");
  lines.push(...plainTable(columns, rows));
  if (findings.controls !== undefined && findings.controls.length > 0) {
    const controls = controlRows(findings.controls);
    lines.push("", "Controls", "", ...plainTable(controls.columns, controls.rows));
  }
  return lines.join("\n");
}

/** One line a finding: what each control came to, and the verdict. */
export function controlRows(findings: readonly ControlledFinding[]): {
  readonly columns: readonly string[];
  readonly rows: string[][];
} {
  const nulls = ["drift-only", "shuffled", "inert-patch"];
  return {
    columns: [
      "particle",
      "transition",
      "drift only",
      "shuffled",
      "still ground",
      "outline −1 px",
      "outline +1 px",
      "lag × 0.5",
      "lag × 2",
      "verdict",
    ],
    rows: findings.map(({ particle, transition, verdict, because, controls }) => [
      String(particle),
      String(transition),
      ...controls.map(({ kind, holds, fronts, velocity_change }) => {
        if (holds === null) return "not possible";
        if (nulls.includes(kind)) return fronts === 0 ? "no front" : `${fronts} ${fronts === 1 ? "front" : "fronts"}`;
        if (velocity_change === null) return "not found";
        return `${velocity_change < 0 ? "−" : "+"}${(100 * Math.abs(velocity_change)).toFixed(1)} %`;
      }),
      verdict === "doubtful" ? `doubtful: ${because}` : verdict,
    ]),
  };
}

function row(
  window: Transition,
  kinetics: Kinetics | undefined,
  mechanism: Mechanism | undefined,
  domains: Domains | undefined,
  explained_by: Explanation | null,
): string[] {
  const span = `${window.start_s.toFixed(0)} - ${window.end_s.toFixed(0)}${window.closed ? "" : " (open)"}`;
  const direction = `${window.direction}${window.kind === "unknown" ? "" : `, ${window.kind}`}`;
  const estimate = (found: Estimate | null | undefined, scale = 1): string =>
    found === null || found === undefined ? "-" : valueText(found, scale);
  return [
    String(window.particle),
    span,
    direction,
    estimate(kinetics?.velocity_um_s, NM_PER_UM),
    kinetics === undefined ? "-" : valueText(reached(kinetics)),
    estimate(kinetics?.t50_s),
    estimate(kinetics?.c_rate_max),
    estimate(kinetics?.c_rate_mean),
    [
      mechanismText(mechanism),
      ...(domains === undefined ? [] : [domainsText(domains)]),
      ...(explained_by === null ? [] : [`explained by ${explained_by.cause}`]),
    ].join(", "),
  ];
}

/** Phase fraction at the end of the window. */
function reached({ phaseFraction }: Kinetics): { value: number; sd: number | null } {
  const last = phaseFraction.value.length - 1;
  return { value: phaseFraction.value[last] ?? NaN, sd: phaseFraction.sd[last] ?? null };
}

function mechanismText(mechanism: Mechanism | undefined): string {
  return mechanism === undefined ? "-" : `${mechanism.kind} (p = ${mechanism.score.toFixed(2)})`;
}

function domainsText({ count }: Domains): string {
  return count === null ? "domains unknown" : count === 1 ? "1 domain" : `${count} domains`;
}

/** A small share as a figure or two: "0.74 %". */
export function percentText(share: number): string {
  return `${(100 * share).toPrecision(2)} %`;
}

/** What a step has found, in a sentence for the progress. */
export function stepSentence(step: StepName | "controls", findings: Findings): string {
  const count = (list: readonly unknown[] | undefined, one: string, more = `${one}s`): string =>
    `${list?.length ?? 0} ${list?.length === 1 ? one : more}`;
  switch (step) {
    case "particles":
      return count(findings.particles, "particle");
    case "drift": {
      const [x, y] = findings.drift!.final_um;
      const { value } = findings.drift!.residual_nm;
      return `${x.toFixed(2)}, ${y.toFixed(2)} um at the end${Number.isFinite(value) ? `, residual ${value.toPrecision(2)} nm` : ""}`;
    }
    case "motion": {
      const found = findings.motion ?? null;
      if (found === null) return "not told: too little carrier around the field";
      return `moves no particle by more than ${found.displaced_px.value.toFixed(3)} px`;
    }
    case "noise": {
      const carrier = findings.noise?.carrier ?? null;
      if (carrier === null) return "not told";
      const limit = carrier.shotLimit === null ? "" : `, photons and reading ${percentText(carrier.shotLimit)}`;
      return `${percentText(carrier.noise.value)} a pixel on the still ground${limit}`;
    }
    case "crops":
      return count(findings.crops, "crop");
    case "faces":
      return (findings.faces ?? []).map(({ kind }) => kind).join(", ") || "none large enough";
    case "intensity":
      return count(findings.traces, "trace");
    case "clock":
      return findings.cell === null || findings.cell === undefined
        ? "no cycler's record"
        : `${findings.clock!.source}, ${count(findings.cell.halfCycles, "half cycle")}`;
    case "optics":
      return count(findings.optics, "half cycle of a particle", "half cycles of particles");
    case "transitions":
      return count(findings.transitions, "window");
    case "shift": {
      const shares = (findings.shiftShares ?? []).map(({ share }) => share.value);
      if (shares.length === 0) return "no window to compare";
      return `at most ${(100 * Math.max(...shares)).toFixed(0)} % of a window's change is like a shift`;
    }
    case "fronts":
      return count(findings.fronts, "front");
    case "kinetics":
      return count(findings.kinetics, "velocity", "velocities");
    case "kymographs":
      return count(findings.kymographs, "kymograph");
    case "mechanisms":
      return (findings.mechanisms ?? []).map(({ kind }) => kind).join(", ") || "none";
    case "repeats":
      return count(findings.repeats, "pair of paths", "pairs of paths");
    case "domains":
      return (findings.domains ?? []).map(domainsText).join(", ") || "no ordering";
    case "controls":
      return (findings.controls ?? []).map(({ verdict }) => verdict).join(", ") || "no front to control";
    case "regime":
      return (findings.regime ?? []).map(({ kind }) => kind).join(", ") || "not asked for";
  }
}
