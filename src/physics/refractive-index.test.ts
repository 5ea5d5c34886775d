import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { dataFolder } from "../../test/data-folder.js";
import { ParameterError } from "../model/errors.js";
import { carbonateElectrolyte, d263, fusedSilica, nBk7, sapphire } from "./refractive-index-media.js";
import { alongTable, refractiveIndex, type Dispersion, type OpticalMedium } from "./refractive-index.js";

test("the windows have the indices of their makers", () => {
  // nd of N-BK7 is 1.51680 and that of D263 T eco 1.5233 by SCHOTT; fused silica 1.45846 by Malitson's table.
  expect(refractiveIndex(nBk7, 0.5875618).n).toBeCloseTo(1.5168, 5);
  expect(refractiveIndex(d263, 0.5875618).n).toBeCloseTo(1.5233, 4);
  expect(refractiveIndex(fusedSilica, 0.5875618).n).toBeCloseTo(1.45846, 5);
  expect(refractiveIndex(sapphire, 0.5875618).n).toBeCloseTo(1.7681, 3);
  for (const medium of [nBk7, d263, fusedSilica, sapphire]) expect(refractiveIndex(medium, 0.785).k).toBe(0);
  expect(refractiveIndex(carbonateElectrolyte, 0.785)).toEqual({ n: 1.39, k: 0 });
});

test("glass is normally dispersive: its index falls with the wavelength", () => {
  for (const medium of [nBk7, d263, fusedSilica, sapphire]) {
    for (let L = 0.4; L < 1.0; L += 0.05) {
      expect(refractiveIndex(medium, L).n).toBeGreaterThan(refractiveIndex(medium, L + 0.05).n);
    }
  }
});

test("a table is a straight line between its rows and held at its ends", () => {
  expect([0, 5].map((at) => alongTable([1, 2, 4], [10, 20, 0], at))).toEqual([10, 0]);
  expect(alongTable([1, 2, 4], [10, 20, 0], 1.5)).toBe(15);
  expect(alongTable([1, 2, 4], [10, 20, 0], 3)).toBe(10);
  expect(alongTable([1, 2, 4], [10, 20, 0], 2)).toBe(20);
});

test("nothing is extrapolated beyond the wavelengths of a record", () => {
  for (const L of [0.29, 2.6, NaN, -1]) expect(() => refractiveIndex(nBk7, L)).toThrow(ParameterError);
  expect(() => refractiveIndex(nBk7, 0.29)).toThrow(/wavelength_um is 0\.29: N-BK7 is known from 0\.3 to 2\.5 um/);
  const bad: OpticalMedium = { name: "bad", source: "", n: { kind: "constant", value: -1, range_um: [0, 9] }, k: null };
  expect(() => refractiveIndex(bad, 1)).toThrow(/bad: n is -1/);
});

/** The DATA entries of a file of the refractiveindex.info database. */
function mediumOf(text: string, name: string): OpticalMedium {
  let n: Dispersion | null = null;
  let k: Dispersion | null = null;
  for (const entry of text.split(/^ {2}- type: /m).slice(1)) {
    const numbers = (key: string): number[] =>
      new RegExp(`^ {4}${key}: (.*)$`, "m").exec(entry)?.[1]?.trim().split(/\s+/).map(Number) ?? [];
    const formula = /^formula (\d)/.exec(entry)?.[1];
    if (formula !== undefined) {
      const [from, to] = numbers("wavelength_range") as [number, number];
      const numbered = Number(formula) as 1 | 2 | 4 | 5;
      n = { kind: "formula", formula: numbered, coefficients: numbers("coefficients"), range_um: [from, to] };
      continue;
    }
    const rows = [...entry.matchAll(/^ {8}([-\d.eE+ ]+)$/gm)].map((row) => row[1]!.trim().split(/\s+/).map(Number));
    const column = (at: number): Dispersion => ({
      kind: "table",
      wavelength_um: rows.map((row) => row[0]!),
      value: rows.map((row) => row[at]!),
    });
    if (entry.startsWith("tabulated nk")) [n, k] = [column(1), column(2)];
    if (entry.startsWith("tabulated k")) k = column(1);
  }
  return { name, source: "file", n: n!, k };
}

describe.skipIf(dataFolder === null)("files of the database", () => {
  const folder = path.join(dataFolder ?? "", "materials", "refractiveindex");
  const facts =
    dataFolder === null
      ? {}
      : (JSON.parse(readFileSync(path.join(folder, "refractiveindex.expected.json"), "utf8")) as Record<
          string,
          Record<string, unknown>
        >);

  test.each(Object.entries(facts))("%s", (file, fact) => {
    const medium = mediumOf(readFileSync(path.join(folder, path.basename(file)), "utf8"), path.basename(file));
    const given = Object.entries(fact).filter(([key]) => /^n(k_interp)?_0/.test(key));
    for (const [key, value] of given) {
      const L = Number(key.split("_").at(-1));
      if (key.startsWith("nk")) {
        const { n, k } = refractiveIndex(medium, L);
        expect(n).toBeCloseTo((value as number[])[0]!, 4);
        expect(k).toBeCloseTo((value as number[])[1]!, 4);
      } else {
        expect(refractiveIndex({ ...medium, k: null }, L).n).toBeCloseTo(value as number, 6);
      }
    }
    if (given.length === 0) expect(() => refractiveIndex(medium, 0.785)).toThrow(ParameterError);
    if (medium.k?.kind === "table") expect(medium.k.value).toHaveLength(fact["rows"] as number);
  });

  test("our own windows are those of the files", () => {
    const names = {
      "specs__schott__optical__N-BK7.yml": nBk7,
      "specs__schott__misc__D263TECO.yml": d263,
      "main__SiO2__nk__Malitson.yml": fusedSilica,
      "main__Al2O3__nk__Malitson-o.yml": sapphire,
    };
    for (const [file, ours] of Object.entries(names)) {
      expect(ours.n).toEqual(mediumOf(readFileSync(path.join(folder, file), "utf8"), file).n);
    }
  });
});
