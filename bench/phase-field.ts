/**
 * Phase field: the box of 256 x 256 cells that other codes are timed on, one transformation of a particle of about 1,600
 * cells each way, and an electrode of eight particles through a charge.
 *
 *     npx rolldown bench/phase-field.ts --platform node -o dist/bench/phase-field.mjs && node dist/bench/phase-field.mjs
 *
 * The box: dc/dt = lap(200 c (1 - c) (1 - 2 c) - 0.01 lap c) on the unit square, no flux, from a smooth start to t = 1e-4.
 * The error of the steps is taken against steps of a ninth on the same cells. The cells' own was measured once, against
 * 512 x 512 cells and from both on to cells of no size: 0.25 %. The whole is their root of squares; the same comparison finds
 * up to 0.06 % less. The last row is the longest step with which it stays within 1 %.
 */
import { maskedGrid, outlineGrid } from "../src/physics/masked-grid.js";
import { lco } from "../src/physics/materials/lco.js";
import { outlineOf } from "../src/physics/outline.js";
import { simulatePhaseField } from "../src/physics/phase-field.js";
import { simulateEnsemble } from "../src/physics/phase-field-ensemble.js";
import { chemicalPotential, firstStage, nextStage, phaseFieldArrays } from "../src/physics/phase-field-kernel.js";
import { stateTable } from "../src/physics/state-table.js";
import { rkl2 } from "../src/physics/super-time-stepping.js";
import { finish, hexagon } from "../test/phase-field-ladder.js";

const SIDE = 256;
const END = 1e-4;
/** Error of 256 x 256 cells alone. */
const OF_CELLS = 0.00247;

async function cpu_s<T>(run: () => T | Promise<T>): Promise<{ readonly value: T; readonly seconds: number }> {
  const from = process.cpuUsage();
  const value = await run();
  const { user, system } = process.cpuUsage(from);
  return { value, seconds: (user + system) / 1e6 };
}

/** The box at its end, by steps of `stages` stages. */
function box(stages: number, longest: number): Float64Array {
  const grid = maskedGrid(new Uint8Array(SIDE * SIDE).fill(1), SIDE, SIDE, 1 / SIDE);
  const table = stateTable(
    (c) => 200 * c * (1 - c) * (1 - 2 * c),
    () => 1,
    -0.25,
    1.25,
  );
  const arrays = phaseFieldArrays(grid, 0.5);
  for (const cell of grid.cells) {
    const x = ((cell % grid.stride) - 0.5) / SIDE;
    const y = (Math.floor(cell / grid.stride) - 0.5) / SIDE;
    const wave = (p: number, q: number): number => Math.cos(Math.PI * p * x) * Math.cos(Math.PI * q * y);
    arrays.start[cell] = 0.5 + 0.1 * wave(4, 2) + 0.1 * wave(3, 5) + 0.1 * wave(7, 6);
  }
  const { mu, nu, muTilde, gammaTilde } = rkl2(stages);
  const steps = Math.ceil(END / longest);
  const dt = END / steps;
  for (let step = 0; step < steps; step++) {
    chemicalPotential(grid, table, 0.01, arrays.start, arrays);
    firstStage(grid, arrays, muTilde[1]! * dt);
    arrays.before.set(arrays.start);
    for (let j = 2; j <= stages; j++) {
      chemicalPotential(grid, table, 0.01, arrays.last, arrays);
      nextStage(grid, arrays, mu[j]!, nu[j]!, 1 - mu[j]! - nu[j]!, muTilde[j]! * dt, gammaTilde[j]! * dt);
      [arrays.last, arrays.before] = [arrays.before, arrays.last];
    }
    [arrays.start, arrays.last] = [arrays.last, arrays.start];
  }
  return Float64Array.from(grid.cells, (cell) => arrays.start[cell]!);
}

function relativeError(of: Float64Array, exact: Float64Array): number {
  let square = 0;
  let all = 0;
  of.forEach((value, at) => {
    square += (value - exact[at]!) ** 2;
    all += exact[at]! ** 2;
  });
  return Math.sqrt(square / all);
}

const exact = box(41, 2.5e-7);
console.log("box of 256 x 256 to t = 1e-4      CPU s   Mcell-RHS/s   error of the steps   with the cells'");
for (const [stages, dt] of [
  [81, 1.0e-6],
  [121, 2.3e-6],
  [161, 4.0e-6],
  [241, 9.1e-6],
  [341, 1.8e-5],
] as const) {
  const { value, seconds } = await cpu_s(() => box(stages, dt));
  const work = (Math.ceil(END / dt) * stages * SIDE * SIDE) / 1e6;
  const steps = relativeError(value, exact);
  const error = (100 * steps).toFixed(2);
  const whole = (100 * Math.hypot(steps, OF_CELLS)).toFixed(2);
  console.log(
    `${String(stages).padStart(4)} stages, dt ${dt.toExponential(1)}    ${seconds.toFixed(2).padStart(13)}${(work / seconds).toFixed(0).padStart(14)}${error.padStart(19)} %${whole.padStart(15)} %`,
  );
}

const crystal = outlineGrid(hexagon(1.08), 0.175);
const cells = crystal.mask.reduce((sum, one) => sum + one, 0);
console.log(`\none transformation, ${cells} cells   CPU s   steps   mass error`);
for (const x_per_h of [0.5, 1, 2, 4]) {
  for (const [name, x0, xStop] of [
    ["delithiation", 0.97, 0.715],
    ["lithiation", 0.72, 0.95],
  ] as const) {
    const { value, seconds } = await cpu_s(() =>
      finish(
        simulatePhaseField({
          ...crystal,
          delta_um: 0.25,
          material: lco,
          edge: { seed: 1 },
          drive: { kind: "current", x_per_h: [[0, x_per_h]] },
          x0,
          xStop,
        }),
      ),
    );
    const { t_s, massError } = value.result;
    console.log(
      `${(2 * x_per_h).toFixed(0).padStart(3)}C ${name.padEnd(18)}${seconds.toFixed(2).padStart(17)}${String(t_s.length).padStart(8)}${massError.toExponential(1).padStart(13)}`,
    );
  }
}

const particles = Array.from({ length: 8 }, (_, at) => ({
  ...outlineGrid(
    outlineOf({ kind: "crystal", centre_um: [6, 6], radius_um: 2.8 + 0.3 * at, corners: 6, seed: at + 1 }),
    0.175,
  ),
  edge: { seed: at },
  exchange_A_m2: Math.exp(0.6 * Math.sin(2.3 * at)),
}));
const { value, seconds } = await cpu_s(() =>
  finish(
    simulateEnsemble({
      particles,
      material: lco,
      delta_um: 0.25,
      x0: 0.965,
      steps: [
        { kind: "delithiation", x_per_h: 1, until_x: 0.72 },
        { kind: "lithiation", x_per_h: 1 },
      ],
    }),
  ),
);
console.log(
  `\neight particles at 2C, there and back: ${seconds.toFixed(1)} CPU s, ${value.result.t_s.length} steps, mass error ${value.result.massError.toExponential(1)}`,
);
