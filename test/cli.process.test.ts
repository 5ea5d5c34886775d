import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { ionoscope, scratchFolder, type Ran } from "./command-line.js";

const folder = scratchFolder();
const at = (...names: string[]): string => path.join(folder, ...names);

/** A small movie with a quick front, so that a whole analysis takes a second or two. */
const scenario = {
  summary: "A small crystal crossed in a minute and a half.",
  seed: 11,
  movie: { width: 112, height: 104, pixelSize_um: 0.08, frames: 90, interval_s: 5 },
  particles: [
    {
      outline: { kind: "ellipse", centre_um: [4.4, 4.1], radii_um: [2.2, 1.8], angle_deg: 15 },
      brightness: 3,
      changes: [
        {
          kind: "front",
          transition: "biphasic",
          direction: "delithiation",
          to: 1.16,
          front: { kind: "plane", angle_deg: 25, start_s: 150, velocity_um_s: 0.03 },
        },
      ],
    },
  ],
};

let analysed: Ran;
beforeAll(async () => {
  writeFileSync(at("scenario.json"), JSON.stringify(scenario));
  const made = await ionoscope(["twin", at("scenario.json"), "--out", at("twin")]);
  expect(made.stderr).not.toMatch(/internal error/);
  expect(made.status).toBe(0);
  analysed = await ionoscope(["analyse", at("twin", "movie.ome.tif"), "--black-level", "100", "--out", at("out")]);
});

/** Every file below a folder with its bytes. */
function tree(name: string): Map<string, string> {
  const all = new Map<string, string>();
  const walk = (sub: string): void => {
    for (const entry of readdirSync(path.join(name, sub), { withFileTypes: true })) {
      const one = path.join(sub, entry.name);
      if (entry.isDirectory()) walk(one);
      else all.set(one.split(path.sep).join("/"), readFileSync(path.join(name, one)).toString("base64"));
    }
  };
  walk("");
  return all;
}

