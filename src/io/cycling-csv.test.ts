import * as fc from "fast-check";
import { expect, test } from "vitest";
import { buildTable, bytesOf } from "../../fixtures/cycling-builders.js";
import type { CyclingFile } from "../model/cycling.js";
import { FormatError } from "../model/errors.js";
import { memorySource } from "./bytes.js";
import { sniffMpt } from "./biologic-mpt.js";
import { readCyclingCsv, sniffCyclingCsv } from "./cycling-csv.js";

function read(text: string | Uint8Array): Promise<CyclingFile> {
  const bytes = typeof text === "string" ? bytesOf(text) : text;
  const source = memorySource("run.csv", bytes);
  expect(sniffCyclingCsv(bytes, source)).toBe(true);
  return readCyclingCsv(source);
}

const number = fc.double({ min: -1e4, max: 1e4, noNaN: true }).map((value) => value + 0);

test("every number is read as it was written, whatever parts the cells and marks the decimals", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.double({ min: 0, max: 1e7, noNaN: true }), number, number), { minLength: 1, maxLength: 30 }),
      fc.constantFrom(",", ";", "\t", "|"),
      fc.boolean(),
      fc.boolean(),
      fc.constantFrom("utf-8" as const, "latin1" as const, "utf-16le" as const),
      async (rows, delimiter, comma, quoted, encoding) => {
        const sorted = [...rows].sort((a, b) => a[0] - b[0]);
        const decimalComma = comma && delimiter !== ",";
        const cell = (value: number | string): string => {
          const text = decimalComma ? String(value).replace(".", ",") : String(value);
          return quoted ? `"${text}"` : text;
        };
        const table = buildTable(
          ["Record", "Temperature (°C)", "time_s", "current_mA", "potential_V"].map(cell),
          sorted.map(([time, potential, current], row) => [row, 25.5, time, current, potential].map(cell)),
          delimiter,
        );
        const file = await read(bytesOf(table, encoding));
        expect([...file.time_s]).toEqual(sorted.map(([time]) => time + 0));
        expect([...file.potential_V]).toEqual(sorted.map(([, potential]) => potential));
        expect([...file.current_mA]).toEqual(sorted.map(([, , current]) => current));
      },
    ),
  );
});

test.each([
  ["Test Time / s,Voltage / V,Current / A", "60,3.5,0.002"],
  ["Total Time(min),Voltage(mV),Current(mA)", "1,3500,2"],
  ["Total Time,Voltage(mV),Current(µA)", "00:01:00,3500,2000"],
  ["Time/sec\tPotential/V\tCurrent/A", "60\t3.5\t0.002"],
  ["~Time[h]\tU[V]\tI[A]", "0.016666666666666666\t3.5\t0.002"],
  ["Run Time (h);Potential (V);Current (mA)", "0,016666666666666666;3,5;2"],
  ["test_time_millisecond,voltage_volt,current_ampere", "60000,3.5,0.002"],
  ["Elapsed Time (s),Potential (V vs. Li/Li+),I (mA)", "60,3.5,2"],
  ["# time_s,potential_V,current_mA", "60,3.5,2"],
  ["Test (Min)\tVolts\tAmps", "1\t3.5\t0.002"],
  ["time,voltage,current\ns,V,mA", "60,3.5,2"],
  ["TestTime\tVoltage/V\tCurrent/mA\tCapacity/mAh", "00:01:00\t3.5\t2\t0"],
  ["Rec#\tCyc#\tTest (Hr)\tAmp-hr\tAmps\tVolts\tMD", "1\t1\t0.016666666666666666\t0\t0.002\t3.5\tC"],
  ["Prog Time,Voltage,Current\n,[V],[mA]", "00:01:00,3.5,2"],
  ["Corrected time (s);WE(1).Potential (V);WE(1).Current (A)\n", "60;3.5;0.002"],
  ["测试时间(s),电压(V),电流(mA),充电容量(mAh)", "60,3.5,2,0"],
  ["Rec#\tTestTime\tmAmp-hr\tmAmps\tVolts\tState", "1\t  0d 00:01:00.00\t0.0\t2\t3.5\tR"],
  ["Time s;Voltage mV;Current µA", "60;3500;2000"],
  ["System Time,Relative Time(Sec),Voltage(V),Current(A)", "2025-01-01 00:01:00,60,3.5,0.002"],
  ["Elapsed Time (s),Working Electrode (V),Current (mA)", "60,3.5,2"],
  [",time_s,potential_V,current_mA", "0,60,3.5,2"],
  [";Test Time / s;Voltage / V;Current / A", "17;60;3.5;0.002"],
  ['"Run Time (h),Potential (V),Current (A)"', '"0.016666666666666666,3.5,0.002"'],
])("heads %s", async (heads, row) => {
  const file = await read(`${heads}\n${row}\n`);
  expect(file.time_s[0]).toBeCloseTo(60, 9);
  expect(file.potential_V[0]).toBeCloseTo(3.5, 12);
  expect(file.current_mA[0]).toBeCloseTo(2, 12);
  expect(file.warnings).toEqual([]);
});

