import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { dataFolder } from "../../../test/data-folder.js";
import { checkMaterial } from "../material-check.js";
import { openCircuitPotential, theoreticalCapacity } from "../open-circuit.js";
import { lco } from "./lco.js";
import { materials, withTransport } from "./library.js";

/** Rows of two numbers; comments and headings are left out. */
function rows(...names: string[]): [number, number][] {
  const text = readFileSync(path.join(dataFolder!, "materials", "lco_ocp", ...names), "utf8");
  return text
    .split("\n")
    .map((line): [number, number] => [Number(line.split(",")[0]), Number(line.split(",")[1])])
    .filter(([x, E_V]) => !Number.isNaN(x) && !Number.isNaN(E_V));
}

test.each(Object.entries(materials))("%s: every number has a source, and all make sense together", (_, material) => {
  checkMaterial(material);
  const walk = (value: unknown): void => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return;
    if ("value" in value || "values" in value || "terms" in value) {
      expect((value as { source?: string }).source?.length).toBeGreaterThan(4);
    }
    for (const inner of Object.values(value)) walk(inner);
  };
  walk(material);
});

test("LiCoO2 holds 273.8 mAh/g, and ordering at x = 1/2 falls near 23 min of a 2C charge from 0.95", () => {
  expect(theoreticalCapacity(lco)).toBeCloseTo(273.8, 1);
  const x_per_h = (2 * lco.nominal_mAh_g.value) / theoreticalCapacity(lco);
  expect(Math.abs(((0.95 - 0.5) / x_per_h) * 60 - 23)).toBeLessThan(1);
});

test.skipIf(dataFolder === null)(
  "LiCoO2's potential is that of Marquis 2019, within 45 mV of that of Ai 2020 to x = 0.93, and held beyond 0.95",
  () => {
    for (const [x, E_V] of rows("lico2_ocv_example.csv")) {
      if (x > 0 && x < 0.95) expect(openCircuitPotential(lco.openCircuit, x)).toBeCloseTo(E_V, 9);
    }
    const off = rows("lico2_ocp_Ai2020.csv")
      .filter(([x]) => x > 0.45 && x < 0.93)
      .map(([x, E_V]) => openCircuitPotential(lco.openCircuit, x) - E_V);
    expect(off.length).toBeGreaterThan(100);
    expect(Math.max(...off.map(Math.abs))).toBeLessThan(0.05);
    expect(openCircuitPotential(lco.openCircuit, 0.99)).toBe(openCircuitPotential(lco.openCircuit, 0.95));
  },
);

test("a variant carries its own source and leaves the rest", () => {
  const one = withTransport(lco, { poor_um2_s: 3, exchange_A_m2: 2 }, "fitted");
  expect(one.diffusivity).toEqual({
    kind: "log",
    poor_um2_s: { value: 3, source: "fitted" },
    rich_um2_s: lco.diffusivity.kind === "log" ? lco.diffusivity.rich_um2_s : null,
  });
  expect(one.exchange_A_m2).toEqual({ value: 2, source: "fitted" });
  expect(one.freeEnergy).toBe(lco.freeEnergy);
  const even = withTransport(one, { D_um2_s: 0.1 }, "swept");
  expect(withTransport(even, { rich_um2_s: 0.01, blend: "linear" }, "again").diffusivity).toEqual({
    kind: "linear",
    poor_um2_s: { value: 0.1, source: "swept" },
    rich_um2_s: { value: 0.01, source: "again" },
  });
});
