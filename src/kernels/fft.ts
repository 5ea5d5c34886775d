/** The discrete Fourier transform of images. */

/** What the transform of one length needs: radices in order, and the roots of unity each stage multiplies by. */
interface Plan {
  readonly radices: readonly number[];
  /** For each stage, cosines and sines of -2 pi p k / length, k = 1 ... radix - 1 within p. */
  readonly cosines: readonly Float64Array[];
  readonly sines: readonly Float64Array[];
}

const plans = new Map<number, Plan>();

/** The smallest length not below `n` that the transform takes: 2^a 3^b 5^c. */
export function nextFastSize(n: number): number {
  for (let size = Math.max(1, Math.ceil(n)); ; size++) if (factorsOf(size) !== null) return size;
}

/**
 * Two-dimensional discrete Fourier transform of re + i im, in place; width and height of the form 2^a 3^b 5^c, else a
 * RangeError. Row-major; frequency 0 first, then rising, the negative ones last.
 *
 *     F(u, v) = sum over x, y of f(x, y) exp(-2 pi i (u x / width + v y / height))
 *
 * The inverse has +2 pi i and is divided by width * height.
 * Stockham's self-sorting form with radices 4, 2, 3 and 5 (Van Loan 1992, 1.7), eight lines at a time.
 */
export function fft2(re: Float64Array, im: Float64Array, width: number, height: number, inverse: boolean): void {
  const alongX = planOf(width);
  const alongY = planOf(height);
  const [a, b] = inverse ? [im, re] : [re, im];
  transformRows(a, b, width, height, alongX);
  transformColumns(a, b, width, 0, width, alongY, height);
  if (inverse) scale(a, b, 1 / (width * height));
}

/**
 * The same transform of a real image, in about half the time: rows go in pairs, and half of the columns follow from
 * F(-u, -v) = conj F(u, v). `re` holds the image on the way in; `im` need not be empty.
 */
export function fft2Real(re: Float64Array, im: Float64Array, width: number, height: number): void {
  const alongX = planOf(width);
  const alongY = planOf(height);
  const scratch = scratchFor(width);
  const evenRows = height - (height % (2 * LINES));
  im.fill(0);
  for (let y = 0; y < evenRows; y += 2 * LINES) {
    gatherRows(re, width, y, LINES, scratch.re);
    gatherRows(re, width, y + LINES, LINES, scratch.im);
    stages(scratch, width, LINES, alongX);
    // The transforms of two real rows p, q lie in that of p + i q as its even and odd halves under u -> -u.
    for (let line = 0; line < LINES; line++) {
      const p = (y + line) * width;
      const q = p + LINES * width;
      for (let u = 0; u < width; u++) {
        const at = u * LINES + line;
        const mirrored = (u === 0 ? 0 : width - u) * LINES + line;
        re[p + u] = 0.5 * (scratch.re[at]! + scratch.re[mirrored]!);
        im[p + u] = 0.5 * (scratch.im[at]! - scratch.im[mirrored]!);
        re[q + u] = 0.5 * (scratch.im[at]! + scratch.im[mirrored]!);
        im[q + u] = 0.5 * (scratch.re[mirrored]! - scratch.re[at]!);
      }
    }
  }
  const rest = evenRows * width;
  transformRows(re.subarray(rest), im.subarray(rest), width, height - evenRows, alongX);
  const half = Math.floor(width / 2) + 1;
  transformColumns(re, im, width, 0, half, alongY, height);
  for (let v = 0; v < height; v++) {
    const row = v * width;
    const mirroredRow = (v === 0 ? 0 : height - v) * width;
    for (let u = half; u < width; u++) {
      re[row + u] = re[mirroredRow + width - u]!;
      im[row + u] = -im[mirroredRow + width - u]!;
    }
  }
}

/** Lines transformed together, so that the inner loop runs over neighbours in memory. */
const LINES = 8;

interface Scratch {
  re: Float64Array;
  im: Float64Array;
  otherRe: Float64Array;
  otherIm: Float64Array;
}

function scratchFor(length: number): Scratch {
  const n = length * LINES;
  return {
    re: new Float64Array(n),
    im: new Float64Array(n),
    otherRe: new Float64Array(n),
    otherIm: new Float64Array(n),
  };
}