test("columns in Chinese are read in GBK too, their states give the sign", async () => {
  // 测试时间(s),电压(V),电流(mA),工步类型 and 恒流放电 in GBK.
  const words = {
    heads: [
      0xb2, 0xe2, 0xca, 0xd4, 0xca, 0xb1, 0xbc, 0xe4, 0x28, 0x73, 0x29, 0x2c, 0xb5, 0xe7, 0xd1, 0xb9, 0x28, 0x56, 0x29,
      0x2c,
    ],
    more: [0xb5, 0xe7, 0xc1, 0xf7, 0x28, 0x6d, 0x41, 0x29, 0x2c, 0xb9, 0xa4, 0xb2, 0xbd, 0xc0, 0xe0, 0xd0, 0xcd, 0x0a],
    state: [0xba, 0xe3, 0xc1, 0xf7, 0xb7, 0xc5, 0xb5, 0xe7],
  };
  const row = (text: string): number[] => [...bytesOf(text)];
  const bytes = Uint8Array.from([
    ...words.heads,
    ...words.more,
    ...row("0,3.5,2,"),
    ...words.state,
    ...row("\n10,3.25,2,"),
    ...words.state,
    10,
  ]);
  const file = await read(bytes);
  expect([...file.potential_V]).toEqual([3.5, 3.25]);
  expect([...file.current_mA]).toEqual([-2, -2]);
  expect(file.columns[1]).toBe("电压(V)");
});

test("marks between thousands are no decimal marks", async () => {
  const english = await read('time_s,potential_V,current_mA\n"1,234.5",3.5,"-1,000"\n"12,345,678.5",3.25,0.5\n');
  expect([...english.time_s]).toEqual([1234.5, 12345678.5]);
  expect([...english.current_mA]).toEqual([-1000, 0.5]);
  const german = await read("time_s;potential_V;current_mA\n1.234,5;3,5;-1.000,25\n12.345.678,5;3,25;0,5\n");
  expect([...german.time_s]).toEqual([1234.5, 12345678.5]);
  expect([...german.current_mA]).toEqual([-1000.25, 0.5]);
  const swiss = await read("time_s;potential_V;current_mA\n1'234.5;3.5;1\n");
  expect([...swiss.time_s]).toEqual([1234.5]);
});

test("several cells in one file: the first is read and the others are told", async () => {
  const rows = Array.from({ length: 12 }, (_, row) => [
    ["A1", "A2", "A3"][row % 3]!,
    Math.floor(row / 3),
    3 + (row % 3),
    1,
  ]);
  const file = await read(buildTable(["Cell", "time_s", "potential_V", "current_mA"], rows));
  expect([...file.time_s]).toEqual([0, 1, 2, 3]);
  expect([...file.potential_V]).toEqual([3, 3, 3, 3]);
  expect(file.warnings).toEqual([
    "run.csv: the file holds 3 cells: the rows of Cell A1 were read, those of others (A2, A3) were not. Give each cell a file of its own.",
  ]);
  const moved = rows.map(([, ...cells], row) => [row < 6 ? "1" : "2", row, ...cells.slice(1)]);
  const whole = await read(buildTable(["Channel", "time_s", "potential_V", "current_mA"], moved));
  expect(whole.time_s.length).toBe(12);
  const counting = rows.map(([, ...cells], row) => [row, row, ...cells.slice(1)]);
  expect(
    (await read(buildTable(["channel_index", "time_s", "potential_V", "current_mA"], counting))).time_s.length,
  ).toBe(12);
});

