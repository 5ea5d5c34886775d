import { expect, test } from "vitest";
import { z } from "zod";
import { filesParams } from "../operations/sources.js";
import { steps } from "../operations/steps.js";
import { flagName, flagsOf, flagValue, readArguments } from "./flags.js";

const flags = flagsOf(filesParams);

/** What a flag's text becomes, as the schema then sees it. */
function value(...typed: string[]): Record<string, unknown> {
  const { values } = readArguments(typed, flags);
  return Object.fromEntries(
    [...values].map(([name, text]) => {
      const flag = flags.find((one) => one.name === name)!;
      return [flag.path.at(-1)!, flagValue(flag, text)];
    }),
  );
}

test("a parameter's flag has hyphens for underscores and capitals", () => {
  expect(["pixelSize_um", "lag_s", "nominal_mAh_g", "currentSign", "dV_mV"].map(flagName)).toEqual([
    "pixel-size-um",
    "lag-s",
    "nominal-mah-g",
    "current-sign",
    "dv-mv",
  ]);
});

test("numbers are numbers, negative ones too; lists are split; words stay words", () => {
  expect(value("--offset-s", "-120.5")).toEqual({ offset_s: -120.5 });
  expect(value("--offset-s", "0")).toEqual({ offset_s: 0 });
  expect(value("--roi", "10,20,100,80")).toEqual({ roi: [10, 20, 100, 80] });
  expect(value("--black-level", "100")).toEqual({ blackLevel: 100 });
  expect(value("--black-level", "dark.tif")).toEqual({ blackLevel: "dark.tif" });
  expect(value("--frame-stamp", "start")).toEqual({ frameStamp: "start" });
});

test("every number of every table is taken as a number on the command line", () => {
  const tables: [string | undefined, z.ZodObject][] = [
    [undefined, filesParams],
    ...steps.map((step): [string, z.ZodObject] => [step.name, step.params]),
  ];
  let numbers = 0;
  for (const [prefix, params] of tables) {
    for (const flag of flagsOf(params, prefix)) {
      if (!flag.wanted.split(" | ").includes("number")) continue;
      numbers++;
      expect(flagValue(flag, "3"), flag.name).toBe(3);
    }
  }
  expect(numbers).toBeGreaterThan(15);
});

test("a slip is met with the nearest flag, a decimal comma with a sentence", () => {
  expect(() => value("--pixelsize-um", "0.1")).toThrow(
    /--pixelsize-um is not a flag here\. Do you mean --pixel-size-um\?/,
  );
  expect(() => value("--pixel-size-um", "0,08")).toThrow(/decimal point/);
  expect(() => value("--pixel-size-um")).toThrow(/needs a value/);
});
