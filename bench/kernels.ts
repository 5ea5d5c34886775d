/** Each compiled kernel beside its twin in TypeScript, in memory that nothing is copied from or to. */
import { differentialContrast } from "../src/analysis/contrast.js";
import { compiledKernels, newArena, type Arena } from "../src/kernels/compiled.js";
import { convolve, convolvePlain } from "../src/kernels/filter.js";
import { random } from "../src/kernels/random.js";
import {
  halfSpectrum,
  realFft2,
  realFft2Inverse,
  realFft2InversePlain,
  realFft2Plain,
} from "../src/kernels/real-fft.js";
import {
  sampleSpline,
  sampleSplinePlain,
  splineCoefficients,
  splineCoefficientsPlain,
} from "../src/kernels/resample.js";
import { slowRatio, slowRatioPlain } from "../src/kernels/slow-ratio.js";
import * as sums from "../src/kernels/texture-sums.js";
import * as frame from "../src/kernels/window.js";
import { inTurn } from "./measure.js";
import { kernelPeers, type KernelPeers } from "./peers.js";
import { ratioTo, type Row } from "./row.js";

export const about =
  "Each compiled kernel beside its twin in plain TypeScript, on the same arrays in the kernels' own memory. A kernel is compiled where it is at least twice as quick. C is compiled for this very processor, with vectors up to four times as wide as WebAssembly's 128 bits: what only converts, adds or blurs falls short by that, what waits for memory or for its own last value does not.";

interface Pair {
  readonly what: string;
  /** The same work in bench/peers/, and the share of its speed in C that was wanted at 512 x 512. */
  readonly peer?: string;
  readonly share?: number;
  compiled(): void;
  plain(): void;
}

/** Standard deviation of the blur of slow light, and of that of images, px. */
const SLOW_PX = 13;
const REACH = 6;

export async function rows(quick: boolean): Promise<Row[]> {
  if (compiledKernels() === null) throw new Error("nothing is compiled here: no WebAssembly with SIMD.");
  const found: Row[] = [];
  const runs = quick ? 5 : 15;
  const others = await kernelPeers(runs);
  for (const side of quick ? [256] : [256, 512]) {
    const arena = newArena();
    for (const { what, peer, share, compiled, plain } of pairs(side, arena)) {
      const [ours, theirs] = inTurn(runs, [compiled, plain]) as [number[], number[]];
      const wanted = share === undefined || side !== 512 ? undefined : { atLeast: share };
      found.push({
        what: `${what}, ${side} x ${side}`,
        unit: "ms",
        values: ours,
        peers: [{ name: "TypeScript", values: theirs }, ...(peer === undefined ? [] : others.of(peer, side, wanted))],
      });
    }
    arena.release();
    found.push(...differences(side, runs, others));
  }
  const ratios = found.flatMap((row) =>
    row.peers!.flatMap((peer) => (peer.name === "TypeScript" ? [ratioTo(row, peer)!] : [])),
  );
  found.push({
    what: "compiled kernels over TypeScript, the least gain",
    unit: "times",
    values: [Math.min(...ratios)],
    wanted: { atLeast: 2 },
  });
  return found;
}