test("a time of day alone is a start on the date of test", async () => {
  const text = (day: string, clock: string, first: number): string =>
    `Today's Date 04/14/2016  Date of Test:\t${day}\t Filename:\tC:\\a.001 Procedure: b\n` +
    `Rec#\tTest (Min)\tAmps\tVolts\tState\tDPt Time\n1\t${first}\t0\t3\tR\t${clock}\n`;
  expect((await read(text("04/13/2016", "16:05:31", 0))).start).toBe("2016-04-13T16:05:31");
  // Half an hour before: the day before its first row.
  expect((await read(text("04/13/2016", "0:10:00", 30))).start).toBe("2016-04-13T23:40:00");
});

test("a broken micro sign still means a millionth", async () => {
  const latin = bytesOf("time_s,potential_V,Current(µA)\n0,3.5,2000\n", "latin1");
  const replaced = bytesOf("time_s,potential_V,Current(\uFFFDA)\n0,3.5,2000\n");
  for (const bytes of [latin, replaced]) expect((await read(bytes)).current_mA[0]).toBeCloseTo(2, 12);
});

test("time of the step is not time of the test", async () => {
  const file = await read("Step Time(s),Total Time(s),Voltage(V),Current(mA)\n0,100,3,1\n10,110,3,1\n");
  expect([...file.time_s]).toEqual([100, 110]);
  await expect(read("Step Time(s),Voltage(V),Current(mA)\n0,3,1\n1,3,1\n")).rejects.toThrow(FormatError);
});

test("the start is the moment at which time is 0, from dates or from a line above the heads", async () => {
  const heads = "Date Time,Test Time (s),Current (A),Voltage (V)\n";
  const fine = await read(`${heads}\t09/20/2024 08:32:34.558,30.0005,0,3.5\n\t09/20/2024 08:33:04.559,60.0008,0,3.5\n`);
  expect(fine.start).toBe("2024-09-20T08:32:04.558");
  const whole = await read(`${heads}2024-04-30 14:33:19,0.020,0,3.5\n2024-04-30 14:33:34,15.02,0,3.5\n`);
  expect(whole.start).toBe("2024-04-30T14:33:19");
  const unix = await read("Test_Time,DateTime,Current,Voltage\n0,1499006353,0,3\n5,1499006358,0,3\n");
  expect(unix.start).toBe("2017-07-02T14:39:13Z");
  const comment = await read("# start: 2024-05-01T10:00:00.5Z\ntime_s,potential_V,current_mA\n0,3,0\n");
  expect(comment.start).toBe("2024-05-01T10:00:00.500Z");
  const basytec = await read("~Start of Test: 19.06.2023 17:56:53\n~\n~Time[s]\tU[V]\tI[A]\n0\t3\t0\n");
  expect(basytec.start).toBe("2023-06-19T17:56:53");
  const minutes = await read("Date,time_s,voltage_V\n2024-04-30 10:07,0,3\n2024-04-30 10:08,60,3\n");
  expect(minutes.start).toBe("2024-04-30T10:07");
  expect(minutes.warnings[0]).toMatch(/known to 60 s/);
  const coarse = await read("test_time;date_stamp;current_mA;voltage\n0;43374.42;0;3\n10;43374.42;0;3\n");
  expect(coarse.start).toBeNull();
  expect(coarse.warnings[0]).toMatch(/too coarse/);
});

test("without a column of time the dates are counted", async () => {
  const file = await read("Date,Voltage(V),Current(mA)\n2024-04-30 23:59:50,3,0\n2024-05-01 00:00:10.5,3,0\n");
  expect([...file.time_s]).toEqual([0, 20.5]);
  expect(file.start).toBe("2024-04-30T23:59:50");
});

