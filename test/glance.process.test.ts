import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { decode } from "fast-png";
import { beforeAll, describe, expect, test } from "vitest";
import { random } from "../src/kernels/random.js";
import { ionoscope, scratchFolder } from "./command-line.js";
import { buildTiff } from "./tiff-builder.js";

const folder = scratchFolder();
const at = (...parts: string[]): string => path.join(folder, ...parts);

/** ImageJ's stack of 24 frames, 5 s apart, 0.1 um a pixel; its last third is saturated. */
function stack(): Uint8Array {
  const stream = random(2);
  const scene = Array.from({ length: 48 * 40 }, () => 300 + 40 * stream.normal());
  return buildTiff({
    pages: Array.from({ length: 24 }, (_, frame) => ({
      width: 48,
      height: 40,
      bits: 16,
      samples: scene.map((value, pixel) => (frame >= 16 && pixel % 5 === 0 ? 4095 : Math.round(value + frame))),
      ...(frame > 0
        ? {}
        : {
            description: "ImageJ=1.53t\nimages=24\nframes=24\nunit=um\nfinterval=5\n",
            tags: [[282, 5, [10, 1]] as const, [283, 5, [10, 1]] as const],
          }),
    })),
  });
}

beforeAll(() => writeFileSync(at("movie.tif"), stack()));

describe("glance", () => {
  test("writes a picture, the same as SVG, and facts; a second time in its place", async () => {
    for (const round of [1, 2]) {
      const ran = await ionoscope(["glance", at("movie.tif"), "--out", at("seen")]);
      expect(ran.status, `round ${round}: ${ran.stderr}`).toBe(0);
      expect(ran.stdout).toMatch(/frames +24 of 48 x 40 px, uint16/);
      expect(ran.stdout).toMatch(/pixel size +0\.1 um/);
      expect(ran.stdout).toMatch(/warning: up to 20 % of the pixels are saturated \(at 4095\) in frames 16 to 23/);
    }
    expect(readdirSync(at("seen")).sort()).toEqual(["glance.json", "glance.png", "glance.svg"]);
    const png = decode(readFileSync(at("seen", "glance.png")));
    expect(png.width).toBeGreaterThan(1600);
    const grey = new Set(png.data.filter((_, byte) => byte % 997 === 0));
    expect(grey.size).toBeGreaterThan(20);
    const svg = readFileSync(at("seen", "glance.svg"), "utf8");
    const words = [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map((match) => match[1]);
    for (const word of [
      "movie.tif",
      "light / stored value",
      "sharpness / %",
      "place / µm",
      "time / s",
      "frame 0, 0 s",
      "1 µm",
    ])
      expect(words, word).toContain(word);
    expect(svg).not.toContain("http://localhost");
    const facts = JSON.parse(readFileSync(at("seen", "glance.json"), "utf8")) as {
      frame: number[];
      warnings: string[];
    };
    expect(facts.frame).toHaveLength(24);
  });

  test("without --out nothing is written; --json is one value", async () => {
    const before = readdirSync(folder).sort();
    const ran = await ionoscope(["glance", "movie.tif", "--json"], { cwd: folder });
    expect(ran.status).toBe(0);
    expect(JSON.parse(ran.stdout)).toMatchObject({
      kind: "glance",
      frames: 24,
      pixelSize_um: 0.1,
      light: { saturation: 4095 },
    });
    expect(readdirSync(folder).sort()).toEqual(before);
  });

  test("a folder of someone else is left alone, a wrong file and a wrong wish end in one sentence", async () => {
    mkdirSync(at("mine"));
    writeFileSync(at("mine", "notes.txt"), "keep");
    const foreign = await ionoscope(["glance", at("movie.tif"), "--out", at("mine")]);
    expect(foreign.status).toBe(2);
    expect(foreign.stderr).not.toMatch(/moments/);
    expect(foreign.lastLine).toMatch(/it is something else and is not replaced/);
    expect(readdirSync(at("mine"))).toEqual(["notes.txt"]);
    expect((await ionoscope(["glance"])).status).toBe(2);
    expect((await ionoscope(["glance", at("movie.tif"), "--channel", "3"])).status).toBe(2);
    expect((await ionoscope(["glance", at("mine", "notes.txt")])).status).toBe(3);
    const cut = stack().slice(0, 30_000);
    writeFileSync(at("cut.tif"), cut);
    const used = await ionoscope(["glance", at("cut.tif")]);
    expect(used.status).toBe(0);
    expect(used.stdout).toMatch(/warning: .*cut/);
  });

  test("Ctrl-C ends with 130 and leaves no half folder", async () => {
    const ran = await ionoscope(["glance", at("movie.tif"), "--out", at("half")], { interruptAfter_s: 0.45 });
    // Where it was done before it was stopped, it is whole.
    if (ran.status === 0) expect(readdirSync(at("half"))).toHaveLength(3);
    else {
      expect(ran.status).toBe(130);
      expect(existsSync(at("half"))).toBe(false);
    }
    expect(readdirSync(folder).filter((name) => name.includes("partial"))).toEqual([]);
  });
});
