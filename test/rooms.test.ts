import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";

type Room =
  | "model"
  | "kernels"
  | "io"
  | "analysis"
  | "physics"
  | "figures"
  | "inference"
  | "operations"
  | "server"
  | "cli"
  | "web";

/** The plan: which rooms a room may enter, and why not the others. */
const mayImport: Record<Room, { rooms: Room[]; because: string }> = {
  model: { rooms: [], because: "nouns know nothing of what is done with them" },
  kernels: { rooms: [], because: "arithmetic knows nothing of microscopes" },
  io: { rooms: ["model"], because: "a reader turns bytes into nouns and no more" },
  analysis: { rooms: ["model", "kernels"], because: "a measurement must not depend on theory, files or pictures" },
  physics: { rooms: ["model", "kernels"], because: "theory must not depend on what was measured" },
  figures: { rooms: ["model", "kernels"], because: "a picture shows findings and computes none" },
  inference: {
    rooms: ["model", "kernels", "analysis", "physics"],
    because: "theory meets measurement here and nowhere else",
  },
  operations: {
    rooms: ["model", "kernels", "io", "analysis", "physics", "inference", "figures"],
    because: "the table knows no face",
  },
  server: { rooms: ["operations", "io"], because: "a face speaks to the table" },
  cli: { rooms: ["operations", "server", "model"], because: "a face speaks to the table" },
  web: { rooms: ["model", "io"], because: "the page gets its numbers over HTTP" },
};

const root = path.resolve(import.meta.dirname, "..", "src");

function files(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const full = path.join(folder, entry.name);
    if (entry.isDirectory()) return files(full);
    return /\.(ts|svelte)$/.test(entry.name) ? [full] : [];
  });
}

function imports(text: string): string[] {
  const found = text.matchAll(/(?:\bfrom\s+|\bimport\s*\(\s*|\bimport\s+)["']([^"']+)["']/g);
  return [...found].map((match) => match[1]!);
}

const sources = files(root).map((file) => ({
  name: path.relative(root, file).split(path.sep).join("/"),
  imports: imports(readFileSync(file, "utf8")),
  runtime: runtimeImports(readFileSync(file, "utf8")),
}));

const isTest = (name: string): boolean => name.endsWith(".test.ts");
const roomOf = (name: string): string => name.split("/")[0]!;

/** Imports that are there at run time: types leave no trace, and may look back at what they describe. */
function runtimeImports(text: string): string[] {
  return imports(text.replaceAll(/^import type [^;]*;/gm, ""));
}

/** Sentences for every import that goes where the plan does not allow. */
function breaches(list: readonly { name: string; imports: readonly string[] }[]): string[] {
  const sentences: string[] = [];
  for (const { name, imports: entered } of list) {
    const room = roomOf(name);
    // The public index may name all rooms but the faces; tests may stand in any room they need.
    if (name === "index.ts" || isTest(name)) continue;
    const plan = mayImport[room as Room];
    if (plan === undefined) {
      sentences.push(`${name} lies in no room of the plan.`);
      continue;
    }
    for (const target of entered) {
      if (!target.startsWith(".")) continue;
      const other = roomOf(path.posix.normalize(path.posix.join(path.posix.dirname(name), target)));
      if (other === room || plan.rooms.includes(other as Room)) continue;
      sentences.push(`${name} enters ${other}: ${plan.because}.`);
    }
  }
  return sentences;
}

test("every import goes down the plan of the house", () => {
  expect(sources.length).toBeGreaterThan(40);
  expect(breaches(sources)).toEqual([]);
});

test("the plan is not deaf: a measurement that enters physics is named", () => {
  expect(breaches([{ name: "analysis/fronts.ts", imports: ["../physics/lco.js"] }])).toEqual([
    "analysis/fronts.ts enters physics: a measurement must not depend on theory, files or pictures.",
  ]);
  expect(imports('const a = await import("../physics/x.js"); import "node:fs"; export * from "./y.js";')).toEqual([
    "../physics/x.js",
    "node:fs",
    "./y.js",
  ]);
});

test("only *.node.ts files and the command line touch node:", () => {
  const touching = sources
    .filter(({ name, imports: entered }) => !isTest(name) && entered.some((target) => target.startsWith("node:")))
    .map(({ name }) => name)
    .filter((name) => !name.endsWith(".node.ts") && roomOf(name) !== "cli" && roomOf(name) !== "server");
  expect(touching).toEqual([]);
});

test("files that run in a browser too do not import node files, but by await import()", () => {
  const entering: string[] = [];
  for (const { name } of sources) {
    if (isTest(name) || name.endsWith(".node.ts") || roomOf(name) === "cli" || roomOf(name) === "server") continue;
    const text = readFileSync(path.join(root, name), "utf8");
    for (const match of text.matchAll(/\bfrom\s+["']([^"']+\.node\.js)["']/g)) {
      // A type costs nothing at run time.
      const statement = text.slice(text.lastIndexOf("\n", match.index - 1) + 1, match.index);
      if (!statement.startsWith("import type") && name !== "index.ts") entering.push(`${name} imports ${match[1]}`);
    }
  }
  expect(entering).toEqual([]);
});

test("zod stands in operations and the command line alone", () => {
  const using = sources
    .filter(({ name, imports: entered }) => !isTest(name) && entered.includes("zod"))
    .map(({ name }) => roomOf(name));
  expect([...new Set(using)].filter((room) => room !== "operations" && room !== "cli")).toEqual([]);
});

test("no room has an index of its own but operations", () => {
  expect(sources.map(({ name }) => name).filter((name) => /^(?!operations\/)[^/]+\/index\.ts$/.test(name))).toEqual([]);
});

test("no import runs in a circle", () => {
  const graph = new Map(
    sources
      .filter(({ name }) => !isTest(name))
      .map(({ name, runtime: entered }) => [
        name,
        entered
          .filter((target) => target.startsWith("."))
          .map((target) =>
            path.posix.normalize(path.posix.join(path.posix.dirname(name), target)).replace(/\.js$/, ".ts"),
          ),
      ]),
  );
  const done = new Set<string>();
  const circles: string[] = [];
  const walk = (name: string, trail: readonly string[]): void => {
    if (trail.includes(name)) {
      circles.push([...trail.slice(trail.indexOf(name)), name].join(" -> "));
      return;
    }
    if (done.has(name)) return;
    for (const next of graph.get(name) ?? []) walk(next, [...trail, name]);
    done.add(name);
  };
  for (const name of graph.keys()) walk(name, []);
  expect(circles).toEqual([]);
});
