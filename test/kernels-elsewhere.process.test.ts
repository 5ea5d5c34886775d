import { spawnSync } from "node:child_process";
import { pathToFileURL } from "node:url";
import path from "node:path";
import { expect, test } from "vitest";

const kernels = pathToFileURL(path.resolve(import.meta.dirname, "..", "dist", "kernels")).href;

/** Blurs, shifts and transforms one image where some of the machine is missing; told is whether compiled kernels ran. */
const program = `
  for (const name of process.argv.slice(1)) delete globalThis[name];
  const { compiledKernels, newArena } = await import("${kernels}/compiled.js");
  const { gaussianBlur } = await import("${kernels}/filter.js");
  const { shiftImage, splineCoefficients } = await import("${kernels}/resample.js");
  const { correlationReference, phaseCorrelation } = await import("${kernels}/phase-correlation.js");
  const [width, height] = [48, 40];
  const image = Float32Array.from({ length: width * height }, (_, at) => 3 + Math.sin(at * at * 0.37));
  const arena = newArena();
  const laid = arena.floats(image.length);
  laid.set(image);
  splineCoefficients(laid, width, height);
  const blurred = gaussianBlur(image, width, height, 1.3);
  const moved = shiftImage(blurred, width, height, 2.25, -1.5).map((value) => (Number.isNaN(value) ? 3 : value));
  const peak = phaseCorrelation(correlationReference(blurred, width, height), moved);
  console.log(JSON.stringify({
    compiled: compiledKernels() !== null,
    numbers: [...laid.slice(0, 50), ...blurred.slice(500, 550), ...moved.slice(700, 750), peak.dx_px, peak.dy_px],
  }));
`;

function without(...names: string[]): { readonly compiled: boolean; readonly numbers: readonly number[] } {
  const ran = spawnSync(process.execPath, ["--input-type=module", "-e", program, ...names], { encoding: "utf8" });
  expect(ran.stderr).toBe("");
  return JSON.parse(ran.stdout) as { compiled: boolean; numbers: number[] };
}

test("kernels give the same numbers without memory that threads share, and without WebAssembly", () => {
  const whole = without();
  const alone = without("SharedArrayBuffer");
  const plain = without("WebAssembly");
  expect([whole.compiled, alone.compiled, plain.compiled]).toEqual([true, true, false]);
  expect(alone.numbers).toEqual(whole.numbers);
  expect(plain.numbers.length).toBe(whole.numbers.length);
  for (const [at, value] of plain.numbers.entries()) expect(Math.abs(value - whole.numbers[at]!)).toBeLessThan(2e-5);
});
