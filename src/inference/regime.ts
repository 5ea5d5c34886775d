/** What limits a transition: reaction or diffusion, from dimensionless numbers and what is known of them. */
import { distanceTransform } from "../kernels/distance.js";
import { polygonArea } from "../kernels/polygon.js";
import { ParameterError } from "../model/errors.js";
import type { Mechanism, NumberRange, Regime } from "../model/experiment.js";
import type { Material } from "../model/material.js";
import { SECONDS_PER_HOUR } from "../model/units.js";
import { oneOf, record, refuse, within } from "../physics/check.js";
import { thermodynamics } from "../physics/free-energy.js";
import { outlineGrid } from "../physics/masked-grid.js";
import { checkMaterial } from "../physics/material-check.js";
import { diffusivity } from "../physics/mobility.js";
import { checkPlaces } from "../physics/outline.js";
import { rateConstant } from "../physics/phase-field-particle.js";
import { gapOf } from "./simulated-front.js";
import { CM2_PER_UM2 } from "./stefan.js";

/** Size of a particle seen along its stacking axis. */
export interface ParticleSize {
  readonly area_um2: number;
  readonly perimeter_um: number;
  /** Radius of the largest disc within. */
  readonly inradius_um: number;
}

/** A diffusivity as it is known. */
export interface KnownDiffusivity {
  /** 0 and Infinity where nothing is known. */
  readonly atLeast_cm2_s: number;
  readonly atMost_cm2_s: number;
  /** What that rests on. */
  readonly source: string;
}

/** One transition to be judged. */
export interface RegimeInput {
  readonly direction: "delithiation" | "lithiation";
  readonly size: ParticleSize;
  /** Mean rate of the particle, lithium per site and hour, without sign; null where unknown. */
  readonly x_per_h: number | null;
  readonly material: Material;
  /** Of the two phases; what is left out is not known at all. */
  readonly poor?: KnownDiffusivity;
  readonly rich?: KnownDiffusivity;
  /** The way the front was seen to take. */
  readonly mechanism?: Mechanism["kind"];
}

/** The judgement of one transition. */
export type RegimeVerdict = Pick<Regime, "kind" | "because" | "damkohler_rich" | "damkohler_poor" | "biot" | "implied">;

/**
 * Damkoehler numbers at which simulated delithiation and lithiation leave the wave (below the first) and are cores (above the
 * second): one particle, D_rich 1e-11 to 1e-9 cm2/s, C/4 to 8C. Crossings of delithiation move from 1 to 4 with D_rich.
 */
export const CROSSOVER = { rich: [1, 4], poor: [0.08, 0.16] } as const;

/** Less is no ground. */
const LEAST_AREA_UM2 = 1e-6;
/** Cells across the larger side of the inradius' grid. */
const CELLS = 120;

/**
 * Size of a particle from its outline, um; the inradius on 120 cells along the larger side. Throws ParameterError for an outline
 * without area.
 */
export function particleSize(outline_um: readonly (readonly [number, number])[]): ParticleSize {
  checkPlaces("outline_um", outline_um);
  const area_um2 = polygonArea(outline_um);
  if (!(area_um2 > LEAST_AREA_UM2)) {
    throw new ParameterError(`outline_um covers ${area_um2} um^2. Give a closed outline of at least three points.`, {
      parameter: "outline_um",
      value: area_um2,
    });
  }
  const perimeter_um = outline_um.reduce((sum, [x, y], at) => {
    const [nextX, nextY] = outline_um[(at + 1) % outline_um.length]!;
    return sum + Math.hypot(nextX - x, nextY - y);
  }, 0);
  const side_um = Math.max(
    ...([0, 1] as const).map(
      (axis) => Math.max(...outline_um.map((p) => p[axis])) - Math.min(...outline_um.map((p) => p[axis])),
    ),
  );
  const { mask, width, height, h_um } = outlineGrid(outline_um, side_um / CELLS);
  const depth = distanceTransform(mask, width, height);
  return { area_um2, perimeter_um, inradius_um: h_um * (depth.reduce((most, one) => Math.max(most, one), 0) - 0.5) };
}

