/**
 * Explicit steps far longer than an explicit step may be: the Runge-Kutta-Legendre scheme of second order, RKL2.
 * Meyer, Balsara and Aslam, J. Comput. Phys. 257, 594 (2014), eqs 16 to 20. With s stages a step is stable up to
 * (s^2 + s - 2) / 4 times the forward Euler step 2 / lambda, lambda the largest rate of decay:
 *
 *     Y_1 = Y_0 + mt_1 dt L(Y_0)
 *     Y_j = m_j Y_(j-1) + n_j Y_(j-2) + (1 - m_j - n_j) Y_0 + mt_j dt L(Y_(j-1)) + g_j dt L(Y_0)
 */

/** Coefficients of a step of `stages` stages; entry 0 of each is not used. */
export interface RklCoefficients {
  readonly stages: number;
  readonly mu: Float64Array;
  readonly nu: Float64Array;
  readonly muTilde: Float64Array;
  readonly gammaTilde: Float64Array;
  /** When, in shares of the step, stage j stands. */
  readonly time: Float64Array;
}

/** No step takes more: beyond, a step would be longer than what it resolves. */
export const MOST_STAGES = 199;
/** Share of the stable step that is used. */
const SAFETY = 0.9;

const made = new Map<number, RklCoefficients>();

/** The coefficients of RKL2 with an odd number of stages of at least three. */
export function rkl2(stages: number): RklCoefficients {
  const known = made.get(stages);
  if (known !== undefined) return known;
  const b = (j: number): number => (j < 2 ? 1 / 3 : (j * j + j - 2) / (2 * j * (j + 1)));
  const w = 4 / (stages * stages + stages - 2);
  const mu = new Float64Array(stages + 1);
  const nu = new Float64Array(stages + 1);
  const muTilde = new Float64Array(stages + 1);
  const gammaTilde = new Float64Array(stages + 1);
  const time = new Float64Array(stages + 1);
  muTilde[1] = b(1) * w;
  time[1] = muTilde[1];
  for (let j = 2; j <= stages; j++) {
    mu[j] = (((2 * j - 1) / j) * b(j)) / b(j - 1);
    nu[j] = (-((j - 1) / j) * b(j)) / b(j - 2);
    muTilde[j] = mu[j]! * w;
    gammaTilde[j] = -(1 - b(j - 1)) * muTilde[j]!;
    time[j] = mu[j]! * time[j - 1]! + nu[j]! * time[j - 2]! + muTilde[j]! + gammaTilde[j]!;
  }
  const coefficients = { stages, mu, nu, muTilde, gammaTilde, time };
  made.set(stages, coefficients);
  return coefficients;
}

/** The longest step of RKL2 that is stable where nothing decays faster than `lambda_per_s`. */
export function stableStep(lambda_per_s: number, stages: number): number {
  return (SAFETY * 2 * (stages * stages + stages - 2)) / (4 * lambda_per_s);
}

/** The least odd number of stages, three to MOST_STAGES, with which a step of dt_s is stable. */
export function stagesFor(lambda_per_s: number, dt_s: number): number {
  const needed = (2 * dt_s * lambda_per_s) / SAFETY;
  const stages = Math.ceil((Math.sqrt(9 + 4 * needed) - 1) / 2);
  return Math.min(MOST_STAGES, Math.max(3, stages | 1));
}