test("a column of time that holds dates, or seconds since 1970, is counted from its first row", async () => {
  const dates = await read("time;voltage_V;current_mA\n2024-04-30 10:00:00,5;3;1\n2024-04-30 10:00:02,0;3;1\n");
  expect([...dates.time_s]).toEqual([0, 1.5]);
  expect(dates.start).toBe("2024-04-30T10:00:00.500");
  const unix = await read("time_s,voltage_V,current_mA\n1603716598.25,3,1\n1603716600.25,3,1\n");
  expect([...unix.time_s]).toEqual([0, 2]);
  expect(unix.start).toBe("2020-10-26T12:49:58.250Z");
});

test("a running charge is the file's own; else it is the integral of the current", async () => {
  const own = await read("time_s,potential_V,current_mA,charge_mAh\n0,3,1,5\n3600,3,1,6.001\n");
  expect([...own.charge_mAh]).toEqual([5, 6.001]);
  const integral = await read("time_s,potential_V,current_mA\n0,3,1\n1800,3,1\n3600,3,-1\n");
  expect([...integral.charge_mAh]).toEqual([0, 0.5, 0.5]);
});

test("a unit wrong by a thousand is said, from the charge, from a second current, from dates and from the span", async () => {
  const rows = Array.from({ length: 50 }, (_, row) => [row * 3600, 3, 1e-3, row]);
  const charge = await read(buildTable(["time_s", "potential_V", "current_mA", "charge_mAh"], rows));
  expect(charge.warnings[0]).toMatch(/factor of 1000/);
  expect(charge.charge_mAh.at(-1)).toBeCloseTo(0.049, 9);
  const pair = rows.map(([time, V, I, q]) => [time!, V!, I! / 1000, q! / 1000, 0]);
  const capacities = await read(
    buildTable(
      ["Test Time (s)", "Voltage (V)", "Current (A)", "Charge Capacity (Ah)", "Discharge Capacity (Ah)"],
      pair,
    ),
  );
  expect(capacities.warnings[0]).toMatch(/factor of 1000/);
  const twins = await read("Current,Voltage / V,Current / A,Test Time / s\n0.001,3,0.000001,0\n0.002,3,0.000002,1\n");
  expect(twins.warnings[0]).toMatch(/Current holds 1000 times the current of Current \/ A/);
  const dates = await read("Date,time_s,voltage_V\n2024-04-30 10:00:00,0,3\n2024-04-30 11:00:00,60,3\n");
  expect(dates.warnings[0]).toMatch(/span 3600 s but its column of time 60 s/);
  const years = await read("time_s,potential_V,current_mA\n0,3,0\n36000,3,0\n500000000,3,0\n");
  expect(years.warnings[0]).toMatch(/15.8 years/);
});

test("capacities that agree with the current are no reason to speak, though they begin anew", async () => {
  const rows = Array.from({ length: 400 }, (_, row) => {
    const [half, place] = [Math.floor(row / 100), row % 100];
    const sign = half % 2 === 0 ? 1 : -1;
    return [row * 36, 3, sign * 0.01, sign > 0 ? place * 1e-4 : 0, sign < 0 ? place * 1e-4 : 0];
  });
  const heads = ["Test Time / s", "Voltage / V", "Current / A", "Charging Capacity / Ah", "Discharging Capacity / Ah"];
  expect((await read(buildTable(heads, rows))).warnings).toEqual([]);
});

test("a current without a sign takes it from the state", async () => {
  const text = "Test (Sec)\tAmps\tVolts\tState\n0\t1\t3\tC\n1\t1\t3\tD\n2\t0\t3\tR\n3\t1\t3\tD\n";
  const file = await read(text);
  expect([...file.current_mA]).toEqual([1000, -1000, 0, -1000]);
  expect(file.warnings[0]).toMatch(/no sign.*2 rows/);
  const words = await read("time_s,current_mA,voltage_V,Step Type\n0,1,3,CC Chg\n1,2,3,CC DChg\n2,3,3,discharge CC\n");
  expect([...words.current_mA]).toEqual([1, -2, -3]);
  const signed = await read("time_s,current_mA,voltage_V,State\n0,1,3,C\n1,-2,3,D\n");
  expect([...signed.current_mA]).toEqual([1, -2]);
});

