/** The report's content from an analysis, in the words of the field. */
import { reportPage, type ReportTable } from "../figures/report.js";
import type { Estimate, Experiment, Findings } from "../model/experiment.js";
import type { NoiseModel } from "../model/noise.js";
import { NM_PER_UM } from "../model/units.js";
import type { Analysis } from "./analyse.js";
import type { Picture } from "./pictures.js";
import { controlRows, findingsRows, percentText, valueText } from "./table-text.js";
import { version } from "./version.js";

/** A file that went in, as the report names it. */
export interface ReportedInput {
  readonly role: string;
  readonly path: string;
  readonly sha256: string;
}

/** The report as one HTML document. `fontCss` carries the font's bytes. */
export function reportHtml(
  { experiment, findings, warnings }: Analysis,
  inputs: readonly ReportedInput[],
  figures: readonly Picture[],
  recipe: string,
  fontCss: string,
): string {
  return reportPage({
    title: `ionoscope: ${baseName(experiment.movie.name)}`,
    facts: facts(experiment, findings, inputs),
    warnings,
    tables: reportTables(findings),
    figures,
    recipe,
    repeat: "ionoscope run recipe.json --out again",
    fontCss,
    footer: `ionoscope ${version}. Numbers are value ± one standard error; the spread between pixels stands in tables/kinetics.csv.`,
  });
}

function facts(
  { movie, blackLevel, darkFrame, skipped, cellFacts }: Experiment,
  { drift, motion, noise, clock, cell }: Findings,
  inputs: readonly ReportedInput[],
): [string, string][] {
  const list: [string, string][] = [
    [
      "Movie",
      `${movie.name}, ${movie.frames} frames of ${movie.width} × ${movie.height} px in ${(movie.time_s[movie.frames - 1]! / 60).toFixed(1)} min`,
    ],
    ["Pixel size", `${movie.pixelSize_um} µm (${movie.pixelSizeSource})`],
    ["Frame times", `${movie.timeSource}; a stamp means the ${movie.frameStamp} of the exposure`],
    [
      "Black level",
      darkFrame !== null
        ? `dark frame ${darkFrame}`
        : blackLevel === null
          ? "unknown: contrasts are too small by an unknown factor"
          : `${blackLevel.value} (${blackLevel.source})`,
    ],
  ];
  for (const { first, last, because } of skipped) list.push(["Left out", `frames ${first} to ${last}: ${because}`]);
  if (drift !== undefined) {
    const [x, y] = drift.final_um;
    list.push([
      "Drift",
      `${x.toFixed(3)}, ${y.toFixed(3)} µm at the end; error of one frame ${valueText(drift.residual_nm)} nm, least possible ${Number.isFinite(drift.bound_nm) ? drift.bound_nm.toPrecision(2) : "-"} nm`,
    ]);
  }
  if (motion !== undefined && motion !== null) {
    const { rotation_mrad, scale } = motion.last;
    list.push([
      "Turn and stretch",
      `${valueText(rotation_mrad)} mrad and ${valueText(scale, 1e6)} ppm at the end, from ${motion.blocks} blocks; they carry a particle at most ${valueText(motion.displaced_px)} px off. Not corrected.`,
    ]);
  }
  if (noise !== undefined) list.push(["Noise", noiseText(noise)]);
  if (clock !== undefined && cell !== null && cell !== undefined) {
    const { value, sd } = clock.offset_s;
    list.push([
      "Clocks",
      `joined by: ${clock.source}; movie time = cycler's time ${value < 0 ? "−" : "+"} ${Math.abs(value).toFixed(1)} s${sd === null ? "" : ` ± ${sd.toPrecision(2)} s`}`,
    ]);
    list.push([
      "Cell",
      `imaged: ${cellFacts.imaged} electrode, a ${cellFacts.role === "unknown" ? "electrode of unknown role" : cellFacts.role}; current ${cellFacts.currentSign}; ${
        cellFacts.nominal_mAh !== null
          ? `1C passes ${cellFacts.nominal_mAh} mAh in an hour`
          : cellFacts.active_mass_mg === null
            ? "active mass not stated, so no C-rate of the cell"
            : `${cellFacts.active_mass_mg} mg active, 1C is ${cellFacts.nominal_mAh_g} mAh/g in an hour`
      }`,
    ]);
  }
  for (const { role, path, sha256 } of inputs) list.push([`Input, ${role}`, `${path}, sha256 ${sha256}`]);
  return list;
}

