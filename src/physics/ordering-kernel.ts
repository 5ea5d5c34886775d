/**
 * The order of the three variants on a particle's cells: its energy, what that energy pushes them to, and how fast they follow.
 *
 * eta_1..3 are the amounts of the three variants (0 disordered, 1 ordered), s their sum; energies in units of the barrier W:
 *
 *     f = w/2 sum g(eta_i) + (2 - w)/2 g(s) - D [sum h(eta_i) + 6 sum_(i<j) (1 - eta_i - eta_j - 3 eta_k^2) k(eta_i eta_j)]
 *       + Q (1 - s)^2 p^2 + kappa/4 [ w sum |grad eta_i|^2 + (2 - w) |grad s|^2 ]
 *       + strength w kappa/2 sum_(i<j) [ A(q_ij)^2 - |q_ij|^2 ],    p = sum_(i<j) eta_i eta_j
 *       g(y) = y^2 (1 - y)^2,  h(y) = y^2 (3 - 2 y),  k(p) = 12 p^2 - 32 p^3, or 64 p^3 - 192 p^4 where D > 0
 *
 * Terms of second, third and fourth order make four minima of equal depth at D = 0, minima while |D| < w / 6: the
 * transition is of first order. Then every boundary of two of the four is y = 1/2 [1 - tanh(z / delta)], kappa = delta^2 / 2,
 * with no third in it. The order follows the energy down, d eta / dt = - L d f / d eta, and a straight front is the
 * travelling wave of Nagumo's equation: the same profile at every drive, velocity 3 L D delta.
 *
 * The rest acts in walls alone, where two variants overlap. A wall costs w times what a front does, less than the two
 * fronts that would wet it with disorder; k keeps the drive off it (more gently where D > 0, as another variant must not
 * grow in a front), and Q holes, so that it stands while the domains beside it disorder. A gives it the lattice's
 * directions: q_ij = eta_i grad eta_j - eta_j grad eta_i.
 */
import { pushWalls, wallEnergy, type WallAnisotropy } from "./ordering-anisotropy.js";
import type { OrderingCells } from "./ordering-cells.js";

/** w: energy of a wall over that of a front; what it leaves the sum. */
const WALL_ENERGY = 1.25;
const REST = 2 - WALL_ENERGY;
/** 2 Q: what a wall resists to holes. */
const HOLES = 30;
/** p_0: where p is so large, half of what makes a wall different holds; in a wall's middle p is 1/4. */
const WALL_PRODUCT = 0.03;

/** L of the exchange of two variants (1/s) for a wall that moves with mobility_um2_s times its curvature. */
export function wallCoefficient(mobility_um2_s: number, delta_um: number): number {
  // The exchange relaxes with L w kappa / 2, kappa = delta^2 / 2.
  return (4 * mobility_um2_s) / (WALL_ENERGY * delta_um * delta_um);
}

/** What an anisotropy of a strength of 0 to 1 weighs: at 1 a wall between two rows costs 10 % more than one along a row. */
export function weightOf(strength: number, delta_um: number): number {
  // w kappa / 2, kappa = delta^2 / 2.
  return (strength * WALL_ENERGY * delta_um * delta_um) / 4;
}

/** Numbers of the law of motion. */
export interface OrderingLaw {
  readonly delta_um: number;
  /** L, 1/s: how fast a front follows its drive. */
  readonly front_per_s: number;
  /** The same for the exchange of two variants, 1/s: how fast a wall follows its tension. */
  readonly wall_per_s: number;
  readonly anisotropy: WallAnisotropy;
}

/** How the state moves now, 1/s, into `rate`, with walls where they were last looked for; the drive is D / W. */
export function orderingRate(
  cells: OrderingCells,
  law: OrderingLaw,
  drive: number,
  eta: Float64Array,
  rate: Float64Array,
): void {
  const { grid, count, beside, push } = cells;
  const stiffness = (law.delta_um * law.delta_um) / (4 * grid.h_um * grid.h_um);
  const tilt = (6 * drive) / WALL_ENERGY;
  const { front_per_s } = law;
  const gain_per_s = law.wall_per_s - front_per_s;
  const n2 = 2 * count;
  const anisotropic = law.anisotropy.weight_um2 > 0 && cells.wallCount > 0;
  if (anisotropic) pushWalls(cells, law.anisotropy, eta);
  for (let at = 0; at < count; at++) {
    const left = beside[4 * at]!;
    const right = beside[4 * at + 1]!;
    const up = beside[4 * at + 2]!;
    const down = beside[4 * at + 3]!;
    const a = eta[at]!;
    const b = eta[count + at]!;
    const c = eta[n2 + at]!;
    const lapA = eta[left]! + eta[right]! + eta[up]! + eta[down]! - 4 * a;
    const lapB = eta[count + left]! + eta[count + right]! + eta[count + up]! + eta[count + down]! - 4 * b;
    const lapC = eta[n2 + left]! + eta[n2 + right]! + eta[n2 + up]! + eta[n2 + down]! - 4 * c;
    const s = a + b + c;
    const p = a * b + b * c + c * a;
    const gap = HOLES * (1 - s) * p;
    const common = REST * (s * (1 - s) * (1 - 2 * s) - stiffness * (lapA + lapB + lapC)) - gap * p;
    let muA = WALL_ENERGY * (a * (1 - a) * (1 - 2 * a - tilt) - stiffness * lapA) + common + gap * (1 - s) * (b + c);
    let muB = WALL_ENERGY * (b * (1 - b) * (1 - 2 * b - tilt) - stiffness * lapB) + common + gap * (1 - s) * (a + c);
    let muC = WALL_ENERGY * (c * (1 - c) * (1 - 2 * c - tilt) - stiffness * lapC) + common + gap * (1 - s) * (a + b);
    if (anisotropic) {
      muA += push[at]!;
      muB += push[count + at]!;
      muC += push[n2 + at]!;
    }
    let exchange_per_s = front_per_s;
    if (p > 0) {
      exchange_per_s += gain_per_s * wallShare(p);
      const pull = 6 * drive;
      const keptAB = keptOff(a * b, drive > 0);
      const keptAC = keptOff(a * c, drive > 0);
      const keptBC = keptOff(b * c, drive > 0);
      const inAB = wallPull(a * b, drive > 0) * (1 - a - b - 3 * c * c);
      const inAC = wallPull(a * c, drive > 0) * (1 - a - c - 3 * b * b);
      const inBC = wallPull(b * c, drive > 0) * (1 - b - c - 3 * a * a);
      muA += pull * (keptAB + keptAC + 6 * a * keptBC - inAB * b - inAC * c);
      muB += pull * (keptAB + keptBC + 6 * b * keptAC - inAB * a - inBC * c);
      muC += pull * (keptAC + keptBC + 6 * c * keptAB - inAC * a - inBC * b);
    }
    const shared = ((exchange_per_s - front_per_s) * (muA + muB + muC)) / 3;
    rate[at] = shared - exchange_per_s * muA;
    rate[count + at] = shared - exchange_per_s * muB;
    rate[n2 + at] = shared - exchange_per_s * muC;
  }
}