test("few broken rows are dropped and counted, many are refused", async () => {
  const rows = Array.from({ length: 60 }, (_, row) => [row, row === 7 ? "inf" : row === 9 ? "" : 3.5, 1]);
  const file = await read(buildTable(["time_s", "potential_V", "current_mA"], rows));
  expect(file.time_s.length).toBe(58);
  expect(file.warnings[0]).toMatch(/2 of 60 rows lack a finite number.*line 9 column potential_V holds "inf"/);
  const many = rows.map(([time, , current], row) => [time!, row % 3 === 0 ? "nan" : 3, current!]);
  await expect(read(buildTable(["time_s", "potential_V", "current_mA"], many))).rejects.toThrow(/20 of 60 rows/);
});

test("rows out of order are sorted; a time that begins anew is laid end to end, or taken from the dates", async () => {
  const shuffled = await read("time_s,potential_V,current_mA\n50,3.5,1\n60,3.6,1\n30,3.3,1\n40,3.4,1\n70,3.7,1\n");
  expect([...shuffled.potential_V]).toEqual([3.3, 3.4, 3.5, 3.6, 3.7]);
  expect(shuffled.warnings[0]).toMatch(/sorted/);
  const anew = await read("time_s,potential_V,current_mA\n0,3,1\n10,3,1\n20,3,1\n0,3,1\n10,3,1\n");
  expect([...anew.time_s]).toEqual([0, 10, 20, 20, 30]);
  expect(anew.warnings[0]).toMatch(/end to end/);
  const dated = "2024-01-01 00:00:00 2024-01-01 00:00:10 2024-01-01 01:00:00 2024-01-01 01:00:10".match(/\S+ \S+/g)!;
  const times = [0, 10, 0, 10];
  const table = buildTable(
    ["Date", "Time(s)", "Voltage(V)"],
    dated.map((date, row) => [date, times[row]!, 3]),
  );
  expect([...(await read(table)).time_s]).toEqual([0, 10, 3600, 3610]);
});

test("an index without a head, as tables are often written with, leads no row out", async () => {
  const rows = Array.from({ length: 300 }, (_, row) => [row, 10 * row, 3 + row / 1000, 1]);
  const file = await read(buildTable(["", "time_s", "potential_V", "current_mA"], rows));
  expect(file.time_s.length).toBe(300);
  expect(file.time_s[299]).toBe(2990);
  expect(file.cycles).toBeNull();
});

test("days before the hours of a time are parted by d, a point or a dash", async () => {
  for (const text of ["1d 00:02:26", "1-00:02:26", "1.00:02:26", "24:02:26"]) {
    const file = await read(`TestTime,Voltage/V,Current/mA\n23:59:00,3,1\n${text},3.5,1\n`);
    expect([...file.time_s]).toEqual([86340, 86546]);
  }
});

test("stray bytes in a description do not make a text of several lines something else", async () => {
  const text = `Name:\tcell\nDescription\tcapacity ${" ".repeat(60)}\u0004   \u0003  ÿ\nStarted\t5/11/2021 3:40:24 PM\n\nRec\tTestTime\tCurrent [A]\tVoltage [V]\tMd\n${"1\t0\t0\t3.5\tR\n".repeat(200)}`;
  const file = await read(bytesOf(text, "latin1"));
  expect(file.time_s.length).toBe(200);
  expect(file.start).toBe("2021-05-11T15:40:24");
});

test("dates as numbers since 1970 are told by their size; a clock that was never set gives no start", async () => {
  const ms = Date.UTC(2022, 5, 1, 12);
  for (const [count, digits] of [
    [ms / 1000, ""],
    [ms, ""],
    [ms, "000"],
    [ms, "0000"],
    [ms, "000000"],
  ] as const) {
    const file = await read(`Date_Time,Test_Time(s),Voltage(V),Current(A)\n${count}${digits},0,3,1\n`);
    expect(file.start).toBe("2022-06-01T12:00:00Z");
  }
  for (const date of ["1970-01-01 00:00:00", "637600000000000000000", "99999999999999999"]) {
    const file = await read(`Date_Time,Test_Time(s),Voltage(V),Current(A)\n${date},120,3,1\n`);
    expect(file.start).toBeNull();
  }
});

