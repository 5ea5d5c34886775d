import { expect, test } from "vitest";
import {
  closedParticle,
  disc,
  equilibrium,
  gridConvergence,
  slab,
  spinodal,
  stefan,
  type LadderRow,
} from "../../test/phase-field-ladder.js";

function hold(rows: readonly LadderRow[]): void {
  for (const { name, exact, reached, gate } of rows) {
    const error = exact === 0 ? Math.abs(reached) : Math.abs(reached / exact - 1);
    expect(error, `${name}: ${reached} for ${exact}`).toBeLessThan(gate);
  }
}

test("V1: a boundary at rest has its profile and its energy, the better the finer the cells", () => {
  for (const perDelta of [1, 1.5, 2, 3]) hold(equilibrium(perDelta));
});

test("V2: waves within the spinodal grow as linear theory says", () => {
  for (const mode of [1, 2, 4]) hold(spinodal(mode));
});

test("V3: a slab emptied through its end at 2C has its front where the lithium says", async () => {
  for (const D_um2_s of [0.1, 1]) hold([await slab(D_um2_s, 0.1)]);
});

test("V4: a disc emptied through its rim is a shell around a shrinking core", async () => {
  hold(await disc(3, 0.15, 0.2));
});

test("V5: finer cells do not move the front", async () => {
  const [coarse, middle, fine] = await Promise.all([0.2, 0.15, 0.125].map((h_um) => gridConvergence(h_um, 1, 200)));
  for (const { fraction, phi } of [coarse!, middle!]) {
    expect(Math.abs(fraction / fine!.fraction - 1)).toBeLessThan(0.02);
    expect(Math.abs(phi / fine!.phi - 1)).toBeLessThan(0.015);
  }
});

test("V6: in a closed particle energy never rises and lithium stays", () => {
  for (const seed of [1, 2]) {
    const { energies, drift } = closedParticle(seed, 60);
    expect(energies.at(-1)).toBeLessThan(energies[0]! - 0.01);
    for (let at = 1; at < energies.length; at++) expect(energies[at]! - energies[at - 1]!).toBeLessThan(1e-13);
    expect(drift).toBeLessThan(1e-13);
  }
});

test("V7: under a held potential the front runs as Stefan's", async () => {
  for (const delta_um of [0.15, 0.1]) hold([await stefan(0.65, delta_um)]);
});
