import { expect, test } from "vitest";
import type { CyclingFile, OtherFile } from "../model/cycling.js";
import { joinWithContext } from "./cycling-context.js";

const record = (more: Partial<CyclingFile> = {}): CyclingFile => ({
  name: "run.mpr",
  format: "biologic-mpr",
  time_s: Float64Array.of(0, 1),
  potential_V: Float64Array.of(3.9, 3.91),
  current_mA: Float64Array.of(0.1, 0.1),
  charge_mAh: Float64Array.of(0, 1e-4),
  start: null,
  columns: ["time/s"],
  cycles: null,
  warnings: [],
  ...more,
});

const settings: OtherFile = {
  name: "run.mps",
  format: "biologic-mps",
  description: "settings of a BioLogic run.",
  settings: { mass_mg: 0.001, material: "LiCoO2" },
  programme: [{ Technique: "GCPL", Is_mA: 0.1 }],
  warnings: ["run.mps: it was cut."],
};

test("a settings file beside a record gives what the record does not tell", () => {
  const joined = joinWithContext([record(), settings]);
  expect([...joined.time_s]).toEqual([0, 1]);
  expect(joined.settings).toEqual(settings.settings);
  expect(joined.programme).toEqual(settings.programme);
  expect(joined.warnings).toEqual(["run.mps: it was cut."]);
});

test("where both tell a thing differently both are said, and the record's own is kept", () => {
  const own = { mass_mg: 10, material: "licoo2 ", area: 1 };
  const joined = joinWithContext([settings, record({ settings: own })]);
  expect(joined.settings).toEqual(own);
  expect(joined.warnings.at(-1)).toBe("run.mps says mass_mg 0.001, the record 10: neither is used as a fact.");
});

test("what is neither record nor settings is refused, and so are settings alone", () => {
  const spectrum: OtherFile = { name: "z.dta", format: "gamry-dta", description: "a spectrum.", warnings: [] };
  expect(() => joinWithContext([record(), spectrum])).toThrow("z.dta: is a spectrum. It holds no cycling record");
  expect(() => joinWithContext([settings])).toThrow(/run\.mps: is settings .* name one that does/);
});