function pairs(side: number, arena: Arena): Pair[] {
  const n = side * side;
  const draw = random(side);
  const drawn = (mean: number): Float32Array => {
    const values = arena.floats(n);
    for (let at = 0; at < n; at++) values[at] = mean + 0.1 * mean * draw.normal();
    return values;
  };
  const [light, slow, open, moved, share, ratio] = [
    drawn(1000),
    drawn(1000),
    drawn(1),
    drawn(1000),
    drawn(1),
    drawn(1),
  ];
  const maps = {
    value: drawn(1),
    gradientX: drawn(0.1),
    gradientY: drawn(0.1),
    pullX: drawn(0.1),
    pullY: drawn(0.1),
    slow: drawn(1000),
    half: arena.floats(n),
  };
  for (let at = 1; at < n; at += 2) maps.half[at] = 1;
  const lights = { light, counted: open, fine: drawn(0.1), coarse: drawn(0.1) };
  const words = arena.words(n);
  for (let at = 0; at < n; at++) words[at] = light[at]!;
  const into = arena.floats(n);
  const blurred = arena.doubles(n);
  for (let at = 0; at < n; at++) blurred[at] = draw.normal();
  const weights = arena.doubles(REACH + 1);
  // They sum to less than 1, so that what is blurred again and again stays a number.
  for (let at = 0; at <= REACH; at++) weights[at] = 0.25 * Math.exp((-2 * at * at) / (REACH * REACH));
  const [re, im] = [arena.floats(halfSpectrum(side) * side), arena.floats(halfSpectrum(side) * side)];
  realFft2(light, re, im, side, side);
  const [spectrumRe, spectrumIm] = [re.slice(), im.slice()];
  const spline = drawn(1000);
  const image = spline.slice();
  const bins = Math.floor(side / 3);
  const binning = {
    stride: side,
    margin: 4,
    width: 3 * Math.floor((side - 8) / 3),
    height: 3 * Math.floor((side - 8) / 3),
    binning: 3,
    coarseWidth: bins,
    coarseHeight: bins,
  };
  const coarse = arena.floats(bins * bins);
  const squares = arena.floats(n / 4);
  return [
    {
      what: `blur, ${2 * REACH + 1} weights, f64`,
      peer: "blur",
      compiled: () => convolve(blurred, side, side, weights),
      plain: () => convolvePlain(blurred, side, side, weights),
    },
    {
      what: "real transform",
      peer: "transform",
      share: 0.5,
      compiled: () => realFft2(light, re, im, side, side),
      plain: () => realFft2Plain(light, re, im, side, side),
    },
    {
      what: "real transform, inverse",
      compiled: () => realFft2Inverse(again(re, spectrumRe), again(im, spectrumIm), into, side, side),
      plain: () => realFft2InversePlain(again(re, spectrumRe), again(im, spectrumIm), into, side, side),
    },
    {
      what: "spline coefficients",
      compiled: () => splineCoefficients(again(spline, image), side, side),
      plain: () => splineCoefficientsPlain(again(spline, image), side, side),
    },
    {
      what: "spline between pixels",
      compiled: () => sampleSpline(spline, side, side, 0.3, 0.7, into, 0, side, side),
      plain: () => sampleSplinePlain(spline, side, side, 0.3, 0.7, into, 0, side, side),
    },
    {
      what: "shift: spline coefficients and between pixels",
      peer: "spline",
      share: 0.5,
      compiled: () => {
        splineCoefficients(again(spline, image), side, side);
        sampleSpline(spline, side, side, 0.3, 0.7, into, 0, side, side);
      },
      plain: () => {
        splineCoefficientsPlain(again(spline, image), side, side);
        sampleSplinePlain(spline, side, side, 0.3, 0.7, into, 0, side, side);
      },
    },
    {
      what: "slow light",
      compiled: () => slowRatio(light, open, side, side, SLOW_PX, into),
      plain: () => slowRatioPlain(light, open, side, side, SLOW_PX, into),
    },
    {
      what: "light of samples",
      peer: "light",
      share: 0.5,
      compiled: () => frame.floatsOfWords(words, 100, into),
      plain: () => frame.floatsOfWordsPlain(words, 100, into),
    },
    {
      what: "light of squares of 2 x 2",
      compiled: () => frame.floatsOfSquares(words, side, 2, side / 2, 100, squares),
      plain: () => frame.floatsOfSquaresPlain(words, side, 2, side / 2, 100, squares),
    },
    {
      what: "sum of open light",
      compiled: () => void frame.openLight(light, open),
      plain: () => void frame.openLightPlain(light, open),
    },
    {
      what: "gaps filled",
      compiled: () => frame.fillLight(light, slow, 10),
      plain: () => frame.fillLightPlain(light, slow, 10),
    },
    {
      what: "coarse light",
      compiled: () => frame.coarseLight(light, slow, share, binning, coarse),
      plain: () => frame.coarseLightPlain(light, slow, share, binning, coarse),
    },
    {
      what: "sums for the shift",
      compiled: () => void sums.shiftSums(maps, moved, share, 0.5, ratio),
      plain: () => void sums.shiftSumsPlain(maps, moved, share, 0.5, ratio),
    },
    {
      what: "influences of halves",
      compiled: () => void sums.influenceSums(maps, ratio, 0.5),
      plain: () => {
        sums.influencesPlain(maps, ratio, 0.5, 0);
        sums.influencesPlain(maps, ratio, 0.5, 1);
      },
    },
    {
      what: "sums for lamp and focus",
      compiled: () => void sums.lightSums(maps, lights, moved, share, ratio, 0.5, [1, 0.5]),
      plain: () => void sums.lightSumsPlain(maps, lights, moved, share, ratio, 0.5, [1, 0.5]),
    },
  ];
}

/** The contrast of a stack against itself one frame before, a frame; in TypeScript. */
function differences(side: number, runs: number, others: KernelPeers): Row[] {
  const frames = 11;
  const data = new Float32Array(frames * side * side);
  for (let at = 0; at < data.length; at++) data[at] = 6000 + (Math.imul(at, 2654435761) >>> 24);
  const time_s = Float64Array.from({ length: frames }, (_, at) => at);
  const stack = { width: side, height: side, pixelSize_um: 0.08, time_s, data };
  const [times] = inTurn(runs, [() => void differentialContrast(stack, { lag_s: 1 })]) as [number[]];
  return [
    {
      what: `differential contrast, ${side} x ${side}`,
      unit: "ms",
      values: times.map((ms) => ms / (frames - 1)),
      peers: others.of("differential", side, side === 512 ? { atLeast: 0.5 } : undefined),
      note: "a frame of a stack of floats, in TypeScript",
    },
  ];
}

/** An array with the content it had, for a kernel that uses up what it is given. */
function again(array: Float32Array, content: Float32Array): Float32Array {
  array.set(content);
  return array;
}