describe("analyse", () => {
  test("prints a table with the velocity and where the report is, and progress on standard error", () => {
    expect(analysed.status).toBe(0);
    expect(analysed.stdout).toMatch(/velocity \/ nm\/s/);
    expect(analysed.stdout).toMatch(/\b(29|30|31)\.\d+ ± \d/);
    expect(analysed.stdout).toContain(`The report is ${at("out", "report.html")}`);
    expect(analysed.stderr).toMatch(/^drift /m);
    expect(analysed.stderr).not.toMatch(/\[/);
  });

  test("leaves recipe, summary, findings, tables, figures and a report, and nothing half-made beside them", () => {
    const names = [...tree(at("out")).keys()];
    for (const name of [
      "recipe.json",
      "summary.json",
      "report.html",
      "findings/fronts/0/arrival_s.npy",
      "findings/fronts/0/sd_s.npy",
      "tables/kinetics.csv",
      "figures/front-0.svg",
    ]) {
      expect(names).toContain(name);
    }
    expect(readdirSync(folder).filter((name) => /partial|old-/.test(name))).toEqual([]);
  });

  test("with --json prints one JSON value and nothing else", async () => {
    const ran = await ionoscope(["mechanisms", at("twin", "movie.ome.tif"), "--json", "--quiet"]);
    expect(ran.status).toBe(0);
    const summary = JSON.parse(ran.stdout) as { mechanisms: { kind: string }[]; warnings: string[] };
    expect(summary.mechanisms.map(({ kind }) => kind)).toEqual(["wave"]);
    expect(summary.warnings.join(" ")).toMatch(/black level/);
    expect(ran.stderr).toBe("");
  });

  test("a step's command stops at its step", async () => {
    const ran = await ionoscope(["drift", at("twin", "movie.ome.tif"), "--json", "--quiet"]);
    const summary = JSON.parse(ran.stdout) as Record<string, unknown>;
    expect(summary).toHaveProperty("drift");
    expect(summary).not.toHaveProperty("transitions");
  });

  test("frames are left out with their reason, and times stay those of the file", async () => {
    writeFileSync(at("skip.csv"), "first,last,because\n0,3,the lamp was warming up\n");
    const args = ["--skip", at("skip.csv"), "--to-s", "400", "--json", "--quiet", "--black-level", "100"];
    const ran = await ionoscope(["kinetics", at("twin", "movie.ome.tif"), ...args]);
    const summary = JSON.parse(ran.stdout) as {
      movie: { frames: number; analysed: number; first_s: number; skipped: { because: string }[] };
      kinetics: { t50_s: { value: number } }[];
    };
    expect(summary.movie).toMatchObject({ frames: 90, analysed: 77, first_s: 20 });
    expect(summary.movie.skipped[0]!.because).toBe("the lamp was warming up");
    const whole = JSON.parse(readFileSync(at("out", "summary.json"), "utf8")) as typeof summary;
    expect(Math.abs(summary.kinetics[0]!.t50_s.value - whole.kinetics[0]!.t50_s.value)).toBeLessThan(2);
  });

  test("a drawn outline is taken as drawn", async () => {
    const ring = [
      [30, 30],
      [80, 30],
      [80, 75],
      [30, 75],
      [30, 30],
    ];
    writeFileSync(at("outline.json"), JSON.stringify({ type: "Polygon", coordinates: [ring] }));
    const ran = await ionoscope([
      "particles",
      at("twin", "movie.ome.tif"),
      "--outlines",
      at("outline.json"),
      "--json",
      "--quiet",
    ]);
    const summary = JSON.parse(ran.stdout) as { particles: { area_um2: number; source: string }[] };
    expect(summary.particles).toHaveLength(1);
    expect(summary.particles[0]!.area_um2).toBeCloseTo(50 * 45 * 0.08 ** 2, 6);
  });
});

describe("run", () => {
  test("repeats an analysis to the last bit, from the recipe that it wrote", async () => {
    const ran = await ionoscope(["run", at("out", "recipe.json"), "--out", at("again")]);
    expect(ran.status).toBe(0);
    const before = tree(at("out"));
    const after = tree(at("again"));
    expect([...after.keys()].sort()).toEqual([...before.keys()].sort());
    for (const [name, bytes] of before) {
      // Paths of the inputs count from the folder: both lie beside each other, so all is the same.
      expect(after.get(name) === bytes, name).toBe(true);
    }
  });

  test("finds a movie that moved by --movie, and says when it is another one", async () => {
    mkdirSync(at("elsewhere"));
    renameSync(at("twin", "movie.ome.tif"), at("elsewhere", "moved.ome.tif"));
    const lost = await ionoscope(["run", at("out", "recipe.json"), "--out", at("lost")]);
    expect(lost.status).toBe(3);
    expect(lost.lastLine).toMatch(/movie\.ome\.tif/);
    const found = await ionoscope([
      "run",
      at("out", "recipe.json"),
      "--movie",
      at("elsewhere", "moved.ome.tif"),
      "--out",
      at("moved"),
      "--figures",
      "none",
    ]);
    expect(found.status).toBe(0);
    renameSync(at("elsewhere", "moved.ome.tif"), at("twin", "movie.ome.tif"));
    const kinetics = "findings/kinetics/0.json";
    expect(tree(at("moved")).get(kinetics)).toBe(tree(at("out")).get(kinetics));
  });
});

// Windows ends a process on this signal without asking it.
test.skipIf(process.platform === "win32")("Ctrl-C ends with 130 and leaves no half-made folder", async () => {
  for (const [name, args] of [
    ["analysis", ["analyse", at("twin", "movie.ome.tif"), "--out", at("stopped", "analysis")]],
    ["twin", ["twin", "paper-cycle", "--out", at("stopped", "twin")]],
  ] as const) {
    const ran = await ionoscope(args, { interruptAfter_s: 1 });
    expect(ran.status, name).toBe(130);
    expect(existsSync(at("stopped", name))).toBe(false);
    const left = existsSync(at("stopped")) ? readdirSync(at("stopped")) : [];
    expect(left, name).toEqual([]);
  }
});

test("an analysis whose progress nobody reads any more is finished all the same", async () => {
  const out = at("deaf");
  const { status, stdout } = await ionoscope(
    ["analyse", at("twin", "movie.ome.tif"), "--black-level", "100", "--figures", "none", "--out", out],
    { deafAfter_s: 0 },
  );
  expect(status).toBe(0);
  expect(stdout).toContain("The report is");
  expect(existsSync(path.join(out, "summary.json"))).toBe(true);
  expect(readdirSync(folder).filter((name) => name.includes("partial"))).toEqual([]);
});

test("every command and step tells its flags, with exit 0", async () => {
  const overview = await ionoscope(["--help"]);
  expect(overview.status).toBe(0);
  for (const command of ["analyse", "run", "inspect", "twin", "demo", "fronts"]) {
    const ran = await ionoscope([command, "--help"]);
    expect(ran.status, command).toBe(0);
    expect(ran.stdout, command).toMatch(/ionoscope /);
  }
  const fronts = await ionoscope(["fronts", "--help"]);
  expect(fronts.stdout).toMatch(/--lag-s <number>/);
  expect(fronts.stdout).toMatch(/--drift\.psf-um/);
});

test("the scenarios are listed", async () => {
  const ran = await ionoscope(["twin", "--list", "--json"]);
  const names = (JSON.parse(ran.stdout) as { name: string }[]).map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(["plane", "core", "inert", "paper-cycle"]));
});
