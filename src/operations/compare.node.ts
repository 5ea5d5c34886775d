/** Analyses read from their folders, and a comparison written as one. */
import { readFile } from "node:fs/promises";
import path from "node:path";
import type { RatePoint } from "../figures/rates-figure.js";
import { reportPage, type ReportTable } from "../figures/report.js";
import { openFile } from "../io/bytes.node.js";
import { openNpy } from "../io/npy.js";
import { FormatError, ParameterError } from "../model/errors.js";
import { NM_PER_UM } from "../model/units.js";
import {
  compareAnalyses,
  comparedSchema,
  comparisonTables,
  type Compared,
  type ComparedFront,
  type Comparison,
} from "./compare.js";
import { relativePath } from "./files.node.js";
import { draftFolder } from "./folder.node.js";
import { jsonText } from "./summary.js";
import { csv } from "./tables.js";
import { valueText } from "./table-text.js";
import { version } from "./version.js";

/** What makes a folder a comparison's own. */
const MARKER = "comparison.json";

/**
 * Reads the folders of analyses and compares them. Throws ParameterError for fewer than two or one named twice, FormatError for a
 * folder that holds no analysis.
 */
export async function readAndCompare(
  dirs: readonly string[],
  signal?: AbortSignal,
): Promise<{ readonly comparison: Comparison; readonly analyses: readonly NamedAnalysis[] }> {
  if (dirs.length < 2) {
    throw new ParameterError(
      `compare takes two analyses or more, ${dirs.length} ${dirs.length === 1 ? "was" : "were"} given. Name the folders that analyse wrote.`,
      { parameter: "DIR", value: dirs },
    );
  }
  const places = dirs.map((dir) => path.resolve(dir));
  const twice = dirs.find((_, at) => places.indexOf(places[at]!) !== at);
  if (twice !== undefined) {
    throw new ParameterError(`${twice} is given twice. Name each analysis once.`, { parameter: "DIR", value: twice });
  }
  const names = namesOf(places);
  const analyses: NamedAnalysis[] = [];
  for (const [at, dir] of dirs.entries()) {
    signal?.throwIfAborted();
    analyses.push({ ...(await readAnalysis(dir, names[at]!)), dir });
  }
  return { comparison: compareAnalyses(analyses), analyses };
}

/** An analysis and its folder as the user named it. */
interface NamedAnalysis extends Compared {
  readonly dir: string;
}

/** As many last parts of each path as tell them all apart. */
function namesOf(places: readonly string[]): string[] {
  const parts = places.map((place) => place.split(path.sep).filter((part) => part !== ""));
  const deepest = Math.max(...parts.map(({ length }) => length));
  for (let depth = 1; ; depth++) {
    const names = parts.map((part) => part.slice(-depth).join("/"));
    if (new Set(names).size === names.length || depth >= deepest) return names;
  }
}

async function readAnalysis(dir: string, name: string): Promise<Compared> {
  const file = path.join(dir, "summary.json");
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    throw new FormatError(`${dir}: holds no analysis, summary.json cannot be read. Give a folder that analyse wrote.`, {
      path: dir,
      cause,
    });
  });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new FormatError(`${file}: is not JSON. Run the analysis again.`, { path: file, cause });
  }
  const parsed = comparedSchema.safeParse(value);
  if (!parsed.success) {
    const where = parsed.error.issues[0]!.path.join(".") || "it";
    throw new FormatError(`${file}: is no summary of an analysis (${where} is not as it should be). Run it again.`, {
      path: file,
    });
  }
  const maps = new Map<number, Float32Array>();
  for (const { transition, map, width, height } of parsed.data.fronts) {
    maps.set(transition, await readMap(path.join(dir, ...map.split("/")), width, height));
  }
  return { name, summary: parsed.data, maps };
}

async function readMap(file: string, width: number, height: number): Promise<Float32Array> {
  const source = await openFile(file).catch((cause: unknown) => {
    throw new FormatError(`${file}: cannot be read. Run the analysis again.`, { path: file, cause });
  });
  const movie = await openNpy(source);
  try {
    if (movie.dtype !== "float32" || movie.width * movie.height !== width * height) {
      throw new FormatError(
        `${file}: is ${movie.height} x ${movie.width} ${movie.dtype}, not ${height} x ${width} float32. Run the analysis again.`,
        {
          path: file,
        },
      );
    }
    const into = new Float32Array(width * height);
    await movie.read(0, into);
    return into;
  } finally {
    await movie.close();
  }
}

