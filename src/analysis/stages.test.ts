import { expect, test } from "vitest";
import { stagesOf } from "./stages.js";

type Pieces = readonly (readonly [number, number])[];

/** A curve of straight pieces, sampled every second, from 20 s before to 20 s after. */
function curve(...pieces: Pieces): Parameters<typeof stagesOf>[0] {
  const length_s = pieces.reduce((sum, [lasts_s]) => sum + lasts_s, 0);
  const time_s = Float64Array.from({ length: length_s + 41 }, (_, k) => k - 20);
  const value = time_s.map((t_s) => {
    let phi = 0;
    let from_s = 0;
    for (const [lasts_s, gained] of pieces) {
      phi += gained * Math.min(1, Math.max(0, (t_s - from_s) / lasts_s));
      from_s += lasts_s;
    }
    return phi;
  });
  return { time_s, value, sd: value.map(() => 0) };
}

const kinds = (pieces: Pieces): string =>
  stagesOf(curve(...pieces), 10)
    .map(({ kind }) => kind)
    .join(" ");

test("a front at one pace is steady", () => {
  expect(kinds([[300, 1]])).toBe("steady");
});

test.each([
  {
    after: [
      [120, 0.3],
      [80, 0.58],
    ] as const,
    rest: ["steady", "acceleration"],
  },
  { after: [[150, 0.88]] as const, rest: ["steady"] },
])("as in the paper: a burst of 10 %, a lag of three minutes, then $rest", ({ after, rest }) => {
  const stages = stagesOf(curve([80, 0.1], [180, 0.02], ...after), 20);
  expect(stages.map(({ kind }) => kind)).toEqual(["burst", "lag", ...rest]);
  const [burst, lag] = stages;
  expect(Math.abs(burst!.fraction - 0.1)).toBeLessThan(0.02);
  expect(Math.abs(lag!.end_s - lag!.start_s - 180)).toBeLessThan(30);
  expect(stages.reduce((sum, { fraction }) => sum + fraction, 0)).toBeCloseTo(1, 1);
});

test("a pace that doubles halfway for good is an acceleration, one that falls again is none", () => {
  expect(
    kinds([
      [150, 0.33],
      [150, 0.67],
    ]),
  ).toBe("steady acceleration");
  expect(
    kinds([
      [100, 0.25],
      [100, 0.5],
      [100, 0.25],
    ]),
  ).toBe("steady");
});

test("nothing transformed has no stages", () => {
  expect(stagesOf({ time_s: new Float64Array(10), value: new Float64Array(10), sd: new Float64Array(10) }, 10)).toEqual(
    [],
  );
});
