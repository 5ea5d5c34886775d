import { expect, test } from "vitest";
import { median } from "../kernels/stats.js";
import { maskOfOutline } from "./electrode.js";
import { simulateOrdering } from "./ordering.js";
import { outlineOf } from "./outline.js";
import { paperScenarios } from "./paper-scenarios.js";
import { phaseFieldTwin } from "./phase-field-twin.js";
import { truthOf } from "./truth.js";

/** The junction of a scenario's domains, made at full undercooling by another seed. */
async function wallsOf(name: string, seed: number): Promise<readonly number[]> {
  const { outline, ordering } = paperScenarios[name]!.phaseField!.particles[0]!;
  const run = simulateOrdering({
    ...maskOfOutline(outlineOf(outline, "outline"), 0.15),
    drive: { kind: "undercooling", u: [[0, 1]] },
    ...ordering!,
    seed,
    until_s: 130,
    snapshots_s: [],
  });
  let next = await run.next();
  while (!next.done) next = await run.next();
  const { domains } = next.value.transitions[0]!;
  expect(domains.count).toBe(3);
  return domains.walls.map(({ meeting_deg, angle_deg }) => meeting_deg ?? angle_deg);
}

/** Degrees between neighbouring walls, and how far each wall lies from the nearest row of a lattice. */
function junction(angles_deg: readonly number[], row_deg: number): { between: number[]; offRow: number[] } {
  const walls = [...angles_deg].sort((a, b) => a - b);
  return {
    between: walls.map((angle, at) => (walls[(at + 1) % walls.length]! - angle + 360) % 360),
    offRow: walls.map((angle) => Math.abs(((((angle - row_deg + 30) % 60) + 60) % 60) - 30)),
  };
}

test("Fig. 5: fronts of order run near 70 nm/s, and three domains meet along the lattice, 120 degrees apart", async () => {
  const three = truthOf(await phaseFieldTwin(paperScenarios["fig5-three-domains"]!, 404));
  expect(three.domains!.map(({ count }) => count)).toEqual([3, 3]);
  expect(three.transitions.map(({ kind, direction }) => [kind, direction])).toEqual([
    ["ordering", "delithiation"],
    ["ordering", "lithiation"],
  ]);
  for (const { velocity_um_s } of three.kinetics) expect(Math.abs(velocity_um_s! / 0.07 - 1)).toBeLessThan(0.1);
  const { between, offRow } = junction(three.domains![0]!.wall_angles_deg, 20);
  for (const angle of between) expect(Math.abs(angle - 120)).toBeLessThan(8);
  expect(median(offRow)).toBeLessThan(8);
});

test("nulls of Fig. 5 have as many domains: one a junction far from three-fold, one of 120 degrees at any angle", async () => {
  const stray: number[] = [];
  const turned: number[] = [];
  for (const seed of [405, 406, 407]) {
    const random = await wallsOf("fig5-null-junctions", seed);
    stray.push(Math.max(...junction(random, 20).between.map((angle) => Math.abs(angle - 120))));
    const { between, offRow } = junction(await wallsOf("fig5-null-isotropic", seed), 20);
    for (const angle of between) expect(Math.abs(angle - 120)).toBeLessThan(12);
    turned.push(median(offRow));
  }
  expect(Math.max(...stray)).toBeGreaterThan(12);
  expect(Math.max(...turned)).toBeGreaterThan(8);
});