test("where the head of time names no unit, dates that span 60 or 3600 times as much tell it", async () => {
  const rows = (unit_s: number, head: string): string =>
    buildTable(
      ["Rec", head, "DPT Time", "Voltage [V]", "Current [A]"],
      Array.from({ length: 50 }, (_, row) => [
        row,
        (row * 60) / unit_s,
        new Date(Date.UTC(2021, 4, 11, 15, 40) + 60_000 * row).toISOString().slice(0, 19).replace("T", " "),
        3,
        0.001,
      ]),
    );
  for (const [unit_s, name] of [
    [60, "minutes"],
    [3600, "hours"],
    [0.001, "milliseconds"],
  ] as const) {
    const file = await read(rows(unit_s, "TestTime"));
    expect(file.time_s[49]).toBeCloseTo(2940, 6);
    expect(file.charge_mAh[49]).toBeCloseTo(2940 / 3600, 9);
    expect(file.warnings).toEqual([`run.csv: the column TestTime names no unit: ${name}, as its dates tell.`]);
  }
  const stated = await read(rows(60, "TestTime(s)"));
  expect(stated.time_s[49]).toBe(49);
  expect(stated.warnings[0]).toMatch(/its dates span 2940 s but its column of time 49 s/);
  expect((await read(rows(1, "TestTime"))).warnings).toEqual([]);
});

test("a potential that no cell has is said", async () => {
  const file = await read("time_s,Volts,current_mA\n0,1853.8,1\n1,3801.9,1\n");
  expect(file.warnings).toEqual([
    "run.csv: its potential reaches 3801.9 V: check the unit, as where mV were written for V.",
  ]);
});

test("a line of megabytes in quotes takes no longer than any other", async () => {
  const begun = performance.now();
  const file = await read(`time_s,potential_V,current_mA\n0,3,1\n"${"x,".repeat(3_000_000)}\n1,3,1\n`);
  expect(performance.now() - begun).toBeLessThan(1000);
  expect([...file.time_s]).toEqual([0, 1]);
});

test("a time of day goes on over midnight, alone and beside its date", async () => {
  const clocks = ["23:59:00", "23:59:30", "00:00:00", "00:00:30", "12:00:00 PM", "11:59:40 PM", "12:00:10 AM"];
  const rows = clocks.map((clock, row) => [
    row < 2 || row === 5 || row === 4 ? "05.03.2024" : "06.03.2024",
    clock,
    3,
    1,
  ]);
  const alone = await read(
    buildTable(
      ["Time", "Voltage(V)", "Current(mA)"],
      rows.slice(0, 4).map((row) => row.slice(1)),
    ),
  );
  expect([...alone.time_s]).toEqual([86340, 86370, 86400, 86430]);
  const dated = await read(buildTable(["Date", "Time", "Voltage(V)", "Current(mA)"], rows.slice(0, 4)));
  expect([...dated.time_s]).toEqual([0, 30, 60, 90]);
  expect(dated.start).toBe("2024-03-05T23:59:00");
  const halves = await read(buildTable(["Date", "Time", "Voltage(V)", "Current(mA)"], rows.slice(4)));
  expect([...halves.time_s]).toEqual([0, 43180, 43210]);
});

test("an .mpt that a spreadsheet parted by commas is a table of text with the start of its header", async () => {
  const notes = "BL_DATA,".repeat(150);
  const text = `EC-Lab ASCII FILE\nNb header lines : 6\n${notes}\nAcquisition started on : 03/25/2024 22:50:00.500\n\nmode,time/s,Ewe/V,<I>/mA,\n1,0,3,1,\n1,1,3.5,1,\n`;
  expect(sniffMpt(bytesOf(text))).toBe(false);
  const file = await read(text);
  expect([file.start, ...file.potential_V]).toEqual(["2024-03-25T22:50:00.500", 3, 3.5]);
});

