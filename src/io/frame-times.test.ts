import * as fc from "fast-check";
import { expect, test } from "vitest";
import { checkStamps, frameList, laterCivilTime } from "./frame-times.js";

test("stamps that rise are taken as they are, counted from the first", () => {
  const stamps = fc.array(fc.double({ min: 0.01, max: 1e4, noNaN: true }), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(stamps, fc.double({ min: -1e6, max: 1e6, noNaN: true }), (steps, origin) => {
      const rising = Float64Array.from(steps);
      for (let at = 1; at < rising.length; at++) rising[at]! += rising[at - 1]!;
      const { time_s, sound, warnings } = checkStamps(
        rising.map((value) => value + origin),
        "DeltaT",
      );
      expect({ sound, warnings }).toEqual({ sound: true, warnings: [] });
      for (const [at, value] of rising.entries()) expect(time_s[at]).toBeCloseTo(value - rising[0]!, 5);
    }),
  );
});

test("one wrong stamp among many is set aside and named; the others stay", () => {
  for (const wrong of [-50, 0, 3, 500, Number.NaN]) {
    const stamps = Float64Array.from({ length: 40 }, (_, at) => 10 * at);
    stamps[7] = wrong;
    const { time_s, sound, warnings } = checkStamps(stamps, "DeltaT");
    expect(sound).toBe(true);
    expect(warnings.join()).toMatch(/frame 7\b/);
    expect([...time_s.keys()].filter((at) => Number.isNaN(time_s[at]!))).toEqual([7]);
    expect(time_s[39]).toBe(390);
  }
});

test("stamps that begin anew, stand still or are mostly missing are no clock", () => {
  const again = Float64Array.from({ length: 40 }, (_, at) => 10 * (at % 20));
  const begun = checkStamps(again, "DeltaT");
  expect(begun.sound).toBe(false);
  expect(begun.warnings.join()).toMatch(/frame 19 to frame 20/);
  expect(checkStamps(new Float64Array(5), "DeltaT").sound).toBe(false);
  const sparse = new Float64Array(20).fill(Number.NaN);
  sparse[0] = 0;
  expect(checkStamps(sparse, "DeltaT")).toMatchObject({ sound: false, warnings: ["19 of 20 frames have no DeltaT."] });
});

test("frames are listed in stretches", () => {
  expect(frameList([7])).toBe("frame 7");
  expect(frameList([3, 4, 5, 9])).toBe("frames 3 to 5, 9");
  expect(frameList(Array.from({ length: 20 }, (_, at) => 2 * at))).toMatch(/^frames 0, 2, .*14 and others, 20 in all$/);
});

test("a civil time moves on and keeps its zone as it is written", () => {
  expect(laterCivilTime("2020-10-26T12:49:58", 0)).toBe("2020-10-26T12:49:58");
  expect(laterCivilTime("2020-12-31T23:59:59", 1.5)).toBe("2021-01-01T00:00:00.500");
  expect(laterCivilTime("2020-06-01T10:00:00+02:00", 3600)).toBe("2020-06-01T11:00:00.000+02:00");
  expect(laterCivilTime("2020-06-01T10:00:00Z", 1)).toBe("2020-06-01T10:00:01.000Z");
  for (const wrong of ["", "yesterday", "2020-13-01T00:00:00", "2020-06-01"])
    expect(laterCivilTime(wrong, 1)).toBeNull();
});
