/** Statistics of columns of numbers, most of them robust. Values that are not finite count as absent. */
import { random } from "./random.js";

/** Mean of the finite values; NaN where there is none. */
export function mean(values: ArrayLike<number>): number {
  let sum = 0;
  let n = 0;
  for (let at = 0; at < values.length; at++) {
    const value = values[at]!;
    if (!Number.isFinite(value)) continue;
    sum += value;
    n++;
  }
  return n === 0 ? NaN : sum / n;
}

/** Median of the finite values; NaN where there is none. */
export function median(values: ArrayLike<number>): number {
  return quantile(values, 0.5);
}

/** Median of the steps from each value to the next; NaN where there are fewer than two. */
export function medianStep(values: Float64Array): number {
  return median(Float64Array.from(values.subarray(1), (value, at) => value - values[at]!));
}

/** Quantile q in 0 ... 1 of the finite values, linear between the two nearest ranks; NaN where there is none. */
export function quantile(values: ArrayLike<number>, q: number): number {
  const finite = finiteOf(values);
  return quantileInPlace(finite, finite.length, q);
}

/** Standard deviation of the middle of a distribution: 1.4826 times the median absolute deviation from the median. */
export function madSigma(values: ArrayLike<number>): number {
  const finite = finiteOf(values);
  return madSigmaInPlace(finite, finite.length);
}

/** The same of the first `n` entries of a buffer of finite numbers, which are overwritten. */
export function madSigmaInPlace(buffer: Float64Array, n: number): number {
  const middle = quantileInPlace(buffer, n, 0.5);
  for (let at = 0; at < n; at++) buffer[at] = Math.abs(buffer[at]! - middle);
  return 1.4826 * quantileInPlace(buffer, n, 0.5);
}

/** A table of rows laid column by column. */
export function transposed(values: Float32Array, rows: number, columns: number): Float32Array {
  const result = new Float32Array(rows * columns);
  const side = 16;
  for (let top = 0; top < rows; top += side) {
    const bottom = Math.min(rows, top + side);
    for (let left = 0; left < columns; left += side) {
      const right = Math.min(columns, left + side);
      for (let column = left; column < right; column++) {
        for (let row = top; row < bottom; row++) result[column * rows + row] = values[row * columns + column]!;
      }
    }
  }
  return result;
}

/**
 * Quantile of the first `n` entries of a buffer of finite numbers, which are put into another order.
 * By Hoare's selection, in linear time.
 */
export function quantileInPlace(buffer: Float64Array, n: number, q: number): number {
  if (n === 0) return NaN;
  const rank = Math.min(Math.max(q, 0), 1) * (n - 1);
  const below = Math.floor(rank);
  select(buffer, n, below);
  const lower = buffer[below]!;
  if (rank === below) return lower;
  let upper = Infinity;
  for (let at = below + 1; at < n; at++) if (buffer[at]! < upper) upper = buffer[at]!;
  return lower + (rank - below) * (upper - lower);
}

/** Puts the entry of rank `k` at place `k`, smaller ones before it, greater ones after. */
function select(buffer: Float64Array, n: number, k: number): void {
  let left = 0;
  let right = n - 1;
  while (left < right) {
    const pivot = buffer[(left + right) >> 1]!;
    let i = left;
    let j = right;
    while (i <= j) {
      while (buffer[i]! < pivot) i++;
      while (buffer[j]! > pivot) j--;
      if (i <= j) {
        const held = buffer[i]!;
        buffer[i++] = buffer[j]!;
        buffer[j--] = held;
      }
    }
    if (k <= j) right = j;
    else if (k >= i) left = i;
    else return;
  }
}

function finiteOf(values: ArrayLike<number>): Float64Array {
  const finite = new Float64Array(values.length);
  let n = 0;
  for (let at = 0; at < values.length; at++) {
    const value = values[at]!;
    if (Number.isFinite(value)) finite[n++] = value;
  }
  return finite.subarray(0, n);
}