/**
 * Biot number k (d mu / dx) R / D, k the rate constant of the material's exchange current without its rate law: how fast the
 * reaction feeds the rim over how fast the poor phase takes it inward. Small: the phase is even and the reaction limits.
 * Without `D_cm2_s` the material's own at its poor phase.
 * Throws ParameterError for a solid solution, and for a radius or diffusivity that is none.
 */
export function biotNumber(material: Material, inradius_um: number, D_cm2_s?: number): number {
  checkMaterial(material);
  const of = thermodynamics(material);
  const { poor_x } = gapOf(material, of);
  if (D_cm2_s !== undefined) checkNumber("D_cm2_s", D_cm2_s);
  const D_um2_s = D_cm2_s === undefined ? diffusivity(material, of)(poor_x) : D_cm2_s / CM2_PER_UM2;
  checkNumber("inradius_um", inradius_um);
  checkNumber("D_cm2_s", D_um2_s * CM2_PER_UM2);
  return (rateConstant(material) * of.slope(poor_x) * inradius_um) / D_um2_s;
}

/**
 * Damkoehler number J R / (D dx): the mean flux J = rate area / perimeter at the rim over what diffusion passes on across the
 * inradius with the lithium dx between the rich phase at rest and its spinodal; in the free energies here the poor phase has
 * the same dx.
 * Throws ParameterError for a solid solution, and for a rate, size or diffusivity that is none.
 */
export function damkohlerNumber(of: {
  readonly x_per_h: number;
  readonly size: ParticleSize;
  readonly D_cm2_s: number;
  readonly material: Material;
}): number {
  record("of", of, "Give x_per_h, size, D_cm2_s and material");
  const { x_per_h, size, D_cm2_s, material } = of;
  checkMaterial(material);
  checkSize(size);
  checkNumber("x_per_h", x_per_h);
  checkNumber("D_cm2_s", D_cm2_s);
  const J_um_s = ((x_per_h / SECONDS_PER_HOUR) * size.area_um2) / size.perimeter_um;
  return (J_um_s * size.inradius_um) / ((D_cm2_s / CM2_PER_UM2) * toSpinodal(material));
}

/**
 * What limits a transition. Delithiation: the rich phase must bring lithium to the rim; where it cannot, the poor phase closes
 * all along it (diffusion-limited, a core). Lithiation: the poor phase must take it away from there. Reaction-limited,
 * where the number that counts is below the wave's end for all that is known of D; diffusion-limited above the core's
 * beginning; mixed between; "undecided" where what is known of D leaves more than one.
 * Throws ParameterError for a solid solution or a size that is none.
 */
export function assessRegime(input: RegimeInput): RegimeVerdict {
  checkInput(input);
  const { direction, size, x_per_h, material, mechanism } = input;
  const of = thermodynamics(material);
  const { poor_x, rich_x } = gapOf(material, of);
  const law = diffusivity(material, of);
  const own = { poor: CM2_PER_UM2 * law(poor_x), rich: CM2_PER_UM2 * law(rich_x) };
  const nothing: KnownDiffusivity = { atLeast_cm2_s: 0, atMost_cm2_s: Infinity, source: "not known" };
  const known = { poor: input.poor ?? nothing, rich: input.rich ?? nothing };
  const range = (phase: "poor" | "rich", numberAt: (D_cm2_s: number) => number): NumberRange => {
    const { atLeast_cm2_s, atMost_cm2_s } = known[phase];
    return {
      value: numberAt(own[phase]),
      least: atMost_cm2_s < Infinity ? numberAt(atMost_cm2_s) : 0,
      most: atLeast_cm2_s > 0 ? numberAt(atLeast_cm2_s) : Infinity,
    };
  };
  const biot = range("poor", (D) => biotNumber(material, size.inradius_um, D));
  const phase = direction === "delithiation" ? "rich" : "poor";
  if (x_per_h === null || !(x_per_h > 0)) {
    return {
      kind: "undecided",
      because: "The particle's rate is not known.",
      damkohler_rich: null,
      damkohler_poor: null,
      biot,
      implied: null,
    };
  }
  const damkohler = (D_cm2_s: number): number => damkohlerNumber({ x_per_h, size, D_cm2_s, material });
  const numbers = { rich: range("rich", damkohler), poor: range("poor", damkohler) };
  const { least, most, value } = numbers[phase];
  const [wave, core] = CROSSOVER[phase];
  const kind =
    most < wave
      ? "reaction-limited"
      : least > core
        ? "diffusion-limited"
        : least >= wave && most <= core
          ? "mixed"
          : "undecided";
  const name = `Da_${phase}`;
  const ends = `the wave ends near ${wave} and cores begin near ${core}`;
  const span =
    most === Infinity ? (least > 0 ? `at least ${short(least)}` : "unbounded") : `${short(least)} to ${short(most)}`;
  return {
    kind,
    because:
      kind === "undecided"
        ? `${name} is ${span} by what is known of D of the ${phase} phase (${known[phase].source}); with the material's ${own[phase].toExponential(1)} cm2/s it were ${short(value)}; ${ends}.`
        : `${name} is ${span}, D of the ${phase} phase from: ${known[phase].source}; ${ends}.`,
    damkohler_rich: numbers.rich,
    damkohler_poor: numbers.poor,
    biot,
    implied: impliedBy(mechanism, phase, damkohler),
  };
}

