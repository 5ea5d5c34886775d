/** How each spot of a particle answers an even change in its own measure, and the light without it. */
import { madSigma, mean, median, quantile } from "../kernels/stats.js";
import { length, removeEven } from "./disturbances.js";
import type { RelativeLight } from "./relative-light.js";

/**
 * The light freed of what sets each sample's answer to an even change apart: a spot of dirt, a rim that shares its light
 * with the ground. The answer is the ratio of the sample's change to the mean change, in the median over stretches in which
 * the change is even on the whole (half-lag means one lag apart); it counts as far as it exceeds three times its error
 * by the scatter of the stretches, so that a front, which passes once, is not taken for it.
 */
export function withoutOwnAnswer(light: RelativeLight, lag_s: number): Float32Array {
  const { time_s, value, noise, disturbances } = light;
  const samples = noise.length;
  const blocks = blockMeans(light, 0.5 * lag_s);
  const stretches: { even: number; change: Float32Array }[] = [];
  for (let block = 0; block + 2 < blocks.length; block++) {
    const early = blocks[block]!;
    const late = blocks[block + 2]!;
    if (late.time_s - early.time_s > 1.5 * lag_s) continue;
    const change = late.value.map((one, sample) => one - early.value[sample]!);
    const even = removeEven(change, disturbances);
    if (even === null || !(length(change) < 0.5 * Math.abs(even) * Math.sqrt(samples))) continue;
    stretches.push({ even, change });
  }
  const enough =
    0.3 *
    quantile(
      Float64Array.from(stretches, ({ even }) => Math.abs(even)),
      0.9,
    );
  const clear = stretches.filter(({ even }) => Math.abs(even) >= enough);
  if (clear.length < 10) return value;
  const answer = new Float64Array(samples);
  const ratios = new Float64Array(clear.length);
  for (let sample = 0; sample < samples; sample++) {
    clear.forEach(({ even, change }, at) => (ratios[at] = change[sample]! / even));
    const middle = median(ratios);
    // Neighbouring stretches share a mean, hence 2 instead of 1.25.
    const sd = (2 * madSigma(ratios)) / Math.sqrt(clear.length);
    const kept = middle * Math.max(0, 1 - ((3 * sd) / middle) ** 2);
    if (Number.isFinite(kept)) answer[sample] = kept;
  }
  const result = new Float32Array(value.length);
  for (let bin = 0; bin < time_s.length; bin++) {
    const row = value.subarray(bin * samples, (bin + 1) * samples);
    const even = mean(row);
    for (let sample = 0; sample < samples; sample++) {
      result[bin * samples + sample] = row[sample]! - answer[sample]! * even;
    }
  }
  return result;
}

/** Means over stretches of about `length_s`. */
function blockMeans(
  { time_s, value, frames, noise }: RelativeLight,
  length_s: number,
): { time_s: number; frames: number; value: Float32Array }[] {
  const samples = noise.length;
  const found = [];
  for (let first = 0; first < time_s.length;) {
    let end = first + 1;
    while (end < time_s.length && time_s[end]! < time_s[first]! + 0.999 * length_s) end++;
    const sum = new Float32Array(samples);
    const known = new Float32Array(samples);
    let weight = 0;
    let moment = 0;
    for (let bin = first; bin < end; bin++) {
      weight += frames[bin]!;
      moment += frames[bin]! * time_s[bin]!;
      for (let sample = 0; sample < samples; sample++) {
        const one = value[bin * samples + sample]!;
        if (Number.isNaN(one)) continue;
        sum[sample] = sum[sample]! + frames[bin]! * one;
        known[sample] = known[sample]! + frames[bin]!;
      }
    }
    found.push({ time_s: moment / weight, frames: weight, value: sum.map((one, sample) => one / known[sample]!) });
    first = end;
  }
  return found;
}
