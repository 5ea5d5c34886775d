/** Findings as tables for a spreadsheet: one CSV a list, units in the headers. */
import { defocused } from "../analysis/focus-course.js";
import type { Drift, Experiment, Findings, Mechanism, Transition } from "../model/experiment.js";

/** A column is numbers or words; all columns of a table are of one length. */
export type Table = Readonly<Record<string, ArrayLike<number | string | null>>>;

/** A table as CSV (RFC 4180): header line, CRLF, empty cells for null and NaN. */
export function csv(table: Table): string {
  const names = Object.keys(table);
  const rows = Math.max(0, ...names.map((name) => table[name]!.length));
  const lines = [names.map(cell).join(",")];
  for (let row = 0; row < rows; row++) lines.push(names.map((name) => cell(table[name]![row] ?? null)).join(","));
  return `${lines.join("\r\n")}\r\n`;
}

function cell(value: number | string | null): string {
  if (value === null || (typeof value === "number" && !Number.isFinite(value))) return "";
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** The tables of an analysis by file name without ending. */
export function tables(experiment: Experiment, findings: Findings): Record<string, Table> {
  const all: Record<string, Table> = {};
  const { particles, drift, traces, cell, transitions, kinetics, kymographs, mechanisms, domains, regime, controls } =
    findings;
  if (particles !== undefined) {
    all["particles"] = columns(particles, {
      particle: ({ id }) => id,
      centre_x_px: ({ centre_px }) => centre_px[0],
      centre_y_px: ({ centre_px }) => centre_px[1],
      area_um2: ({ area_um2 }) => area_um2,
    });
  }
  if (drift !== undefined) {
    all["drift"] = {
      frame: experiment.frameNumber,
      time_s: experiment.movie.time_s,
      x_px: drift.x_px,
      y_px: drift.y_px,
      gain: drift.gain,
      focus: drift.focus,
      out_of_focus: outOfFocus(drift, experiment.movie.frames),
    };
  }
  if (traces !== undefined && traces.length > 0) {
    const table: Record<string, ArrayLike<number>> = { time_s: traces[0]!.time_s };
    for (const trace of traces) table[`particle_${trace.particle}`] = trace.intensity;
    all["intensity"] = table;
  }
  if (cell !== undefined && cell !== null) {
    all["half_cycles"] = columns(cell.halfCycles, {
      half_cycle: ({ id }) => id,
      cycle: ({ cycle }) => cycle,
      kind: ({ kind }) => kind,
      start_s: ({ start_s }) => start_s,
      end_s: ({ end_s }) => end_s,
      rate_C: ({ rate_C }) => rate_C,
      charge_mAh: ({ charge_mAh }) => charge_mAh,
      efficiency: ({ efficiency }) => efficiency,
    });
    all["dqdv"] = stack(cell.differentialCapacity, (curve) => ({
      half_cycle: repeated(curve.halfCycle, curve.potential_V.length),
      time_s: curve.time_s,
      potential_V: curve.potential_V,
      dQdV_mAh_V: curve.dQdV_mAh_V,
    }));
  }
  if (transitions !== undefined) {
    all["transitions"] = columns(transitions, {
      transition: ({ id }) => id,
      particle: ({ particle }) => particle,
      kind: ({ kind }) => kind,
      direction: ({ direction }) => direction,
      half_cycle: ({ halfCycle }) => halfCycle,
      rate_C: ({ rate_C }) => rate_C,
      start_s: ({ start_s }) => start_s,
      end_s: ({ end_s }) => end_s,
      sd_s: ({ sd_s }) => sd_s,
      closed: ({ closed }) => String(closed),
      order: ({ order }) => order,
      peak: ({ lag_to_dQdV }) => lag_to_dQdV?.peak ?? null,
      ...Object.fromEntries(
        (["start_s", "centre_s", "end_s", "start_mAh", "centre_mAh", "end_mAh"] as const).map((name) => [
          `lag_${name}`,
          ({ lag_to_dQdV }: Transition) => lag_to_dQdV?.[name]?.value ?? null,
        ]),
      ),
    });
  }
  if (kinetics !== undefined) {
    all["kinetics"] = columns(kinetics, {
      transition: ({ transition }) => transition,
      particle: ({ particle }) => particle,
      velocity_um_s: ({ velocity_um_s }) => velocity_um_s.value,
      velocity_sd_um_s: ({ velocity_um_s }) => velocity_um_s.sd,
      velocity_isochrone_um_s: ({ velocity_isochrone_um_s }) => velocity_isochrone_um_s?.value ?? null,
      velocity_p5_um_s: ({ velocity_range_um_s }) => velocity_range_um_s[0],
      velocity_p95_um_s: ({ velocity_range_um_s }) => velocity_range_um_s[1],
      t50_s: ({ t50_s }) => t50_s.value,
      t50_sd_s: ({ t50_s }) => t50_s.sd,
      duration_s: ({ duration_s }) => duration_s?.value ?? null,
      c_rate_max: ({ c_rate_max }) => c_rate_max?.value ?? null,
      c_rate_max_sd: ({ c_rate_max }) => c_rate_max?.sd ?? null,
      c_rate_mean: ({ c_rate_mean }) => c_rate_mean?.value ?? null,
      c_rate_factor: ({ c_rate_factor }) => c_rate_factor,
      filled: ({ filled }) => filled,
    });
    all["phase_fraction"] = stack(kinetics, ({ transition, particle, phaseFraction, cRate }) => ({
      transition: repeated(transition, phaseFraction.time_s.length),
      particle: repeated(particle, phaseFraction.time_s.length),
      time_s: phaseFraction.time_s,
      fraction: phaseFraction.value,
      fraction_sd: phaseFraction.sd,
      // The rate stands in the same rows only where it was sampled at the same times.
      c_rate: cRate !== null && cRate.time_s.length === phaseFraction.time_s.length ? cRate.value : [],
      c_rate_sd: cRate !== null && cRate.time_s.length === phaseFraction.time_s.length ? cRate.sd : [],
    }));
  }
  if (kymographs !== undefined) {
    all["front_places"] = stack(kymographs, ({ transition, particle, ridge }) => ({
      transition: repeated(transition, ridge.length),
      particle: repeated(particle, ridge.length),
      time_s: ridge.map(({ time_s }) => time_s),
      distance_um: ridge.map(({ distance_um }) => distance_um),
      distance_sd_um: ridge.map(({ sd_um }) => sd_um),
    }));
  }
  if (mechanisms !== undefined) {
    all["mechanisms"] = columns(mechanisms, {
      particle: ({ particle }) => particle,
      transition: ({ transition }) => transition,
      kind: ({ kind }) => kind,
      score: ({ score }) => score,
      ...Object.fromEntries(
        (["core", "wave", "hybrid", "uniform", "undecided"] as const).map((kind) => [
          `p_${kind}`,
          ({ probabilities }: Mechanism) => (probabilities === undefined ? null : (probabilities[kind] ?? 0)),
        ]),
      ),
      because: ({ because }) => because,
    });
  }
  const { repeats } = findings;
  if (repeats !== undefined && repeats.length > 0) {
    all["repeats"] = columns(repeats, {
      particle: ({ particle }) => particle,
      transition: ({ transition }) => transition,
      other: ({ other }) => other,
      kind: ({ kind }) => kind,
      direction: ({ direction }) => direction,
      likeness: ({ likeness }) => likeness?.value ?? null,
      likeness_sd: ({ likeness }) => likeness?.sd ?? null,
      by_shape: ({ byShape }) => byShape,
      p: ({ p }) => p,
    });
  }
  if (transitions !== undefined && kinetics !== undefined && kinetics.length > 0) {
    const cycleOf = (halfCycle: number | null): number | null =>
      cell?.halfCycles.find(({ id }) => id === halfCycle)?.cycle ?? null;
    const rows = kinetics.map((found) => ({
      found,
      window: transitions.find(({ id }) => id === found.transition)!,
      mechanism: mechanisms?.find(({ transition }) => transition === found.transition),
      front: findings.fronts?.find(({ transition }) => transition === found.transition),
    }));
    all["cycles"] = columns(rows, {
      particle: ({ found }) => found.particle,
      cycle: ({ window }) => cycleOf(window.halfCycle),
      half_cycle: ({ window }) => window.halfCycle,
      kind: ({ window }) => window.kind,
      direction: ({ window }) => window.direction,
      rate_C: ({ window }) => window.rate_C,
      velocity_um_s: ({ found }) => found.velocity_um_s.value,
      velocity_sd_um_s: ({ found }) => found.velocity_um_s.sd,
      t50_s: ({ found }) => found.t50_s.value,
      c_rate_max: ({ found }) => found.c_rate_max?.value ?? null,
      mechanism: ({ mechanism }) => mechanism?.kind ?? null,
      nuclei: ({ mechanism }) => mechanism?.nuclei_um.length ?? null,
      explained_by: ({ front }) => front?.explained_by?.cause ?? null,
    });
  }
  if (domains !== undefined && domains.length > 0) {
    all["domains"] = columns(domains, {
      particle: ({ particle }) => particle,
      transition: ({ transition }) => transition,
      count: ({ count }) => count,
      wall_angles_deg: ({ wall_angles_deg }) => wall_angles_deg.map((angle) => angle.toFixed(1)).join(" "),
      wall_angles_sd_deg: ({ wall_angles_sd_deg }) => wall_angles_sd_deg.map((sd) => sd.toFixed(1)).join(" "),
      axis_deg: ({ axis_deg }) => axis_deg?.value ?? null,
      axis_sd_deg: ({ axis_deg }) => axis_deg?.sd ?? null,
      walls_to_facets_deg: ({ facets }) => facets?.walls_deg?.value ?? null,
      threefold: ({ threefold }) => threefold.value,
      threefold_p: ({ threefold }) => threefold.p,
      wall_p: ({ wall_p }) => wall_p,
      faintest_wall: ({ faintest_wall }) => faintest_wall,
      step: ({ step }) => step?.value ?? null,
      reversibility: ({ reversibility }) => reversibility?.correlation?.value ?? null,
      reversibility_sd: ({ reversibility }) => reversibility?.correlation?.sd ?? null,
      because: ({ because }) => because,
    });
  }
  if (regime !== undefined && regime.length > 0) {
    all["regime"] = columns(regime, {
      particle: ({ particle }) => particle,
      transition: ({ transition }) => transition,
      direction: ({ direction }) => direction,
      kind: ({ kind }) => kind,
      damkohler_rich: ({ damkohler_rich }) => damkohler_rich?.value ?? null,
      damkohler_poor: ({ damkohler_poor }) => damkohler_poor?.value ?? null,
      biot: ({ biot }) => biot.value,
      stefan_D_cm2_s: ({ stefan }) => stefan?.D_cm2_s ?? null,
      because: ({ because }) => because,
    });
    const bounds = regime.flatMap(({ particle, transition, bounds }) =>
      bounds.map((bound) => ({ particle, transition, ...bound })),
    );
    all["diffusivity"] = columns(bounds, {
      particle: ({ particle }) => particle,
      transition: ({ transition }) => transition,
      drive: ({ drive }) => drive,
      kind: ({ kind }) => kind,
      D_cm2_s: ({ D_cm2_s }) => D_cm2_s,
      at_least_cm2_s: ({ atLeast_cm2_s }) => atLeast_cm2_s,
      at_most_cm2_s: ({ atMost_cm2_s }) => atMost_cm2_s,
      exponent: ({ exponent }) => exponent,
      because: ({ because }) => because,
    });
  }
  if (controls !== undefined && controls.length > 0) {
    const rows = controls.flatMap(({ particle, transition, verdict, controls: each }) =>
      each.map((control) => ({ particle, transition, verdict, ...control })),
    );
    all["controls"] = columns(rows, {
      particle: ({ particle }) => particle,
      transition: ({ transition }) => transition,
      verdict: ({ verdict }) => verdict,
      control: ({ kind }) => kind,
      holds: ({ holds }) => (holds === null ? null : String(holds)),
      fronts: ({ fronts }) => fronts,
      velocity_um_s: ({ velocity_um_s }) => velocity_um_s?.value ?? null,
      velocity_sd_um_s: ({ velocity_um_s }) => velocity_um_s?.sd ?? null,
      t50_s: ({ t50_s }) => t50_s?.value ?? null,
      mechanism: ({ mechanism }) => mechanism,
      because: ({ because }) => because,
    });
  }
  return all;
}

function repeated(value: number, count: number): number[] {
  return Array.from({ length: count }, () => value);
}

function columns<Row>(
  rows: readonly Row[],
  cells: Readonly<Record<string, (row: Row) => number | string | null>>,
): Table {
  return Object.fromEntries(Object.entries(cells).map(([name, read]) => [name, rows.map(read)]));
}

/** 1 for frames whose focus is not that of the first ones. */
function outOfFocus({ focus, focus_sd }: Drift, frames: number): Uint8Array {
  const marks = new Uint8Array(frames);
  for (const { first, last } of defocused(focus, focus_sd)) marks.fill(1, first, last + 1);
  return marks;
}

function stack<Row>(rows: readonly Row[], table: (row: Row) => Readonly<Record<string, ArrayLike<number>>>): Table {
  const all: Record<string, number[]> = {};
  for (const row of rows) {
    const part = table(row);
    const length = Math.max(0, ...Object.values(part).map((column) => column.length));
    for (const [name, column] of Object.entries(part)) {
      const into = (all[name] ??= []);
      for (let at = 0; at < length; at++) into.push(column[at] ?? NaN);
    }
  }
  return all;
}
