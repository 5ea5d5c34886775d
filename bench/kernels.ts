/**
 * Kernels: each compiled one beside its twin in TypeScript, on the same data in the same run; the ratio is what counts.
 *
 *     npx rolldown bench/kernels.ts --platform node -d dist/bench && node dist/bench/kernels.js
 */
import { cpus } from "node:os";
import { convolve, convolvePlain } from "../src/kernels/filter.js";
import { median } from "../src/kernels/stats.js";

/** Each pair is run so often, in turn. */
const RUNS = 31;

interface Pair {
  readonly name: string;
  /** Pixels that one run works on. */
  readonly pixels: number;
  compiled(): void;
  plain(): void;
}

function times(run: () => void): number {
  const from = performance.now();
  run();
  return performance.now() - from;
}

function convolution(side: number, reach: number): Pair {
  const image = Float64Array.from({ length: side * side }, (_, at) => Math.sin(at));
  const half = Float64Array.from({ length: reach + 1 }, (_, d) => Math.exp((-2 * d * d) / (reach * reach)));
  return {
    name: `blur, reach ${reach}, ${side} x ${side}`,
    pixels: side * side,
    compiled: () => convolve(image.slice(), side, side, half),
    plain: () => convolvePlain(image.slice(), side, side, half),
  };
}

const pairs = [convolution(64, 6), convolution(256, 6), convolution(512, 6), convolution(512, 12)];

console.log(
  `node ${process.version}, ${cpus().length} x ${cpus()[0]!.model}; ns a pixel, least of ${RUNS} runs (median)\n`,
);
for (const { name, pixels, compiled, plain } of pairs) {
  const [fast, slow]: [number[], number[]] = [[], []];
  for (let run = 0; run < RUNS; run++) {
    fast.push(times(compiled));
    slow.push(times(plain));
  }
  const ns = (ms: number): string => ((1e6 * ms) / pixels).toFixed(2);
  const [f, s] = [Math.min(...fast), Math.min(...slow)];
  console.log(
    `${name.padEnd(30)} compiled ${ns(f)} (${ns(median(fast))}), TypeScript ${ns(s)} (${ns(median(slow))}): ${(s / f).toFixed(1)} times`,
  );
}
