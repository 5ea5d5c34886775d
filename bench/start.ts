/** How soon the command line answers, and how soon it says what a very large file holds. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { commandLine, nodeProcess } from "./process.js";
import { middle, type Row } from "./row.js";
import { writeSparse } from "./sparse-tiff.js";

export const about =
  "Processes from their start to their end. The file of 60 GB is a BigTIFF of 13,000 frames of 1920 x 1200, each behind its directory, of which nothing but the directories is on the disk.";

export async function rows(quick: boolean): Promise<Row[]> {
  const main = commandLine();
  const folder = mkdtempSync(path.join(tmpdir(), "ionoscope-bench-"));
  const runs = quick ? 3 : 9;
  try {
    const nothing = path.join(folder, "nothing.mjs");
    writeFileSync(nothing, "");
    const file = path.join(folder, "large.tif");
    writeSparse(file, 13_000, 1920, 1200);
    const commands: Readonly<Record<string, readonly string[]>> = {
      "node alone": [nothing],
      "--version": [main, "--version"],
      "--help": [main, "--help"],
      "analyse --help": [main, "analyse", "--help"],
      "inspect of 60 GB": [main, "inspect", file],
    };
    const times: Record<string, number[]> = {};
    let peak_MB = 0;
    for (let run = 0; run < runs; run++) {
      for (const [name, args] of Object.entries(commands)) {
        const took = await nodeProcess(args);
        (times[name] ??= []).push(1000 * took.wall_s);
        if (name.startsWith("inspect")) peak_MB = took.peak_MB;
      }
    }
    const bare = middle(times["node alone"]!);
    const over = (name: string): Row => ({
      what: `${name}, over node alone`,
      unit: "ms",
      values: times[name]!.map((ms) => ms - bare),
      wanted: { atMost: 150 },
    });
    return [
      { what: "node alone", unit: "ms", values: times["node alone"]! },
      over("--version"),
      over("--help"),
      over("analyse --help"),
      {
        what: "inspect of 60 GB",
        unit: "ms",
        values: times["inspect of 60 GB"]!,
        wanted: { atMost: 2000 },
        note: `${peak_MB.toFixed(0)} MB`,
      },
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
