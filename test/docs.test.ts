import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { manual } from "../src/cli/manual.js";
import { version } from "../src/operations/version.js";

const root = path.resolve(import.meta.dirname, "..");

test("docs/operations.md is what the table says (update with: npx vitest run test/docs.test.ts -u)", async () => {
  await expect(manual()).toMatchFileSnapshot(path.join(root, "docs", "operations.md"));
});

test("one version stands in package.json, the summaries and the citation", () => {
  const manifest = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8")) as { version: string };
  expect(manifest.version).toBe(version);
  expect(readFileSync(path.join(root, "CITATION.cff"), "utf8")).toContain(`\nversion: ${version}\n`);
  expect(readFileSync(path.join(root, "CHANGELOG.md"), "utf8")).toContain(`## ${version}`);
});

test("versions are pinned exactly, and no dependency needs an install script to run", () => {
  const manifest = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8")) as Record<
    string,
    Record<string, string>
  >;
  for (const range of Object.values({ ...manifest["dependencies"], ...manifest["devDependencies"] })) {
    expect(range).toMatch(/^(npm:[^@]*@?[^@]+@)?\d+\.\d+\.\d+$/);
  }
  const lock = JSON.parse(readFileSync(path.join(root, "package-lock.json"), "utf8")) as {
    packages: Record<string, { hasInstallScript?: boolean; optional?: boolean }>;
  };
  const scripted = Object.entries(lock.packages)
    .filter(([, { hasInstallScript }]) => hasInstallScript === true)
    .map(([name]) => name);
  // fsevents is macOS's optional file watcher of the test runner; its prebuilt binary needs no build.
  expect(scripted.filter((name) => !name.endsWith("fsevents"))).toEqual([]);
});

test("every link between documents leads somewhere", () => {
  const documents = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", ...markdown("docs")];
  const broken: string[] = [];
  for (const name of documents) {
    const text = readFileSync(path.join(root, name), "utf8");
    for (const match of text.matchAll(/\]\((?!https?:)([^)#]+)/g)) {
      const target = path.resolve(root, path.dirname(name), match[1]!);
      try {
        readFileSync(target);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EISDIR") broken.push(`${name} -> ${match[1]}`);
      }
    }
  }
  expect(broken).toEqual([]);
});

function markdown(folder: string): string[] {
  return readdirSync(path.join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const name = path.join(folder, entry.name);
    if (entry.isDirectory()) return markdown(name);
    return entry.name.endsWith(".md") ? [name] : [];
  });
}