/** How far a place is a wall, 0 to 1. */
function wallShare(p: number): number {
  return (p * p) / (p * p + WALL_PRODUCT * WALL_PRODUCT);
}

/** k(p) of two variants' product: in a wall's middle k = p and even; none where one variant is negative. */
function keptOff(p: number, ordering: boolean): number {
  if (p <= 0) return 0;
  if (p >= 0.25) return 0.25;
  return ordering ? p * p * p * (64 - 192 * p) : p * p * (12 - 32 * p);
}

/** Its derivative. */
function wallPull(p: number, ordering: boolean): number {
  if (p <= 0 || p >= 0.25) return 0;
  return ordering ? p * p * (192 - 768 * p) : p * (24 - 96 * p);
}

/** An upper bound of the fastest decay, 1/s, with walls where they were last looked for. */
export function fastestOrdering({ grid, wallCount, wallMost }: OrderingCells, law: OrderingLaw, drive: number): number {
  const steepest = (2 * law.delta_um * law.delta_um) / (grid.h_um * grid.h_um);
  // All three fields together weigh on their sum three times.
  const front = law.front_per_s * ((WALL_ENERGY + 3 * REST) * (steepest + 1) + 6 * Math.abs(drive));
  const gain_per_s = Math.max(0, law.wall_per_s - law.front_per_s) * wallShare(wallMost);
  const { weight_um2, omega, c } = law.anisotropy;
  const anisotropic = wallCount > 0 ? (2 * weight_um2 * (1 + c / omega)) / weightOf(1, law.delta_um) : 0;
  const exchange_per_s = law.front_per_s + gain_per_s;
  const holes = law.front_per_s * 3 * HOLES * wallMost * wallMost;
  return front + holes + WALL_ENERGY * (gain_per_s * (steepest + 2) + exchange_per_s * steepest * anisotropic);
}

/** Energy in units of the barrier W times um^2; the drive is D / W. */
export function orderingEnergy(cells: OrderingCells, law: OrderingLaw, drive: number, eta: Float64Array): number {
  const { grid, count, beside } = cells;
  const { h_um } = grid;
  const kappa = (law.delta_um * law.delta_um) / 2;
  let bulk = 0;
  let gradients = 0;
  for (let at = 0; at < count; at++) {
    const right = beside[4 * at + 1]!;
    const down = beside[4 * at + 3]!;
    let s = 0;
    let acrossX = 0;
    let acrossY = 0;
    for (let base = 0; base < 3 * count; base += count) {
      const y = eta[base + at]!;
      const x = eta[base + right]! - y;
      const z = eta[base + down]! - y;
      s += y;
      acrossX += x;
      acrossY += z;
      gradients += WALL_ENERGY * (x * x + z * z);
      bulk += 0.5 * WALL_ENERGY * (y * (1 - y)) ** 2 - drive * y * y * (3 - 2 * y);
    }
    bulk += 0.5 * REST * (s * (1 - s)) ** 2;
    const [a, b, c] = [eta[at]!, eta[count + at]!, eta[2 * count + at]!];
    bulk += (HOLES / 2) * ((1 - s) * (a * b + b * c + c * a)) ** 2;
    const kept =
      (1 - a - b - 3 * c * c) * keptOff(a * b, drive > 0) +
      (1 - a - c - 3 * b * b) * keptOff(a * c, drive > 0) +
      (1 - b - c - 3 * a * a) * keptOff(b * c, drive > 0);
    bulk -= 6 * drive * kept;
    gradients += REST * (acrossX * acrossX + acrossY * acrossY);
  }
  return bulk * h_um * h_um + 0.25 * kappa * gradients + wallEnergy(cells, law.anisotropy, eta);
}
