import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { ionoscope, scratchFolder } from "./command-line.js";

const root = path.resolve(import.meta.dirname, "..");

/** Code blocks of one language in a document, in order. */
function blocks(document: string, language: string): string[] {
  const text = readFileSync(path.join(root, document), "utf8");
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, "gm"))].map((match) => match[1]!);
}

/** Compiles a TypeScript block as strictly as the house and runs it where `import ... from "ionoscope"` finds the built package. */
function runBlock(code: string, name: string): { status: number | null; output: string } {
  const folder = path.join(root, "test", `.docs-${name}`);
  mkdirSync(folder, { recursive: true });
  const file = path.join(folder, `${name}.ts`);
  writeFileSync(file, code);
  const flags =
    "--ignoreConfig --strict --skipLibCheck --target ES2022 --lib ES2023,DOM --module NodeNext --types node";
  const run = (args: readonly string[], cwd: string): { status: number | null; output: string } => {
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd, encoding: "utf8" });
    return { status, output: stdout + stderr };
  };
  try {
    const compiler = path.join(root, "node_modules", "typescript", "bin", "tsc");
    const compiled = run([compiler, ...flags.split(" "), "--rootDir", root, "--outDir", folder, file], root);
    if (compiled.status !== 0) return compiled;
    return run([path.join(folder, path.relative(root, folder), `${name}.js`)], scratchFolder());
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test("the README's TypeScript compiles, runs, and prints the velocity of the twin", () => {
  const [code] = blocks("README.md", "ts");
  const { status, output } = runBlock(code!, "readme");
  expect(output).toMatch(/^\d\d\.\d ± \d+\.\d nm\/s\s*$/);
  expect(status).toBe(0);
  expect(Math.abs(Number.parseFloat(output) - 20)).toBeLessThan(0.6);
});

test("the guides' commands run one after another and their TypeScript runs", { timeout: 300_000 }, async () => {
  const cwd = scratchFolder();
  for (const document of readdirSync(path.join(root, "docs", "guide")).map((name) => `docs/guide/${name}`)) {
    for (const block of blocks(document, "sh")) {
      for (const line of block.split("\n").filter((text) => text.startsWith("npx ionoscope "))) {
        const ran = await ionoscope(line.slice("npx ionoscope ".length).split(/\s+/), { cwd });
        expect(ran.status, `${line}: ${ran.lastLine}`).toBe(0);
      }
    }
    for (const [index, block] of blocks(document, "ts").entries()) {
      const { status, output } = runBlock(block, `guide-${index}`);
      expect(status, output).toBe(0);
    }
  }
});