/** A core on delithiation needs a slow rich phase, a wave a fast one; on lithiation the same of the poor phase. */
function impliedBy(
  mechanism: Mechanism["kind"] | undefined,
  phase: "poor" | "rich",
  damkohler: (D_cm2_s: number) => number,
): Regime["implied"] {
  const [wave, core] = CROSSOVER[phase];
  // The number goes as 1 / D.
  const atOne_cm2_s = damkohler(1);
  if (mechanism === "core") return { phase, atLeast_cm2_s: null, atMost_cm2_s: atOne_cm2_s / wave };
  if (mechanism === "wave") return { phase, atLeast_cm2_s: atOne_cm2_s / core, atMost_cm2_s: null };
  return null;
}

/** Lithium from the rich phase at rest to its spinodal. */
function toSpinodal(material: Material): number {
  const of = thermodynamics(material);
  const { rich_x } = gapOf(material, of);
  const step = 1e-5 * (rich_x - of.middle_x);
  const steepness = (x: number): number => of.mu(x + step) - of.mu(x - step);
  let inside = of.middle_x;
  let outside = rich_x;
  for (let halving = 0; halving < 50; halving++) {
    const x = (inside + outside) / 2;
    // Chemical potential of lithium rises with lithium where a phase is stable.
    if (steepness(x) > 0) outside = x;
    else inside = x;
  }
  return rich_x - outside;
}

/** Throws a ParameterError, named `name`, for a number that no particle has: not above 0, or out of all bounds. */
function checkNumber(name: string, value: number): void {
  within(name, value, 1e-30, 1e15, "Give a number above 0");
}

function checkSize(size: ParticleSize): void {
  record("size", size, "Give area_um2, perimeter_um and inradius_um, as particleSize does");
  for (const name of ["area_um2", "perimeter_um", "inradius_um"] as const) checkNumber(name, size[name]);
}

const MECHANISMS: readonly Mechanism["kind"][] = ["core", "wave", "hybrid", "uniform", "none", "undecided"];

function checkInput(input: RegimeInput): void {
  record("input", input, "Give direction, size, x_per_h and material");
  const { direction, size, x_per_h, material, mechanism } = input;
  oneOf("direction", direction, ["delithiation", "lithiation"]);
  checkMaterial(material);
  checkSize(size);
  if (x_per_h !== null) within("x_per_h", x_per_h, 0, 1e15, "Give lithium per site and hour without sign, or null");
  if (mechanism !== undefined) oneOf("mechanism", mechanism, MECHANISMS);
  for (const phase of ["poor", "rich"] as const) {
    const known = input[phase];
    if (known === undefined) continue;
    record(phase, known, "Give atLeast_cm2_s, atMost_cm2_s and source, or leave it out");
    within(`${phase}.atLeast_cm2_s`, known.atLeast_cm2_s, 0, 1e15);
    within(`${phase}.atMost_cm2_s`, known.atMost_cm2_s, known.atLeast_cm2_s, Infinity, "Give at least atLeast_cm2_s");
    if (typeof known.source !== "string") refuse(`${phase}.source`, known.source, "Give a sentence");
  }
}

function short(value: number): string {
  return value === 0 ? "0" : value.toPrecision(2);
}