/** Writes DIR: `comparison.json`, `tables/`, `figures/` and `report.html`, whole or not at all; gives what stands in the first. */
export async function writeComparison(
  { comparison, analyses }: Awaited<ReturnType<typeof readAndCompare>>,
  dir: string,
  { figures, signal }: { readonly figures: boolean; readonly signal?: AbortSignal },
): Promise<object> {
  const draft = await draftFolder(dir, MARKER);
  try {
    const folders = analyses.map((one) => relativePath(dir, one.dir));
    const told = {
      ionoscope: version,
      analyses: analyses.map(({ name }, at) => ({ name, path: folders[at] })),
      ...comparison,
    };
    await draft.write(MARKER, `${jsonText(told)}\n`);
    for (const [name, table] of Object.entries(comparisonTables(comparison))) {
      await draft.write(`tables/${name}.csv`, csv(table));
    }
    const [{ shippedFont }, { renderSvg, withFont }, { ratesFigure }] = await Promise.all([
      import("../figures/font.node.js"),
      import("../figures/render.js"),
      import("../figures/rates-figure.js"),
    ]);
    const fontCss = await shippedFont();
    const drawn = figures
      ? [
          {
            name: "rates",
            svg: await renderSvg(
              ratesFigure(comparison.fronts.filter(({ explained_by }) => explained_by === null).map(pointOf)),
            ),
            caption:
              "Every front of every analysis over the rate of its cell: the particle's greatest C-rate, and the velocity of its front. Fronts without an applied rate are left out, and those that something else explains.",
          },
        ]
      : [];
    for (const { name, svg } of drawn) await draft.write(`figures/${name}.svg`, withFont(svg, fontCss));
    await draft.write(
      "report.html",
      reportPage({
        title: `ionoscope: ${analyses.length} analyses compared`,
        facts: analyses.map(({ name, summary }): [string, string] => [
          name,
          `${summary.particles.length} particles, ${summary.kinetics.length} fronts with a velocity`,
        ]),
        warnings: comparison.warnings,
        tables: reportTables(comparison),
        figures: drawn,
        recipe: jsonText({ analyses: told.analyses }),
        repeat: `ionoscope compare ${folders.join(" ")} --out again`,
        fontCss,
        footer: `ionoscope ${version}. Numbers are value ± one standard error.`,
      }),
    );
    signal?.throwIfAborted();
    await draft.commit();
    return told;
  } catch (error) {
    await draft.discard();
    throw error;
  }
}

function pointOf(front: ComparedFront): RatePoint {
  const { value, sd } = front.velocity_um_s;
  return {
    rate_C: front.rate_C,
    direction: front.direction,
    mechanism: front.mechanism,
    c_rate_max: front.c_rate_max?.value ?? null,
    c_rate_max_sd: front.c_rate_max?.sd ?? null,
    velocity_nm_s: NM_PER_UM * value,
    velocity_sd_nm_s: sd === null ? null : NM_PER_UM * sd,
  };
}

/** Columns and rows of the fronts, as terminal and report show them. */
export function frontRows({ fronts }: Comparison): { readonly columns: readonly string[]; readonly rows: string[][] } {
  return {
    columns: ["analysis", "particle", "same as", "direction", "rate / C", "velocity / nm/s", "C-rate max", "mechanism"],
    rows: fronts.map((front) => [
      front.analysis,
      String(front.particle),
      `#${front.same}`,
      `${front.direction}${front.kind === "unknown" ? "" : `, ${front.kind}`}`,
      front.rate_C === null ? "-" : front.rate_C.toPrecision(3),
      valueText(front.velocity_um_s, NM_PER_UM),
      front.c_rate_max === null ? "-" : valueText(front.c_rate_max),
      front.explained_by === null ? front.mechanism : `explained by ${front.explained_by}`,
    ]),
  };
}

function reportTables(comparison: Comparison): ReportTable[] {
  const { columns, rows } = frontRows(comparison);
  const all: ReportTable[] = [
    {
      title: "Fronts",
      columns,
      rows,
      note: "Particles with the same number after # are the same by the shape of their outlines.",
    },
  ];
  if (comparison.same.length > 0) {
    all.push({
      title: "The same particle",
      columns: ["analysis", "particle", "analysis", "particle", "shared over joint area"],
      rows: comparison.same.map(({ analyses, particles, iou }) => [
        analyses[0],
        String(particles[0]),
        analyses[1],
        String(particles[1]),
        iou.toFixed(3),
      ]),
    });
  }
  if (comparison.paths.length > 0) {
    all.push({
      title: "Paths of the same particle",
      columns: ["analysis", "transition", "analysis", "transition", "direction", "likeness", "by shape alone", "p"],
      rows: comparison.paths.map(({ analyses, transitions, direction, likeness, byShape, p }) => [
        analyses[0],
        String(transitions[0]),
        analyses[1],
        String(transitions[1]),
        direction,
        likeness === null ? "-" : valueText(likeness),
        byShape === null ? "-" : byShape.toFixed(2),
        p === null ? "-" : p.toPrecision(2),
      ]),
      note: "Likeness: rank correlation of when each place was passed.",
    });
  }
  return all;
}
