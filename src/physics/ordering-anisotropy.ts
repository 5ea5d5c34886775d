/**
 * The lattice in the energy of walls: weight sum_(i<j) [ A(q)^2 - |q|^2 ], q = eta_i grad eta_j - eta_j grad eta_i.
 *
 * A is convex and equals |q| for a wall along a row, where it has a rounded cusp: walls keep to rows and never break up.
 */
import type { OrderingCells } from "./ordering-cells.js";

/** The lattice in the wall energy: A(q) = c sum_k sqrt((q . m_k)^2 + omega^2 q^2), m_k along three rows 60 degrees apart. */
export interface WallAnisotropy {
  /** What it weighs: strength w kappa / 2; 0 for none. */
  readonly weight_um2: number;
  /** m_k: x and y in turn. */
  readonly rows: Float64Array;
  readonly omega: number;
  readonly c: number;
}

/** Rounds the cusp of the wall energy at a row, in radians. */
const CUSP = 0.1;

/** Rows of a lattice at theta_0 (from +x towards +y), 60 degrees apart. */
export function wallAnisotropy(angle_deg: number, weight_um2: number): WallAnisotropy {
  const rows = new Float64Array(6);
  for (let k = 0; k < 3; k++) {
    const angle = ((angle_deg + 60 * k) * Math.PI) / 180;
    rows[2 * k] = Math.cos(angle);
    rows[2 * k + 1] = Math.sin(angle);
  }
  const c = 1 / (CUSP + 2 * Math.sqrt(0.75 + CUSP * CUSP));
  return { weight_um2, rows, omega: CUSP, c };
}

/** Fills `push` with the derivative of the anisotropic energy by each order, where walls were last looked for. */
export function pushWalls(
  { grid, count, corners, walls, wallCount, push }: OrderingCells,
  { rows, omega, c, weight_um2 }: WallAnisotropy,
  eta: Float64Array,
): void {
  push.fill(0);
  const omega2 = omega * omega;
  const half = 0.5 / grid.h_um;
  for (let wall = 0; wall < wallCount; wall++) {
    const corner = walls[wall]!;
    const p = corners[corner]!;
    const q = corners[corner + 1]!;
    const r = corners[corner + 2]!;
    const t = corners[corner + 3]!;
    for (let i = 0; i < 2; i++) {
      const ti = i * count;
      const meanI = 0.25 * (eta[ti + p]! + eta[ti + q]! + eta[ti + r]! + eta[ti + t]!);
      for (let j = i + 1; j < 3; j++) {
        const tj = j * count;
        const meanJ = 0.25 * (eta[tj + p]! + eta[tj + q]! + eta[tj + r]! + eta[tj + t]!);
        const xi = half * (eta[ti + q]! - eta[ti + p]! + eta[ti + t]! - eta[ti + r]!);
        const yi = half * (eta[ti + r]! - eta[ti + p]! + eta[ti + t]! - eta[ti + q]!);
        const xj = half * (eta[tj + q]! - eta[tj + p]! + eta[tj + t]! - eta[tj + r]!);
        const yj = half * (eta[tj + r]! - eta[tj + p]! + eta[tj + t]! - eta[tj + q]!);
        const qx = meanI * xj - meanJ * xi;
        const qy = meanI * yj - meanJ * yi;
        const q2 = qx * qx + qy * qy;
        if (q2 < 1e-14) continue;
        // d(A^2 - q^2)/dq, A = c sum of roots.
        let A = 0;
        let ax = 0;
        let ay = 0;
        for (let k = 0; k < 6; k += 2) {
          const mx = rows[k]!;
          const my = rows[k + 1]!;
          const along = qx * mx + qy * my;
          const root = Math.sqrt(along * along + omega2 * q2);
          A += root;
          ax += (along * mx + omega2 * qx) / root;
          ay += (along * my + omega2 * qy) / root;
        }
        const px = weight_um2 * 2 * (c * c * A * ax - qx);
        const py = weight_um2 * 2 * (c * c * A * ay - qy);
        // q = m_i grad eta_j - m_j grad eta_i, with means and gradients over the four cells.
        const fromMeanI = 0.25 * (px * xj + py * yj);
        const fromMeanJ = -0.25 * (px * xi + py * yi);
        const sx = half * px;
        const sy = half * py;
        push[ti + p]! += fromMeanI + meanJ * (sx + sy);
        push[ti + q]! += fromMeanI + meanJ * (sy - sx);
        push[ti + r]! += fromMeanI + meanJ * (sx - sy);
        push[ti + t]! += fromMeanI - meanJ * (sx + sy);
        push[tj + p]! += fromMeanJ - meanI * (sx + sy);
        push[tj + q]! += fromMeanJ - meanI * (sy - sx);
        push[tj + r]! += fromMeanJ - meanI * (sx - sy);
        push[tj + t]! += fromMeanJ + meanI * (sx + sy);
      }
    }
  }
}

/** The anisotropic energy, in units of the barrier W times um^2. */
export function wallEnergy(
  { count, corners }: OrderingCells,
  { rows, omega, c, weight_um2 }: WallAnisotropy,
  eta: Float64Array,
): number {
  let sum = 0;
  for (let corner = 0; corner < corners.length; corner += 4) {
    const [p, q, r, t] = [0, 1, 2, 3].map((at) => corners[corner + at]!) as [number, number, number, number];
    const fields = [0, count, 2 * count].map((base) => {
      const [a, b, d, e] = [eta[base + p]!, eta[base + q]!, eta[base + r]!, eta[base + t]!];
      return { mean: (a + b + d + e) / 4, x: (b - a + e - d) / 2, y: (d - a + e - b) / 2 };
    });
    for (const [i, j] of [
      [0, 1],
      [0, 2],
      [1, 2],
    ] as const) {
      const [one, other] = [fields[i]!, fields[j]!];
      const qx = one.mean * other.x - other.mean * one.x;
      const qy = one.mean * other.y - other.mean * one.y;
      const q2 = qx * qx + qy * qy;
      let A = 0;
      for (let k = 0; k < 6; k += 2) A += Math.sqrt((qx * rows[k]! + qy * rows[k + 1]!) ** 2 + omega * omega * q2);
      // Lengths in cells: the cell's area cancels the two gradients.
      sum += c * c * A * A - q2;
    }
  }
  return weight_um2 * sum;
}
