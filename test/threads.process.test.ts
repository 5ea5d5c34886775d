import { createHash } from "node:crypto";
import { open, readFile, readdir } from "node:fs/promises";
import path from "node:path";
import { beforeAll, expect, test } from "vitest";
import { inMemory } from "../src/analysis/raw-store.js";
import { newStores } from "../src/operations/raw-file.node.js";
import { startHashing } from "../src/operations/hash.node.js";
import { ionoscope, scratchFolder } from "./command-line.js";

const folder = scratchFolder();
const twin = path.join(folder, "twin");

beforeAll(async () => {
  expect((await ionoscope(["twin", "many", "--out", twin, "--seed", "5"])).status).toBe(0);
});

async function findings(of: string): Promise<Map<string, string>> {
  const all = new Map<string, string>();
  const names = await readdir(path.join(of, "findings"), { recursive: true, withFileTypes: true });
  for (const entry of names) {
    if (!entry.isFile()) continue;
    const name = path.join(entry.parentPath, entry.name);
    all.set(path.relative(of, name), (await readFile(name)).toString("latin1"));
  }
  return all;
}

test("findings are the same to the last bit, whatever the number of threads", async () => {
  const movie = path.join(twin, "movie.ome.tif");
  const cycling = path.join(twin, "cycling.csv");
  const found = [];
  for (const threads of ["1", "3"]) {
    const out = path.join(folder, `threads-${threads}`);
    const { status, stderr } = await ionoscope([
      "analyse",
      movie,
      cycling,
      "--black-level",
      "100",
      "--figures",
      "none",
      "--threads",
      threads,
      "--out",
      out,
    ]);
    expect(status, stderr).toBe(0);
    found.push(await findings(out));
  }
  expect(found[0]!.size).toBeGreaterThan(20);
  expect(found[1]).toEqual(found[0]);
}, 240_000);

test("boxes kept on a disk read as those in memory", () => {
  const stores = newStores(0);
  const sizes = [6, 1, 15];
  const kept = [stores.make(9, sizes, "uint16"), inMemory(9, sizes, "uint16")];
  // Written out of order, as nothing says that they come in it.
  for (const frame of [3, 0, 8, 1, 2, 4, 7, 6, 5]) {
    const boxes = sizes.map((size, which) =>
      Uint16Array.from({ length: size }, (_, at) => 1000 * frame + 100 * which + at),
    );
    for (const store of kept) store.write(frame, boxes);
  }
  for (let frame = 0; frame < 9; frame++) {
    for (const [which, size] of sizes.entries()) {
      const [one, other] = [new Uint16Array(size), new Uint16Array(size)];
      kept[0]!.box(which).read(frame, one);
      kept[1]!.box(which).read(frame, other);
      expect(one).toEqual(other);
      expect(one[0]).toBe(1000 * frame + 100 * which);
    }
  }
  stores.close();
});

test("a file is hashed no farther than it was seen, and then to its end", async () => {
  const name = path.join(folder, "large");
  const bytes = 80e6;
  const file = await open(name, "w");
  await file.truncate(bytes);
  await file.close();
  const wanted = createHash("sha256").update(new Uint8Array(bytes)).digest("hex");
  const hashing = startHashing([{ role: "movie", name, files: [name] }], bytes);
  let done = false;
  const state = new Promise((resolve) => setTimeout(() => resolve(done), 500));
  const inputs = hashing.hashed.then((found) => {
    done = true;
    return found;
  });
  expect(await state).toBe(false);
  hashing.seen(1);
  expect(await inputs).toEqual([{ role: "movie", path: name, sha256: wanted, bytes }]);
  expect(await hashing.inputs()).toEqual(await inputs);
  // Whoever asks for what went in waits for nobody else.
  const [input] = await startHashing([{ role: "movie", name, files: [name] }], bytes).inputs();
  expect(input!.sha256).toBe(wanted);
});