function transformRows(re: Float64Array, im: Float64Array, width: number, height: number, plan: Plan): void {
  const scratch = scratchFor(width);
  for (let y = 0; y < height; y += LINES) {
    const lines = Math.min(LINES, height - y);
    gatherRows(re, width, y, lines, scratch.re);
    gatherRows(im, width, y, lines, scratch.im);
    stages(scratch, width, lines, plan);
    for (let line = 0; line < lines; line++) {
      const start = (y + line) * width;
      for (let x = 0, at = line; x < width; x++, at += lines) {
        re[start + x] = scratch.re[at]!;
        im[start + x] = scratch.im[at]!;
      }
    }
  }
}

function gatherRows(from: Float64Array, width: number, y: number, lines: number, into: Float64Array): void {
  for (let line = 0; line < lines; line++) {
    const start = (y + line) * width;
    for (let x = 0, at = line; x < width; x++, at += lines) into[at] = from[start + x]!;
  }
}

function transformColumns(
  re: Float64Array,
  im: Float64Array,
  width: number,
  first: number,
  end: number,
  plan: Plan,
  height: number,
): void {
  const scratch = scratchFor(height);
  for (let x = first; x < end; x += LINES) {
    const lines = Math.min(LINES, end - x);
    for (let y = 0, at = 0; y < height; y++) {
      const start = y * width + x;
      for (let line = 0; line < lines; line++, at++) {
        scratch.re[at] = re[start + line]!;
        scratch.im[at] = im[start + line]!;
      }
    }
    stages(scratch, height, lines, plan);
    for (let y = 0, at = 0; y < height; y++) {
      const start = y * width + x;
      for (let line = 0; line < lines; line++, at++) {
        re[start + line] = scratch.re[at]!;
        im[start + line] = scratch.im[at]!;
      }
    }
  }
}

function scale(re: Float64Array, im: Float64Array, factor: number): void {
  for (let at = 0; at < re.length; at++) {
    re[at] = re[at]! * factor;
    im[at] = im[at]! * factor;
  }
}

/**
 * Forward transform of `lines` interleaved lines held in scratch.re and scratch.im. Each stage splits the length by its
 * radix r, and takes x[q + s (p + m k)] to y[q + s (r p + k)], q running over what is already apart.
 */
function stages(scratch: Scratch, length: number, lines: number, plan: Plan): void {
  let stride = lines;
  let rest = length;
  for (let stage = 0; stage < plan.radices.length; stage++) {
    const radix = plan.radices[stage]!;
    rest /= radix;
    const { re, im, otherRe, otherIm } = scratch;
    const cosines = plan.cosines[stage]!;
    const sines = plan.sines[stage]!;
    if (radix === 4) stage4(re, im, otherRe, otherIm, rest, stride, cosines, sines);
    else if (radix === 2) stage2(re, im, otherRe, otherIm, rest, stride, cosines, sines);
    else if (radix === 3) stage3(re, im, otherRe, otherIm, rest, stride, cosines, sines);
    else stage5(re, im, otherRe, otherIm, rest, stride, cosines, sines);
    scratch.re = otherRe;
    scratch.im = otherIm;
    scratch.otherRe = re;
    scratch.otherIm = im;
    stride *= radix;
  }
}

type Stage = (
  re: Float64Array,
  im: Float64Array,
  toRe: Float64Array,
  toIm: Float64Array,
  m: number,
  s: number,
  cosines: Float64Array,
  sines: Float64Array,
) => void;

const stage2: Stage = (re, im, toRe, toIm, m, s, cosines, sines) => {
  for (let p = 0; p < m; p++) {
    const c = cosines[p]!;
    const d = sines[p]!;
    let to = 2 * s * p;
    for (let at = s * p; at < s * p + s; at++, to++) {
      const aRe = re[at]!;
      const aIm = im[at]!;
      const bRe = re[at + s * m]!;
      const bIm = im[at + s * m]!;
      const xRe = aRe - bRe;
      const xIm = aIm - bIm;
      toRe[to] = aRe + bRe;
      toIm[to] = aIm + bIm;
      toRe[to + s] = xRe * c - xIm * d;
      toIm[to + s] = xRe * d + xIm * c;
    }
  }
};

const SIN_60 = Math.sqrt(3) / 2;