/** A straight line y = intercept + slope x. */
export interface Line {
  readonly slope: number;
  readonly intercept: number;
}

/** Points above which Theil and Sen's line is drawn from a share of the pairs. */
const ALL_PAIRS = 1500;

/**
 * The line of Theil and Sen: slope is the median of the slopes of all pairs, intercept the median of what is left.
 * Pairs with a number that is not finite, or with one x, are left out; NaN where no pair remains.
 * Above 1500 points an even share of about a million pairs is used.
 */
export function theilSen(x: ArrayLike<number>, y: ArrayLike<number>): Line {
  const order: number[] = [];
  for (let at = 0; at < x.length; at++) if (Number.isFinite(x[at]!) && Number.isFinite(y[at]!)) order.push(at);
  order.sort((a, b) => x[a]! - x[b]!);
  const n = order.length;
  const stride = n <= ALL_PAIRS ? 1 : Math.ceil((n * n) / (ALL_PAIRS * ALL_PAIRS));
  const slopes = new Float64Array(Math.max(0, Math.ceil((n - 1) / stride)) * n);
  let count = 0;
  for (let lag = stride === 1 ? 1 : n % stride || stride; lag < n; lag += stride) {
    for (let at = 0; at + lag < n; at++) {
      const from = order[at]!;
      const to = order[at + lag]!;
      if (x[to]! !== x[from]!) slopes[count++] = (y[to]! - y[from]!) / (x[to]! - x[from]!);
    }
  }
  const slope = quantileInPlace(slopes, count, 0.5);
  const rest = new Float64Array(n);
  for (let at = 0; at < n; at++) rest[at] = y[order[at]!]! - slope * x[order[at]!]!;
  return { slope, intercept: Number.isNaN(slope) ? NaN : quantileInPlace(rest, n, 0.5) };
}

/**
 * The least-squares line, each point counted by its weight (1 where none are given; inverse variances, up to a factor).
 * The standard errors come from the scatter about the line, so a common factor of the weights does not matter;
 * they are NaN with fewer than three points. Points with a number that is not finite or a weight that is not
 * positive are left out.
 */
export function linearFit(
  x: ArrayLike<number>,
  y: ArrayLike<number>,
  weights?: ArrayLike<number>,
): Line & { readonly slopeSd: number; readonly interceptSd: number } {
  let n = 0;
  let sum = 0;
  let sumX = 0;
  let sumY = 0;
  const weightOf = (at: number): number => {
    const weight = weights === undefined ? 1 : weights[at]!;
    return weight > 0 && Number.isFinite(weight) && Number.isFinite(x[at]!) && Number.isFinite(y[at]!) ? weight : 0;
  };
  for (let at = 0; at < x.length; at++) {
    const weight = weightOf(at);
    if (weight === 0) continue;
    n++;
    sum += weight;
    sumX += weight * x[at]!;
    sumY += weight * y[at]!;
  }
  const meanX = sumX / sum;
  const meanY = sumY / sum;
  let xx = 0;
  let xy = 0;
  for (let at = 0; at < x.length; at++) {
    const weight = weightOf(at);
    if (weight === 0) continue;
    xx += weight * (x[at]! - meanX) ** 2;
    xy += weight * (x[at]! - meanX) * (y[at]! - meanY);
  }
  if (n < 2 || !(xx > 0)) return { slope: NaN, intercept: NaN, slopeSd: NaN, interceptSd: NaN };
  const slope = xy / xx;
  const intercept = meanY - slope * meanX;
  let left = 0;
  for (let at = 0; at < x.length; at++) {
    const weight = weightOf(at);
    if (weight > 0) left += weight * (y[at]! - intercept - slope * x[at]!) ** 2;
  }
  const variance = n > 2 ? left / (n - 2) : NaN;
  return {
    slope,
    intercept,
    slopeSd: Math.sqrt(variance / xx),
    interceptSd: Math.sqrt(variance * (1 / sum + (meanX * meanX) / xx)),
  };
}

