import { expect, test } from "vitest";
import { cyclingFormats } from "../io/cycling.js";
import { movieFormats } from "../io/open.js";
import { formats } from "./formats.js";

/** Rows of the readers' tables that go by another name in the list: a folder, a companion, a name of its own. */
const listedAs: Readonly<Record<string, string>> = {
  "folder of frames": "folder",
  "ome-xml": "ome-tiff",
  parquet: "bdf-parquet",
  xlsx: "arbin-xlsx",
};

test("every format that is read stands in the list, once for what it holds", () => {
  const listed = (holds: string): string[] =>
    formats.filter((format) => format.holds === holds).map(({ name }) => name);
  for (const { name } of movieFormats) expect(listed("movie")).toContain(listedAs[name] ?? name);
  for (const { name, aside } of cyclingFormats) {
    if (aside !== true) expect(listed("cycling")).toContain(listedAs[name] ?? name);
  }
  const keys = formats.map(({ name, holds }) => `${name} ${holds}`);
  expect(new Set(keys).size).toBe(keys.length);
});
