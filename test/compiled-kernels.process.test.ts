import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

test("the committed kernels are what their sources compile to", async () => {
  const script = new URL("../scripts/compile-kernels.mjs", import.meta.url).href;
  const { compiledModule } = (await import(/* @vite-ignore */ script)) as { compiledModule(): Promise<string> };
  const committed = readFileSync(new URL("../src/kernels/compiled-bytes.ts", import.meta.url), "utf8");
  expect(await compiledModule()).toBe(committed);
}, 60_000);