const stage3: Stage = (re, im, toRe, toIm, m, s, cosines, sines) => {
  for (let p = 0; p < m; p++) {
    const c1 = cosines[2 * p]!;
    const d1 = sines[2 * p]!;
    const c2 = cosines[2 * p + 1]!;
    const d2 = sines[2 * p + 1]!;
    let to = 3 * s * p;
    for (let at = s * p; at < s * p + s; at++, to++) {
      const aRe = re[at]!;
      const aIm = im[at]!;
      const sumRe = re[at + s * m]! + re[at + 2 * s * m]!;
      const sumIm = im[at + s * m]! + im[at + 2 * s * m]!;
      const differenceRe = SIN_60 * (re[at + s * m]! - re[at + 2 * s * m]!);
      const differenceIm = SIN_60 * (im[at + s * m]! - im[at + 2 * s * m]!);
      const middleRe = aRe - 0.5 * sumRe;
      const middleIm = aIm - 0.5 * sumIm;
      const xRe = middleRe + differenceIm;
      const xIm = middleIm - differenceRe;
      const yRe = middleRe - differenceIm;
      const yIm = middleIm + differenceRe;
      toRe[to] = aRe + sumRe;
      toIm[to] = aIm + sumIm;
      toRe[to + s] = xRe * c1 - xIm * d1;
      toIm[to + s] = xRe * d1 + xIm * c1;
      toRe[to + 2 * s] = yRe * c2 - yIm * d2;
      toIm[to + 2 * s] = yRe * d2 + yIm * c2;
    }
  }
};

const stage4: Stage = (re, im, toRe, toIm, m, s, cosines, sines) => {
  const apart = s * m;
  for (let p = 0; p < m; p++) {
    const c1 = cosines[3 * p]!;
    const d1 = sines[3 * p]!;
    const c2 = cosines[3 * p + 1]!;
    const d2 = sines[3 * p + 1]!;
    const c3 = cosines[3 * p + 2]!;
    const d3 = sines[3 * p + 2]!;
    let to = 4 * s * p;
    for (let at = s * p; at < s * p + s; at++, to++) {
      const evenRe = re[at]! + re[at + 2 * apart]!;
      const evenIm = im[at]! + im[at + 2 * apart]!;
      const evenLessRe = re[at]! - re[at + 2 * apart]!;
      const evenLessIm = im[at]! - im[at + 2 * apart]!;
      const oddRe = re[at + apart]! + re[at + 3 * apart]!;
      const oddIm = im[at + apart]! + im[at + 3 * apart]!;
      const oddLessRe = re[at + apart]! - re[at + 3 * apart]!;
      const oddLessIm = im[at + apart]! - im[at + 3 * apart]!;
      const xRe = evenLessRe + oddLessIm;
      const xIm = evenLessIm - oddLessRe;
      const yRe = evenRe - oddRe;
      const yIm = evenIm - oddIm;
      const zRe = evenLessRe - oddLessIm;
      const zIm = evenLessIm + oddLessRe;
      toRe[to] = evenRe + oddRe;
      toIm[to] = evenIm + oddIm;
      toRe[to + s] = xRe * c1 - xIm * d1;
      toIm[to + s] = xRe * d1 + xIm * c1;
      toRe[to + 2 * s] = yRe * c2 - yIm * d2;
      toIm[to + 2 * s] = yRe * d2 + yIm * c2;
      toRe[to + 3 * s] = zRe * c3 - zIm * d3;
      toIm[to + 3 * s] = zRe * d3 + zIm * c3;
    }
  }
};

const COS_72 = Math.cos((2 * Math.PI) / 5);
const COS_144 = Math.cos((4 * Math.PI) / 5);
const SIN_72 = Math.sin((2 * Math.PI) / 5);
const SIN_144 = Math.sin((4 * Math.PI) / 5);

