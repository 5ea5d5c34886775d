import { beforeAll, describe, expect, test } from "vitest";
import type { Cell, Drift, FrontMap, Kinetics, Trace, Transition } from "../model/experiment.js";
import { random } from "../kernels/random.js";
import { contrastFigure } from "./contrast-figure.js";
import { colormap, lineColours, lookupTable, windowColours } from "./colormap.js";
import { cyclingFigure } from "./cycling-figure.js";
import { driftFigure } from "./drift-figure.js";
import { evennessFigure } from "./evenness-figure.js";
import { shippedFont } from "./font.node.js";
import { frontMapFigure } from "./front-map-figure.js";
import { kineticsFigure } from "./kinetics-figure.js";
import { kymographFigure } from "./kymograph-figure.js";
import { pictureUrl } from "./picture.js";
import { ratesFigure } from "./rates-figure.js";
import { renderSvg, withFont } from "./render.js";
import { reportPage } from "./report.js";
import { curveRows } from "./spec.js";
import { decode } from "fast-png";

const time_s = Float64Array.from({ length: 200 }, (_, at) => 5 * at);
const trace: Trace = { particle: 3, time_s, intensity: time_s.map((t) => 1 + 0.0005 * t) };
const window: Transition = {
  id: 0,
  particle: 3,
  kind: "biphasic",
  direction: "delithiation",
  directionSource: "cycler",
  halfCycle: 0,
  since_half_start_s: 20,
  rate_C: 2,
  start_s: 415,
  end_s: 802,
  sd_s: 5,
  closed: true,
  order: "front",
  lag_to_dQdV: null,
};
const cycling = {
  time_s,
  potential_V: time_s.map((t) => 3.7 + 0.0005 * t),
  current_mA: time_s.map(() => 0.2),
  charge_mAh: time_s.map((t) => (0.2 * t) / 3600),
};
const cell = {
  differentialCapacity: [{ halfCycle: 0, potential_V: cycling.potential_V, time_s, dQdV_mAh_V: time_s.map(() => 0.1) }],
  halfCycles: [],
} as unknown as Cell;

