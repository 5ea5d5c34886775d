import * as fc from "fast-check";
import { expect, test } from "vitest";
import {
  civilText,
  clockZero,
  dateOrder,
  fromOleDays,
  fromUnixTime,
  later,
  readCivilTime,
  secondsBetween,
} from "./civil-time.js";

const text = (written: string, order: "month-first" | "day-first" = "month-first"): string | null => {
  const time = readCivilTime(written, order);
  return time === null ? null : civilText(time);
};

test.each([
  ["10/20/2021 14:01:10", "2021-10-20T14:01:10"],
  ["11/20/2024 11:38:41.707", "2024-11-20T11:38:41.707"],
  ["4/26/2015 5:53:21 PM", "2015-04-26T17:53:21"],
  ["12/15/2015 12:00:00 AM", "2015-12-15T00:00:00"],
  ["23-Nov-23 3:56:08 PM", "2023-11-23T15:56:08"],
  ["2022-5-13 18:23:19.472000", "2022-05-13T18:23:19.472"],
  ["2024-04-30T14:33:19Z", "2024-04-30T14:33:19Z"],
  ["2024-04-30 14:33:19+0200", "2024-04-30T14:33:19+02:00"],
  ["\t09/20/2024 08:32:34.558", "2024-09-20T08:32:34.558"],
  ["03/31/2016 16:05", "2016-03-31T16:05:00"],
  ["Mar 5, 2024 22:50:00", "2024-03-05T22:50:00"],
  ["March 25 2024 10:50:00 PM", "2024-03-25T22:50:00"],
  ["Tue Mar  5 22:50:00 2024", "2024-03-05T22:50:00"],
])("%s is %s", (written, wanted) => expect(text(written)).toBe(wanted));

test.each(["", "16:05:31", "2024-04-30", "30/04/2024 10:00:00", "02/30/2024 10:00:00", "1/1/2024 25:00:00", "1.5"])(
  '"%s" is no civil time with the month first',
  (written) => expect(text(written)).toBeNull(),
);

test("dots, and a number above twelve, tell the order of day and month; else nothing does", () => {
  expect(text("30.04.2024 10:00:00", "day-first")).toBe("2024-04-30T10:00:00");
  expect(dateOrder(["3/4/2024 1:00:00", "3/15/2024 1:00:00"])).toEqual({ order: "month-first", certain: true });
  expect(dateOrder(["3/4/2024 1:00:00", "15/3/2024 1:00:00"])).toEqual({ order: "day-first", certain: true });
  expect(dateOrder(["3.4.2024 1:00:00"])).toEqual({ order: "day-first", certain: true });
  expect(dateOrder(["3/4/2024 1:00:00"])).toEqual({ order: "month-first", certain: false });
  expect(dateOrder(["3/3/2024 1:00:00", "2024-04-03 1:00:00"])).toEqual({ order: "month-first", certain: true });
});

test("OLE days and Unix seconds are the same moments on their clocks", () => {
  expect(civilText(fromOleDays(44130.53469907408))).toBe("2020-10-26T12:49:58");
  expect(civilText(fromUnixTime(1_494_377_253.17))).toBe("2017-05-10T00:47:33.170Z");
});

test("what is written is read again, whatever the moment", () => {
  const zone = fc.constantFrom("", "Z", "+02:00", "-09:30");
  const ms = fc.integer({ min: Date.UTC(2000, 0, 1), max: Date.UTC(2099, 0, 1) });
  fc.assert(
    fc.property(ms, zone, (ms, zone) => {
      expect(readCivilTime(civilText({ ms, zone }))).toEqual({ ms, zone });
    }),
  );
  fc.assert(
    fc.property(ms, fc.double({ min: -1e6, max: 1e6, noNaN: true }), zone, (ms, seconds, zone) => {
      const time = { ms, zone };
      const between = secondsBetween(civilText(time), civilText(later(time, seconds)))!;
      expect(Math.abs(between - seconds)).toBeLessThanOrEqual(0.0005001);
    }),
  );
});

test("seconds are counted across zones, and not between a clock with a zone and one without", () => {
  expect(secondsBetween("2024-04-30T14:00:00+02:00", "2024-04-30T12:00:10Z")).toBe(10);
  expect(secondsBetween("2024-04-30T14:00:00", "2024-04-30T12:00:10Z")).toBeNull();
});

test("a clock of whole seconds gives a whole second at time 0", () => {
  const row = readCivilTime("2024-04-30 14:33:19")!;
  expect(civilText(clockZero(row, 0.02, true))).toBe("2024-04-30T14:33:19");
  expect(civilText(clockZero(row, 30.25, false))).toBe("2024-04-30T14:32:48.750");
});
