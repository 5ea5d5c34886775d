/** The committed small files are those that the builders make, and all hold the same run. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { cyclingFiles, run } from "../../fixtures/cycling-files.js";
import type { CyclingFile } from "../model/cycling.js";
import { encodeBdf } from "./bdf.js";
import { readBytes } from "./bytes.js";
import { openFile } from "./bytes.node.js";
import { formatOf, isCycling, joinCycling } from "./cycling.js";

const folder = path.resolve(import.meta.dirname, "..", "..", "fixtures", "cycling");
const bdf = new TextEncoder().encode(encodeBdf({ ...run, potential_V: Float64Array.from(run.potential_V) }, run.start));
const files = new Map([...cyclingFiles, ["record.bdf.csv", bdf]]);

// WRITE_FIXTURES=1 npx vitest run src/io/cycling-fixtures.test.ts makes them anew.
if (process.env["WRITE_FIXTURES"] === "1") {
  mkdirSync(folder, { recursive: true });
  for (const [name, bytes] of files) writeFileSync(path.join(folder, name), bytes);
}

async function read(name: string): Promise<CyclingFile> {
  const source = await openFile(path.join(folder, name));
  const head = await readBytes(source, 0, 1 << 16);
  const file = await (await formatOf(head, source))!.read(source);
  await source.close();
  if (!isCycling(file)) throw new Error(file.description);
  return file;
}

function expectRun(file: CyclingFile): void {
  expect([...file.time_s]).toEqual([...run.time_s]);
  expect([...file.potential_V]).toEqual([...run.potential_V]);
  for (const row of run.time_s.keys()) expect(file.current_mA[row]).toBeCloseTo(run.current_mA[row]!, 12);
}

describe("fixtures", () => {
  test.each([...files.keys()])("%s is what its builder makes", (name) => {
    expect(Buffer.compare(readFileSync(path.join(folder, name)), files.get(name)!)).toBe(0);
  });

  test.each([...files.keys()].filter((name) => !name.endsWith(".DTA")))("%s holds the run", async (name) => {
    const file = await read(name);
    expectRun(file);
    expect(file.start).toBe(run.start);
    expect(file.charge_mAh.at(-1)).toBeCloseTo(run.charge_mAh.at(-1)!, 12);
    expect(file.warnings).toEqual([]);
  });

  test("the three .DTA of a sequence hold the run together", async () => {
    const joined = joinCycling(
      await Promise.all(["DISCHARGE_#3.DTA", "CHARGE_#2.DTA", "READVOLTAGE_#1.DTA"].map(read)),
    );
    expectRun(joined);
    expect(joined.start).toBe("2024-05-02T09:15:30");
    expect(joined.warnings).toEqual([]);
  });
});