function noiseText({ carrier, read_counts, gain_counts_per_electron, fixedPattern, because }: NoiseModel): string {
  const parts = [
    carrier === null
      ? null
      : `${percentText(carrier.noise.value)} a pixel and frame on the still ground${carrier.shotLimit === null || carrier.ratio === null ? "" : `, ${valueText(carrier.ratio)} times what photons and reading give (${percentText(carrier.shotLimit)})`}`,
    read_counts === null ? null : `reading ${valueText(read_counts)} counts`,
    gain_counts_per_electron === null
      ? null
      : `${valueText(gain_counts_per_electron)} counts an electron of the stored frame`,
    fixedPattern === null ? null : `pattern fixed to the camera ${valueText(fixedPattern, 100)} %`,
    ...because,
  ];
  return parts.filter((part) => part !== null).join("; ");
}

function reportTables(findings: Findings): ReportTable[] {
  const all: ReportTable[] = [];
  if (findings.particles !== undefined) {
    const { columns, rows } = findingsRows(findings);
    all.push({
      title: "What was found",
      columns,
      rows,
      ...(findings.particles.length === 0
        ? { note: "No particle was found: no crystal was found against the background." }
        : {}),
    });
  }
  const because = (findings.mechanisms ?? []).map((mechanism) => [
    String(mechanism.particle),
    mechanism.transition === null ? "-" : String(mechanism.transition),
    mechanism.kind,
    mechanism.score.toFixed(2),
    mechanism.because,
  ]);
  if (because.length > 0) {
    all.push({
      title: "Mechanisms",
      columns: ["particle", "transition", "kind", "probability", "because"],
      rows: because,
    });
  }
  const faces = (findings.faces ?? []).map(({ particle, kind, view, because: why }) => [
    String(particle),
    kind,
    view,
    why,
  ]);
  if (faces.length > 0) {
    all.push({
      title: "Faces",
      columns: ["particle", "face", "seen", "because"],
      rows: faces,
      note: "That the transformed area stands for the transformed volume rests on a flat face seen along c.",
    });
  }
  const shifts = (findings.shiftShares ?? []).map(({ particle, transition, share, shift_nm }) => [
    String(particle),
    String(transition),
    valueText(share, 100),
    valueText(shift_nm),
    findings.drift === undefined ? "-" : valueText(findings.drift.residual_nm),
  ]);
  if (shifts.length > 0) {
    all.push({
      title: "Is it drift?",
      columns: ["particle", "transition", "like a shift / %", "shift needed / nm", "registration leaves / nm"],
      rows: shifts,
      note: "How much of the differential images' variance a shift of the scene would explain. Noise and the front itself take part in it: only a large share, by a shift that registration leaves, is drift.",
    });
  }
  const domains = (findings.domains ?? []).map((found) => [
    String(found.particle),
    String(found.transition),
    found.count === null ? "-" : String(found.count),
    found.wall_angles_deg.map((value, at) => valueText({ value, sd: found.wall_angles_sd_deg[at]! })).join(", ") || "-",
    found.threefold.value === null
      ? "-"
      : `${found.threefold.value.toFixed(2)} (p = ${found.threefold.p === null ? "-" : found.threefold.p.toPrecision(2)})`,
    found.reversibility?.correlation === null || found.reversibility === null
      ? "-"
      : valueText(found.reversibility.correlation),
    found.repeats.flatMap(({ correlation }) => (correlation === null ? [] : [valueText(correlation)])).join(", ") ||
      "-",
    found.because,
  ]);
  if (domains.length > 0) {
    all.push({
      title: "Domains of ordered lithium",
      columns: [
        "particle",
        "transition",
        "domains",
        "walls / degrees",
        "three-fold order",
        "comes back",
        "as in other cycles",
        "because",
      ],
      rows: domains,
      note: "Directions of walls away from where they meet, from right towards down. Three-fold order: 1 where all walls lie 60 or 120 degrees apart; p is the chance of as much without walls, or with as many in any direction. Comes back, as in other cycles: correlation of the total contrast, 1 where it is the same.",
    });
  }
  const repeats = (findings.repeats ?? []).map(({ particle, transition, other, direction, likeness, byShape, p }) => [
    String(particle),
    `${transition}, ${other}`,
    direction,
    likeness === null ? "-" : valueText(likeness),
    byShape === null ? "-" : byShape.toFixed(2),
    p === null ? "-" : p.toPrecision(2),
  ]);
  if (repeats.length > 0) {
    all.push({
      title: "Paths from cycle to cycle",
      columns: ["particle", "transitions", "direction", "likeness", "by shape alone", "p"],
      rows: repeats,
      note: "Likeness: rank correlation of when each place was passed. By shape alone: the same with the second map turned or mirrored, the median; p: the share of those that are as like.",
    });
  }
  const spreads = (findings.spreads ?? []).map(({ kind, direction, quantity, particles, fronts, within, between }) => [
    `${kind} ${direction}`,
    { velocity_um_s: "velocity / nm/s", c_rate_max: "greatest C-rate", duration_s: "duration / s" }[quantity],
    String(particles),
    String(fronts),
    ...[within, between].map((sd) =>
      sd === null ? "-" : (sd * (quantity === "velocity_um_s" ? NM_PER_UM : 1)).toPrecision(3),
    ),
  ]);
  if (spreads.length > 0) {
    all.push({
      title: "Spread of numbers",
      columns: ["fronts of", "number", "particles", "fronts", "sd within a particle", "sd between particles"],
      rows: spreads,
    });
  }
  const controls = findings.controls;
  if (controls !== undefined) {
    const { columns, rows } = controlRows(controls);
    all.push({
      title: "Controls",
      columns,
      rows,
      note: "The same measurement on the scene of the first frames moved as the movie drifts, on the particle's frames in random order, on still ground under its outline (fronts found there; none is right), with the outline a pixel smaller and larger, and with half and twice the lag of the windows (change of the velocity).",
    });
  }
  const kinetics = (findings.kinetics ?? []).map((found) => {
    const speed = (estimate: Estimate | null): string => (estimate === null ? "-" : valueText(estimate, NM_PER_UM));
    const [slow, quick] = found.velocity_range_um_s;
    return [
      String(found.particle),
      String(found.transition),
      speed(found.velocity_um_s),
      speed(found.velocity_mean_um_s),
      speed(found.velocity_path_um_s),
      speed(found.velocity_late_um_s),
      speed(found.velocity_isochrone_um_s),
      `${(NM_PER_UM * slow).toFixed(1)} to ${(NM_PER_UM * quick).toFixed(1)}`,
      found.duration_s === null ? "-" : valueText(found.duration_s),
      `${(100 * found.filled).toFixed(1)} %`,
    ];
  });
  if (kinetics.length > 0) {
    all.push({
      title: "Velocities",
      columns: [
        "particle",
        "transition",
        "median / nm/s",
        "mean / nm/s",
        "along the path / nm/s",
        "late / nm/s",
        "by isochrones / nm/s",
        "5 to 95 % of pixels / nm/s",
        "5 to 95 % transformed / s",
        "extrapolated pixels",
      ],
      rows: kinetics,
      note: "Velocity: one over the slope of the arrival map, over pixels farther than one point spread from outline, nuclei and collision lines.",
    });
  }
  const bounds = (findings.regime ?? []).flatMap(({ particle, transition, bounds, stefan }) => [
    ...bounds.map((bound) => [
      String(particle),
      String(transition),
      `front under the ${bound.drive}`,
      diffusivityText(bound.atLeast_cm2_s),
      diffusivityText(bound.D_cm2_s),
      bound.because,
    ]),
    ...(stefan === null
      ? []
      : [
          [
            String(particle),
            String(transition),
            "Stefan",
            diffusivityText(stefan.atLeast_cm2_s),
            diffusivityText(stefan.D_cm2_s),
            `Rim at x = ${stefan.surface_x.toFixed(2)}, ${stefan.potential_V.toFixed(3)} V from ${stefan.source}; the quasi-steady rule gives ${diffusivityText(stefan.quasiSteady_cm2_s)} cm2/s.`,
          ],
        ]),
  ]);
  if (bounds.length > 0) {
    all.push({
      title: "Diffusivity from the speed of the front",
      columns: ["particle", "transition", "by", "at least / cm²/s", "as fast with / cm²/s", "because"],
      rows: bounds,
      note: "One diffusivity for all lithium contents; bounds are one-sided, 95 %.",
    });
  }
  const regimes = (findings.regime ?? []).map(({ particle, transition, direction, kind, because }) => [
    String(particle),
    String(transition),
    direction,
    kind,
    because,
  ]);
  if (regimes.length > 0) {
    all.push({
      title: "What limits the transition",
      columns: ["particle", "transition", "direction", "regime", "because"],
      rows: regimes,
    });
  }
  const halves = (findings.cell?.halfCycles ?? []).map((half) => [
    String(half.id),
    String(half.cycle),
    half.kind,
    `${half.start_s.toFixed(0)} to ${half.end_s.toFixed(0)}`,
    half.rate_C === null ? "-" : half.rate_C.toPrecision(3),
    half.charge_mAh.toPrecision(4),
    half.efficiency === null ? "-" : `${(100 * half.efficiency).toFixed(1)} %`,
    half.peaks
      .map(({ name, potential_V }) => `${name === "" ? "" : `${name} at `}${potential_V.toFixed(3)} V`)
      .join(", "),
  ]);
  if (halves.length > 0) {
    all.push({
      title: "Half cycles of the cell",
      columns: ["half cycle", "cycle", "kind", "time / s", "rate / C", "charge / mAh", "efficiency", "peaks of dQ/dV"],
      rows: halves,
    });
  }
  return all;
}

function diffusivityText(D_cm2_s: number | null): string {
  return D_cm2_s === null ? "-" : D_cm2_s.toExponential(1);
}

function baseName(name: string): string {
  return name.split(/[/\\]/).at(-1) ?? name;
}
