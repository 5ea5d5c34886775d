/**
 * The potential at which particles together pass an electrode's current I. Each has its own reaction, and two resistances
 * between it and the electrode's terminal: its contact carries its own current, its way through the electrode all of I.
 *
 *     q = phi + way I + contact R(q),   R(q) = A exp(-q / 2) - B exp(q / 2),   sum of share R = I
 */
import { potentialFor, rateAt, type RimRates } from "./edge-reaction.js";
import type { Command, PhaseFieldSolver } from "./phase-field-solver.js";

/** Potential and rates, into the solver, for what the rims stand at under a command. */
export function settlePotential(solver: PhaseFieldSolver, command: Command): void {
  solver.limited = false;
  if (command.kind === "potential") {
    holdPotential(solver, command.phi);
    return;
  }
  const { rate_per_s, least_phi, most_phi } = command;
  const phi = solver.contact_kT_s.some(isPositive) ? throughContacts(solver, rate_per_s) : atOnce(solver, rate_per_s);
  if (phi > most_phi || phi < least_phi) {
    solver.limited = true;
    holdPotential(solver, phi > most_phi ? most_phi : least_phi);
    return;
  }
  solver.phi = phi;
  ratesAt(solver, phi, rate_per_s);
  solver.rate_per_s = rate_per_s;
}

function isPositive(value: number): boolean {
  return value > 0;
}

/** Electrode potential for a rate where no particle has a contact: the rims are one rim. */
function atOnce(solver: PhaseFieldSolver, rate_per_s: number): number {
  const { particles, shares, way_kT_s, total } = solver;
  total.into = 0;
  total.outOf = 0;
  for (let at = 0; at < particles.length; at++) {
    const { rates } = particles[at]!;
    const lift = Math.exp(-0.5 * way_kT_s[at]! * rate_per_s);
    total.into += shares[at]! * rates.into * lift;
    total.outOf += (shares[at]! * rates.outOf) / lift;
  }
  return potentialFor(rate_per_s, total);
}

/** Holds the electrode at a potential; the rate that the ways lose potential by is the one that flows. */
function holdPotential(solver: PhaseFieldSolver, phi: number): void {
  solver.phi = phi;
  let rate_per_s = ratesAt(solver, phi, 0);
  if (solver.way_kT_s.some(isPositive)) {
    // The more the ways lose, the less flows: the rate lies between none and that without them.
    let low = Math.min(0, rate_per_s);
    let high = Math.max(0, rate_per_s);
    for (let halving = 0; halving < 60; halving++) {
      rate_per_s = (low + high) / 2;
      if (ratesAt(solver, phi, rate_per_s) > rate_per_s) low = rate_per_s;
      else high = rate_per_s;
    }
    rate_per_s = ratesAt(solver, phi, rate_per_s);
  }
  solver.rate_per_s = rate_per_s;
}

/** Rates of all particles at an electrode potential, with what their ways lose by a rate of the electrode; their sum. */
function ratesAt(solver: PhaseFieldSolver, phi: number, lostBy_per_s: number): number {
  const { particles, shares, contact_kT_s, way_kT_s, phiOf, rateOf } = solver;
  let sum = 0;
  for (let at = 0; at < particles.length; at++) {
    const { rates } = particles[at]!;
    const own = behindContact(phi + way_kT_s[at]! * lostBy_per_s, contact_kT_s[at]!, rates);
    phiOf[at] = own;
    rateOf[at] = rateAt(own, rates);
    sum += shares[at]! * rateOf[at]!;
  }
  return sum;
}

/** Potential q of a particle behind a contact: q = phi + r (A exp(-q / 2) - B exp(q / 2)), by Newton between phi and rest. */
function behindContact(phi: number, contact_kT_s: number, rates: RimRates): number {
  if (!(contact_kT_s > 0)) return phi;
  const rest = potentialFor(0, rates);
  let low = Math.min(phi, rest);
  let high = Math.max(phi, rest);
  let q = (low + high) / 2;
  for (let turn = 0; turn < 100; turn++) {
    const u = Math.exp(-0.5 * q);
    const error = q - phi - contact_kT_s * (rates.into * u - rates.outOf / u);
    if (error > 0) high = q;
    else low = q;
    let next = q - error / (1 + 0.5 * contact_kT_s * (rates.into * u + rates.outOf / u));
    if (!(next > low && next < high)) next = (low + high) / 2;
    if (Math.abs(next - q) <= 1e-14 * (1 + Math.abs(q))) return next;
    q = next;
  }
  return q;
}

/**
 * Electrode potential at which contacts and rims together pass a rate, by Newton kept within a bracket, from the potential
 * of the last stage on.
 */
function throughContacts(solver: PhaseFieldSolver, rate_per_s: number): number {
  let phi = solver.phi;
  let low = -Infinity;
  let high = Infinity;
  for (let turn = 0; turn < 200; turn++) {
    const excess = ratesAt(solver, phi, rate_per_s) - rate_per_s;
    if (excess === 0) return phi;
    // The rate falls as the potential rises.
    if (excess > 0) low = phi;
    else high = phi;
    let slope = 0;
    for (let at = 0; at < solver.particles.length; at++) {
      const { rates } = solver.particles[at]!;
      const u = Math.exp(-0.5 * solver.phiOf[at]!);
      const own = 0.5 * (rates.into * u + rates.outOf / u);
      slope += (solver.shares[at]! * own) / (1 + solver.contact_kT_s[at]! * own);
    }
    let next = phi + Math.max(-20, Math.min(20, excess / slope));
    if (!(next > low && next < high)) {
      next = Number.isFinite(low + high) ? (low + high) / 2 : phi + Math.sign(excess) * 20;
    }
    if (Math.abs(next - phi) <= 4e-16 * (1 + Math.abs(phi))) return next;
    phi = next;
  }
  return phi;
}