/** The words of an SVG in order. */
function words(svg: string): string[] {
  return [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map((match) => match[1]!);
}

beforeAll(async () => {
  await shippedFont();
});

describe("every axis names its quantity and unit", () => {
  test("intensity, potential and dQ/dV on one time axis", async () => {
    const svg = await renderSvg(cyclingFigure({ traces: [trace], cycling, cell, transitions: [window] }));
    expect(words(svg)).toEqual(
      expect.arrayContaining(["intensity, relative", "potential / V", "dQ/dV / (mAh/V)", "time / min"]),
    );
    // One shade a panel for the window, in the colour of the two-phase transition, and one in the key that names it.
    expect(svg.match(/fill="#d55e00"/g)).toHaveLength(4);
    expect(words(svg)).toEqual(expect.arrayContaining(["window", "biphasic"]));
    expect(words(svg)).not.toContain("ordering");
  });

  test("a kymograph, with its velocity and the front's places", async () => {
    const distance_um = Float64Array.from({ length: 40 }, (_, at) => 0.04 * at);
    const place = (t_s: number): number => 0.002 * (t_s - 200);
    const rows = Float32Array.from({ length: time_s.length * 40 }, (_, at) =>
      place(time_s[Math.floor(at / 40)]!) > distance_um[at % 40]! ? 0.12 : 0,
    );
    const ridge = [...time_s].filter((t) => place(t) > 0.2 && place(t) < 1.4);
    const svg = await renderSvg(
      kymographFigure({
        particle: 3,
        transition: 0,
        line_px: [
          [0, 0],
          [20, 0],
        ],
        width_um: 0.5,
        lag_s: 20,
        time_s,
        distance_um,
        intensity: rows,
        differential: rows.map((value, at) => (at < 160 ? NaN : value - rows[at - 160]!)),
        ridge: ridge.map((t) => ({ time_s: t, distance_um: place(t), sd_um: 0.004 })),
        velocity_um_s: { value: 0.002, sd: 0.00003, n: 40 },
      }),
    );
    expect(words(svg)).toEqual(
      expect.arrayContaining(["way along the line / µm", "time / min", "contrast / %", "contrast over 20.0 s"]),
    );
    expect(words(svg).join(" ")).toContain("2.0 ± 0.0 nm/s along the line");
    expect(svg.match(/<image/g)!.length).toBeGreaterThanOrEqual(4);
  });

  test("phase fraction and C-rate, with the half time and the factor as they were found", async () => {
    const curve = { time_s, value: time_s.map((t) => t / 1000), sd: time_s.map(() => 0.01) };
    const kinetics = {
      phaseFraction: curve,
      cRate: curve,
      t50_s: { value: 578.94, sd: 1, n: 10 },
      c_rate_factor: 0.353,
      c_rate_bandwidth_s: 20,
    } as unknown as Kinetics;
    const all = words(await renderSvg(kineticsFigure(kinetics, window)));
    expect(all).toEqual(expect.arrayContaining(["phase fraction", "single-particle C-rate", "time / min"]));
    expect(all).toContain("Half transformed at 578.9 s");
    expect(all.join(" ")).toContain("0.353");
    const ordering = words(await renderSvg(kineticsFigure({ ...kinetics, cRate: null }, window)));
    expect(ordering.join(" ")).toContain("no C-rate");
  });

  test("drift in nm with its error and the least possible", async () => {
    const drift = {
      x_px: time_s.map((t) => t / 500),
      y_px: time_s.map((t) => -t / 900),
      gain: time_s.map(() => 1),
      residual_nm: { value: 1.26, sd: 0.1, n: 200 },
      bound_nm: 0.42,
    } as unknown as Drift;
    const all = words(await renderSvg(driftFigure(time_s, drift, 0.08)));
    expect(all).toEqual(expect.arrayContaining(["place / nm", "light / %", "time / min"]));
    expect(all.join(" ")).toMatch(/1\.3 nm.*0\.42 nm/);
    const lost = { ...drift, residual_nm: { value: NaN, sd: null, n: 0 } } as Drift;
    expect(words(await renderSvg(driftFigure(time_s, lost, 0.08))).join(" ")).toContain("could not be measured");
  });

  test("unevenness beside noise", async () => {
    const evenness = { particle: 3, time_s, unevenness: time_s.map(() => 0.01), expected: time_s.map(() => 0.002) };
    expect(words(await renderSvg(evennessFigure(evenness, [window])))).toEqual(
      expect.arrayContaining(["unevenness / %", "measured", "noise alone"]),
    );
  });

  test("a front's map has a scale bar, a colour bar and its window in seconds", async () => {
    const width = 40;
    const height = 30;
    const front = {
      width,
      height,
      pixelSize_um: 0.08,
      mask: new Uint8Array(width * height).fill(1),
      arrival_s: Float32Array.from({ length: width * height }, (_, at) => 415 + (at % width) * 9),
    } as unknown as FrontMap;
    const svg = await renderSvg(frontMapFigure(front, window));
    expect(words(svg)).toEqual(
      expect.arrayContaining(["0 is 415 s, 1 is 802 s", "1 µm", "arrival / share of the window"]),
    );
    expect(svg.match(/<image/g)).toHaveLength(2);
  });
});

describe("what is missing is said", () => {
  test("fronts by the rate of the cell: a particle as fast as its cell lies on the dashed curve, rates that are one share a tick", async () => {
    const rates = [0.5, 1, 1.999999, 2.000001, 6];
    const points = rates.map((rate_C) => ({
      rate_C,
      direction: "delithiation",
      mechanism: rate_C < 2 ? "hybrid" : "core",
      // The cell's own rate: each point has its centre on the curve.
      c_rate_max: rate_C,
      c_rate_max_sd: 0.1,
      velocity_nm_s: 20,
      velocity_sd_nm_s: null,
    }));
    const svg = await renderSvg(
      ratesFigure([...points, { ...points[0]!, rate_C: null }, { ...points[0]!, rate_C: 0 }]),
    );
    expect(svg).not.toMatch(/NaN|Infinity/);
    expect(svg.match(/>2<\/text>/g)).toHaveLength(2 + 1);
    const [, path] = /mark" d="([^"]*)"[^>]*stroke-dasharray/.exec(svg)!;
    const curve = [...path!.matchAll(/[ML]([-\d.]+),([-\d.]+)/g)].map(([, x, y]) => [Number(x), Number(y)] as const);
    const bars = [...svg.matchAll(/rule mark" transform="translate\(([-\d.]+),([-\d.]+)\)" x2="0" y2="([-\d.]+)"/g)];
    for (const [, x, low, up] of bars.slice(0, rates.length)) {
      const [middleX, middleY] = [Number(x), Number(low) + 0.5 * Number(up)];
      expect(Math.min(...curve.map(([cx, cy]) => Math.hypot(cx - middleX, cy - middleY)))).toBeLessThan(5);
    }
    expect(bars.length).toBeGreaterThanOrEqual(rates.length);
  });

  test("no cycler, no particle, no image", async () => {
    const alone = cyclingFigure({ traces: [trace], cycling: null, cell: null, transitions: [] });
    expect(words(await renderSvg(alone))).toContain("no cycler's record was given");
    const empty = cyclingFigure({ traces: [], cycling, cell, transitions: [] });
    expect(words(await renderSvg(empty))).toContain("no particle to show");
    expect(words(await renderSvg(contrastFigure({ title: "x", images: [], outline: [] })))).toContain(
      "no image to show",
    );
  });
});

test("a picture has one pixel a pixel, zero contrast pale and without colour, NaN transparent", () => {
  const url = pictureUrl({ width: 3, height: 1, data: [-1, 0, NaN] }, [-1, 1], "contrast");
  const { width, height, data } = decode(Uint8Array.from(atob(url.split(",")[1]!), (sign) => sign.charCodeAt(0)));
  expect([width, height]).toEqual([3, 1]);
  const [r, , b] = data.slice(0, 3);
  expect(b!).toBeGreaterThan(r! + 50);
  const zero = Array.from(data.slice(4, 7), Number);
  expect(Math.min(...zero)).toBeGreaterThan(230);
  expect(Math.max(...zero) - Math.min(...zero)).toBeLessThan(8);
  expect(data[11]).toBe(0);
});

test("no line has the colour of a window", () => {
  const shades: readonly string[] = Object.values(windowColours);
  expect(lineColours.filter((colour) => shades.includes(colour))).toEqual([]);
  expect(new Set(lineColours).size).toBe(lineColours.length);
});

test("colour maps rise or fall steadily in lightness where they are sequential", () => {
  for (const name of ["arrival", "intensity"] as const) {
    const table = lookupTable(name);
    const lightness = Array.from(
      { length: 256 },
      (_, at) => 0.2126 * table[3 * at]! + 0.7152 * table[3 * at + 1]! + 0.0722 * table[3 * at + 2]!,
    );
    for (let at = 16; at < 256; at += 16) expect(lightness[at]!).toBeGreaterThan(lightness[at - 16]!);
  }
  expect(colormap("intensity", -5)).toBe(colormap("intensity", 0));
});

test("a long curve is thinned without losing its extremes", () => {
  const { uniform } = random(9);
  const long = Float64Array.from({ length: 50_000 }, (_, at) => at);
  const value = long.map(() => uniform());
  value[31_234] = 7;
  value[8_765] = -7;
  const rows = curveRows(long, value, { name: "s", seconds: 1 }, [0, 50_000], 1000);
  expect(rows.length).toBeLessThanOrEqual(1000);
  expect(Math.max(...rows.map(({ v }) => v!))).toBe(7);
  expect(Math.min(...rows.map(({ v }) => v!))).toBe(-7);
});

test("the report asks for nothing from a network, escapes what users named, and puts warnings before numbers", async () => {
  const svg = await renderSvg(cyclingFigure({ traces: [trace], cycling, cell, transitions: [window] }));
  const page = reportPage({
    title: 'cell <script>alert("x")</script>.tif',
    facts: [["Movie", "a & b"]],
    warnings: ["the black level is unknown"],
    tables: [{ title: "What was found", columns: ["velocity / nm/s"], rows: [["20.3 ± 0.3"]] }],
    figures: [
      { name: "one", svg, caption: "First." },
      { name: "two", svg, caption: "Second." },
    ],
    recipe: "{}",
    repeat: "ionoscope run recipe.json",
    fontCss: await shippedFont(),
    footer: "ionoscope",
  });
  expect(page).not.toMatch(/<script/);
  expect(page.replaceAll(/xmlns(:\w+)?="[^"]*"/g, "")).not.toMatch(/(src|href)="?https?:|url\(https?:/);
  expect(page.indexOf("black level is unknown")).toBeLessThan(page.indexOf("20.3 ± 0.3"));
  const ids = [...page.matchAll(/\bid="([^"]+)"/g)].map((match) => match[1]);
  expect(new Set(ids).size).toBe(ids.length);
});

test("a figure alone carries its font", async () => {
  const svg = withFont(
    await renderSvg(evennessFigure({ particle: 0, time_s, unevenness: time_s, expected: time_s }, [])),
    await shippedFont(),
  );
  expect(svg).toMatch(/@font-face\{font-family:"Source Sans"/);
  expect(svg).toContain('font-family="Source Sans, sans-serif"');
});
