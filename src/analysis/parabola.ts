/** A parabola through points, and its vertex. */

/** level + bend (x - vertex)^2; `vertexSd` from the scatter about it, NaN with fewer than four points. */
export interface Parabola {
  readonly vertex: number;
  readonly vertexSd: number;
  readonly bend: number;
  readonly level: number;
}

/** The least-squares parabola by orthogonal polynomials; its vertex is not finite where the points have no bend. */
export function fitParabola(x: ArrayLike<number>, y: ArrayLike<number>): Parabola {
  const n = x.length;
  let middle = 0;
  for (let at = 0; at < n; at++) middle += x[at]! / n;
  let square = 0;
  let cube = 0;
  for (let at = 0; at < n; at++) {
    square += (x[at]! - middle) ** 2;
    cube += (x[at]! - middle) ** 3;
  }
  const skew = cube / square;
  const second = (at: number): number => {
    const from = x[at]! - middle;
    return from * from - skew * from - square / n;
  };
  let mean = 0;
  let first = 0;
  let bend = 0;
  let norm = 0;
  for (let at = 0; at < n; at++) {
    mean += y[at]! / n;
    first += ((x[at]! - middle) * y[at]!) / square;
    bend += second(at) * y[at]!;
    norm += second(at) ** 2;
  }
  bend /= norm;
  let left = 0;
  for (let at = 0; at < n; at++) left += (y[at]! - mean - first * (x[at]! - middle) - bend * second(at)) ** 2;
  const variance = n > 3 ? left / (n - 3) : NaN;
  const slope = first - bend * skew;
  const shift = -slope / (2 * bend);
  // d(shift) = -d(first) / (2 bend) + first d(bend) / (2 bend^2); both coefficients are independent.
  const shiftVariance = variance * (1 / square + (first / bend) ** 2 / norm);
  return {
    vertex: middle + shift,
    vertexSd: Math.sqrt(shiftVariance) / Math.abs(2 * bend),
    bend,
    level: mean - (bend * square) / n - bend * shift * shift,
  };
}