const stage5: Stage = (re, im, toRe, toIm, m, s, cosines, sines) => {
  const apart = s * m;
  for (let p = 0; p < m; p++) {
    const w = 4 * p;
    let to = 5 * s * p;
    for (let at = s * p; at < s * p + s; at++, to++) {
      const aRe = re[at]!;
      const aIm = im[at]!;
      const outerRe = re[at + apart]! + re[at + 4 * apart]!;
      const outerIm = im[at + apart]! + im[at + 4 * apart]!;
      const outerLessRe = re[at + apart]! - re[at + 4 * apart]!;
      const outerLessIm = im[at + apart]! - im[at + 4 * apart]!;
      const innerRe = re[at + 2 * apart]! + re[at + 3 * apart]!;
      const innerIm = im[at + 2 * apart]! + im[at + 3 * apart]!;
      const innerLessRe = re[at + 2 * apart]! - re[at + 3 * apart]!;
      const innerLessIm = im[at + 2 * apart]! - im[at + 3 * apart]!;
      const m1Re = aRe + COS_72 * outerRe + COS_144 * innerRe;
      const m1Im = aIm + COS_72 * outerIm + COS_144 * innerIm;
      const m2Re = aRe + COS_144 * outerRe + COS_72 * innerRe;
      const m2Im = aIm + COS_144 * outerIm + COS_72 * innerIm;
      const n1Re = SIN_72 * outerLessRe + SIN_144 * innerLessRe;
      const n1Im = SIN_72 * outerLessIm + SIN_144 * innerLessIm;
      const n2Re = SIN_144 * outerLessRe - SIN_72 * innerLessRe;
      const n2Im = SIN_144 * outerLessIm - SIN_72 * innerLessIm;
      toRe[to] = aRe + outerRe + innerRe;
      toIm[to] = aIm + outerIm + innerIm;
      let xRe = m1Re + n1Im;
      let xIm = m1Im - n1Re;
      toRe[to + s] = xRe * cosines[w]! - xIm * sines[w]!;
      toIm[to + s] = xRe * sines[w]! + xIm * cosines[w]!;
      xRe = m2Re + n2Im;
      xIm = m2Im - n2Re;
      toRe[to + 2 * s] = xRe * cosines[w + 1]! - xIm * sines[w + 1]!;
      toIm[to + 2 * s] = xRe * sines[w + 1]! + xIm * cosines[w + 1]!;
      xRe = m2Re - n2Im;
      xIm = m2Im + n2Re;
      toRe[to + 3 * s] = xRe * cosines[w + 2]! - xIm * sines[w + 2]!;
      toIm[to + 3 * s] = xRe * sines[w + 2]! + xIm * cosines[w + 2]!;
      xRe = m1Re - n1Im;
      xIm = m1Im + n1Re;
      toRe[to + 4 * s] = xRe * cosines[w + 3]! - xIm * sines[w + 3]!;
      toIm[to + 4 * s] = xRe * sines[w + 3]! + xIm * cosines[w + 3]!;
    }
  }
};

function planOf(length: number): Plan {
  const known = plans.get(length);
  if (known !== undefined) return known;
  const radices = radicesOf(length);
  const cosines: Float64Array[] = [];
  const sines: Float64Array[] = [];
  let rest = length;
  for (const radix of radices) {
    const m = rest / radix;
    const cosine = new Float64Array(m * (radix - 1));
    const sine = new Float64Array(m * (radix - 1));
    for (let p = 0; p < m; p++) {
      for (let k = 1; k < radix; k++) {
        const angle = (-2 * Math.PI * p * k) / rest;
        cosine[p * (radix - 1) + k - 1] = Math.cos(angle);
        sine[p * (radix - 1) + k - 1] = Math.sin(angle);
      }
    }
    cosines.push(cosine);
    sines.push(sine);
    rest = m;
  }
  const plan = { radices, cosines, sines };
  plans.set(length, plan);
  return plan;
}

/** Factors 4, 2, 3 and 5 of a length, in the order in which a transform takes them; a RangeError where it has others. */
export function radicesOf(length: number): readonly number[] {
  const radices = factorsOf(length);
  if (radices === null)
    throw new RangeError(`a transform of length ${length} is not 2^a 3^b 5^c; pad it to ${nextFastSize(length)}`);
  return radices;
}

function factorsOf(length: number): number[] | null {
  if (!Number.isInteger(length) || length < 1) return null;
  const radices: number[] = [];
  let rest = length;
  for (const radix of [4, 2, 3, 5]) {
    while (rest % radix === 0) {
      radices.push(radix);
      rest /= radix;
    }
  }
  return rest === 1 ? radices : null;
}