test("records in layers are told from the lines of steps and cycles between them", async () => {
  const text = [
    "Cycle Index,Chg. Cap.(Ah),DChg. Cap.(Ah)",
    ",Step Index,Step Type,Step Time",
    ",,DataPoint,Total Time,Current(A),Voltage(V)",
    "1,0.02,0.33,1,1,Rest,00:00:20",
    ",,1,00:00:00,0.5,4.3185",
    ",,2,00:00:02,0.5,4.3186",
    ",2,CC Chg,00:02:51",
    ",,3,00:00:04,0.25,4.3187",
  ].join("\r\n");
  const file = await read(text);
  expect([...file.time_s]).toEqual([0, 2, 4]);
  expect([...file.current_mA]).toEqual([500, 500, 250]);
  expect(file.cycles).toBe(1);
});

test("lines above the heads, notes among the rows and heads said twice are passed over", async () => {
  const text =
    'Cell: "A, 3" \nOperator,somebody\n\ntime_s,potential_V,current_mA\n0,3,1\n# paused\n\ntime_s,potential_V,current_mA\n1,3,2\n';
  const file = await read(text);
  expect([...file.current_mA]).toEqual([1, 2]);
  expect(file.warnings).toEqual([]);
});

test("a cell in quotes may hold what parts the cells, and quotes", async () => {
  const text = 'time_s,"Note, ""free""",potential_V,current_mA\n0,"a, b",3,1\n1,"say ""c""",3.5,2\n';
  const file = await read(text);
  expect([...file.potential_V]).toEqual([3, 3.5]);
  expect(file.columns[1]).toBe('Note, "free"');
});

test("a quote that is never closed is no quote", async () => {
  expect((await read('note "\ntime_s,potential_V,current_mA\n0,3,1\n1,3,2\n')).time_s.length).toBe(2);
});

test("a table without time or potential is refused, and its columns are named", async () => {
  await expect(read("index;test_time;current;cycle\n0;1.5;2;1\n1;2.5;2;1\n")).rejects.toThrow(
    /its columns are index, test_time, current, cycle; wanted are at least a time .* and a potential/,
  );
  await expect(read("0 4.18\n1 4.15\n")).rejects.toThrow(/no row of column names/);
  await expect(read("0\t4.18\n1\t4.15\n")).rejects.toThrow(/no row of column names/);
  await expect(read("")).rejects.toThrow(/empty/);
});

test("a current in a unit of something else is not taken for a current", async () => {
  const file = await read("time_s,potential_V,Current (mA/g)\n0,3,1\n1,3,1\n");
  expect(file.current_mA.every(Number.isNaN)).toBe(true);
  expect(file.warnings[0]).toMatch(/no column of current/);
});

test("a cut last row is dropped and said", async () => {
  const file = await read("time_s,potential_V,current_mA\n0,3,1\n1,3,2\n2,3");
  expect([...file.time_s]).toEqual([0, 1]);
  expect(file.warnings[0]).toMatch(/cut in line 4/);
});

test("markup and images are no tables", () => {
  const sniff = (text: string): boolean => sniffCyclingCsv(bytesOf(text), memorySource("a", bytesOf(text)));
  expect(["<?xml version='1.0'?>", '{"a": 1}', '[{"a": 1}]', "II*\0"].map(sniff)).toEqual([false, false, false, false]);
  expect(sniff("[Summary]\nNovonix")).toBe(true);
});

test("any text at all is read or refused, never a crash", async () => {
  const piece = fc.constantFrom(
    "time_s",
    "potential_V",
    "current_mA",
    "charge_mAh",
    "Date",
    "State",
    ",",
    ";",
    "\t",
    '"',
    "\n",
    "\r\n",
    "1.5",
    "2,5",
    "-3e5",
    "00:00:10",
    "2024-01-01 10:00:00",
    "D",
    "#",
    "nan",
    "",
    " ",
    "µ",
  );
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 60 }), async (pieces) => {
      const text = `time_s,potential_V,current_mA${pieces.join("")}`;
      try {
        const file = await readCyclingCsv(memorySource("a.csv", bytesOf(text)));
        expect(file.potential_V.length).toBe(file.time_s.length);
      } catch (error) {
        expect(error).toBeInstanceOf(FormatError);
      }
    }),
    { numRuns: 500 },
  );
});
