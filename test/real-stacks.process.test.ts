import path from "node:path";
import { describe, expect, test } from "vitest";
import { ionoscope, scratchFolder } from "./command-line.js";
import { dataFolder } from "./data-folder.js";

interface Summary {
  readonly warnings: readonly string[];
  readonly particles: readonly unknown[];
  readonly kinetics: readonly unknown[];
  readonly drift: { readonly residual_nm: { readonly value: number | null } };
}

/** Sentences that say why particles, or the drift, could not be had. */
const why = { particles: /no crystal was found/, drift: /drift (cannot be measured|is counted from)|carrier/ };

describe.skipIf(dataFolder === null)(
  "real microscope stacks are analysed: drift and particles, or a sentence why not",
  () => {
    test.each(["foam", "brightfield_png", "pims/tiff_stack.tif", "pims/stuck.tif"])("%s", async (name) => {
      const stack = path.join(dataFolder ?? "", "images", "stacks", ...name.split("/"));
      const out = path.join(scratchFolder(), "out");
      const scale = ["--pixel-size-um", "0.1", "--interval-s", "2"];
      const ran = await ionoscope(["analyse", stack, ...scale, "--out", out, "--figures", "none", "--json", "--quiet"]);
      expect(ran.stderr).toBe("");
      expect(ran.status).toBe(0);
      const { warnings, particles, kinetics, drift } = JSON.parse(ran.stdout) as Summary;
      const said = warnings.join("\n");
      if (particles.length === 0) expect(said).toMatch(why.particles);
      if (drift.residual_nm.value === null) expect(said).toMatch(why.drift);
      // None of them shows a crystal with a phase boundary.
      expect(kinetics).toEqual([]);
    });
  },
);