/**
 * Otsu's threshold: the level that parts the finite values into two classes of the greatest variance between them,
 * over a histogram from smallest to greatest (Otsu 1979). Where several levels part alike, their middle.
 * NaN where fewer than two different values are finite.
 */
export function otsu(values: ArrayLike<number>, bins = 256): number {
  let low = Infinity;
  let high = -Infinity;
  for (let at = 0; at < values.length; at++) {
    const value = values[at]!;
    if (!Number.isFinite(value)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (!(high > low)) return NaN;
  const histogram = new Float64Array(bins);
  const scale = bins / (high - low);
  let total = 0;
  let moment = 0;
  for (let at = 0; at < values.length; at++) {
    const value = values[at]!;
    if (!Number.isFinite(value)) continue;
    const bin = Math.min(bins - 1, Math.floor((value - low) * scale));
    histogram[bin] = histogram[bin]! + 1;
    total++;
    moment += bin;
  }
  let best = -1;
  let first = 0;
  let last = 0;
  let below = 0;
  let belowMoment = 0;
  for (let bin = 0; bin < bins - 1; bin++) {
    below += histogram[bin]!;
    belowMoment += bin * histogram[bin]!;
    const above = total - below;
    if (below === 0 || above === 0) continue;
    const between = below * above * (belowMoment / below - (moment - belowMoment) / above) ** 2;
    if (between > best * (1 + 1e-12)) {
      best = between;
      first = bin;
      last = bin;
    } else if (between >= best * (1 - 1e-12)) last = bin;
  }
  return low + (0.5 * (first + last) + 1) / scale;
}

/**
 * The never-falling sequence nearest to the values in weighted least squares, by pooling neighbours that fall.
 * Values that are not finite, or of no weight, take no part and stay NaN.
 */
export function isotonic(values: ArrayLike<number>, weights?: ArrayLike<number>): Float64Array {
  const level = new Float64Array(values.length);
  const weight = new Float64Array(values.length);
  const size = new Int32Array(values.length);
  const takesPart = (at: number): boolean =>
    Number.isFinite(values[at]!) && (weights === undefined || weights[at]! > 0);
  let pools = 0;
  for (let at = 0; at < values.length; at++) {
    if (!takesPart(at)) continue;
    level[pools] = values[at]!;
    weight[pools] = weights === undefined ? 1 : weights[at]!;
    size[pools] = 1;
    while (pools > 0 && level[pools - 1]! > level[pools]!) {
      const sum = weight[pools - 1]! + weight[pools]!;
      level[pools - 1] = (level[pools - 1]! * weight[pools - 1]! + level[pools]! * weight[pools]!) / sum;
      weight[pools - 1] = sum;
      size[pools - 1] = size[pools - 1]! + size[pools]!;
      pools--;
    }
    pools++;
  }
  const result = new Float64Array(values.length).fill(NaN);
  let pool = 0;
  let used = 0;
  for (let at = 0; at < values.length; at++) {
    if (!takesPart(at)) continue;
    result[at] = level[pool]!;
    if (++used === size[pool]!) {
      pool++;
      used = 0;
    }
  }
  return result;
}

/**
 * What a statistic of `n` items becomes when the items are drawn anew, with replacement, `draws` times (Efron 1979).
 * The statistic gets the indices drawn; the array is the same one at every call.
 */
export function bootstrap(
  n: number,
  statistic: (indices: Int32Array) => number,
  draws: number,
  seed: number,
): Float64Array {
  const source = random(seed);
  const indices = new Int32Array(n);
  const result = new Float64Array(draws);
  for (let draw = 0; draw < draws; draw++) {
    for (let at = 0; at < n; at++) indices[at] = source.integer(n);
    result[draw] = statistic(indices);
  }
  return result;
}
