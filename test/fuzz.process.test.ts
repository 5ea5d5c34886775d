/** Files of every format, changed at random, are read or refused: nothing hangs, dies, or swells. */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const run = promisify(execFile);
const root = path.resolve(import.meta.dirname, "..");

/** As long as the suite gives it; `npm run fuzz -- --seconds 3600 --seed 2` goes on where this ends. */
const SECONDS = 30;

test("30 s of changed files of every format: each is read or refused in one line", { timeout: 180_000 }, async () => {
  await run(process.execPath, [path.join(root, "node_modules/typescript/bin/tsc"), "-p", "tsconfig.programs.json"], {
    cwd: root,
  });
  const kept = mkdtempSync(path.join(tmpdir(), "ionoscope-fuzz-"));
  const seed = process.env["IONOSCOPE_SEED"] === "random" ? Math.floor(Math.random() * 2 ** 31) : 1;
  const main = path.join(root, "dist/programs/test/fuzz/main.js");
  const arguments_ = [main, "--seconds", String(SECONDS), "--seed", String(seed), "--keep", kept];
  const { stdout, code } = await run(process.execPath, arguments_, { cwd: root }).then(
    (done) => ({ stdout: done.stdout, code: 0 }),
    (error: { stdout: string; code: number }) => error,
  );
  console.log(stdout);
  expect(code, stdout).toBe(0);
  rmSync(kept, { recursive: true });
});
