/** Cyclers' records compared two by two, and the comparison written as a folder. */
import { readFile, stat } from "node:fs/promises";
import path from "node:path";
import { differentialCapacity } from "../analysis/differential-capacity.js";
import { findHalfCycles, findSteps } from "../analysis/half-cycles.js";
import { orientCycling } from "../analysis/orientation.js";
import { overlayRecords, shareCurve, type OverlaidRecord, type RecordsOverlay } from "../analysis/records-overlay.js";
import type { RecordCurve } from "../figures/records-figure.js";
import { reportPage, type ReportTable } from "../figures/report.js";
import { FormatError, ParameterError } from "../model/errors.js";
import { readRecord, relativePath } from "./files.node.js";
import { draftFolder } from "./folder.node.js";
import { jsonText } from "./summary.js";
import { csv, type Table } from "./tables.js";
import { valueText } from "./table-text.js";
import { version } from "./version.js";

/** What makes a folder a comparison's own. */
const MARKER = "comparison.json";
/** Potential step of dQ/dV. */
const DV_V = 0.004;

/** What the records are of. */
export interface RecordsOptions {
  readonly imaged: "working" | "counter";
  readonly role: "cathode" | "anode" | "unknown";
  readonly currentSign: "anodic-positive" | "cathodic-positive";
}

/** Records as they were read, and each laid over the first. */
export interface ComparedRecords {
  readonly records: readonly (OverlaidRecord & { readonly files: readonly string[] })[];
  readonly overlays: readonly RecordsOverlay[];
  readonly warnings: readonly string[];
}

/** Whether any of the names is a file, so that records are meant and not analyses alone. */
export async function namesRecord(names: readonly string[]): Promise<boolean> {
  const kinds = await Promise.all(names.map((name) => stat(name).catch(() => null)));
  return kinds.some((one) => one !== null && one.isFile());
}

/**
 * Reads cyclers' files, or the records that folders of analyses were made with, and lays each over the first.
 * Throws ParameterError for fewer than two, FormatError for one without a charge or discharge.
 */
export async function readAndOverlay(
  names: readonly string[],
  options: RecordsOptions,
  signal?: AbortSignal,
): Promise<ComparedRecords> {
  if (names.length < 2) {
    throw new ParameterError("compare lays records over each other, 1 was given. Name two cyclers' files or more.", {
      parameter: "RECORD",
      value: names,
    });
  }
  const warnings: string[] = [];
  const records: (OverlaidRecord & { files: readonly string[] })[] = [];
  const labels = labelsOf(names);
  for (const [at, name] of names.entries()) {
    signal?.throwIfAborted();
    const files = await filesOf(name);
    const file = await readRecord(files);
    const { cycling, warnings: turned } = orientCycling(file, options);
    warnings.push(...[...file.warnings, ...turned].map((sentence) => `${labels[at]!}: ${sentence}`));
    const facts = { active_mass_mg: null, nominal_mAh_g: NaN, nominal_mAh: null };
    const found = differentialCapacity(cycling, findHalfCycles(cycling, findSteps(cycling), facts), {
      dV_V: DV_V,
      role: options.role,
    });
    if (found.halfCycles.length === 0) {
      throw new FormatError(`${name}: holds no charge and no discharge. Give a record of a cell that was cycled.`, {
        path: name,
      });
    }
    records.push({ name: labels[at]!, cycling, halfCycles: found.halfCycles, curves: found.curves, files });
  }
  const overlays = records.slice(1).map((record) => overlayRecords(records[0]!, record));
  for (const { names: pair, pairs, unmatched } of overlays) {
    if (pairs.length === 0) {
      warnings.push(
        `${pair[0]} and ${pair[1]} have no half cycles of one kind whose rates differ by less than a fifth: nothing is compared.`,
      );
    } else if (unmatched[0] + unmatched[1] > 0) {
      warnings.push(
        `${unmatched[0]} half cycles of ${pair[0]} and ${unmatched[1]} of ${pair[1]} have no partner at their rate and are left out.`,
      );
    }
  }
  return { records, overlays, warnings };
}

/** The name of each that tells it from the others: as many last parts of its path as that takes. */
function labelsOf(names: readonly string[]): string[] {
  const places = names.map((name) => path.resolve(name).split(path.sep));
  for (let depth = 1; ; depth++) {
    const labels = places.map((parts) => parts.slice(-depth).join("/"));
    if (new Set(labels).size === labels.length || depth > 20) {
      return labels.map((label, at) => (labels.indexOf(label) === at ? label : `${label} (${at + 1})`));
    }
  }
}

/** A file itself, or the cycler's files that an analysis was made with. */
async function filesOf(name: string): Promise<string[]> {
  const own = await stat(name).catch((cause: unknown) => {
    throw new FormatError(`${name}: cannot be read. Check the path.`, { path: name, cause });
  });
  if (own.isFile()) return [name];
  const recipe = await readFile(path.join(name, "recipe.json"), "utf8").catch(() => null);
  if (recipe === null) return [name];
  let value: unknown;
  try {
    value = JSON.parse(recipe);
  } catch (cause) {
    throw new FormatError(`${name}: its recipe.json is not JSON. Run the analysis again.`, { path: name, cause });
  }
  const given = (value as { files?: { cycling?: unknown } }).files?.cycling;
  const files = Array.isArray(given) ? given.filter((one): one is string => typeof one === "string") : [];
  if (files.length === 0) {
    throw new FormatError(`${name}: was analysed without a cycler's record. Name the record's file instead.`, {
      path: name,
    });
  }
  return files.map((file) => path.resolve(name, file));
}

/** Writes DIR: `comparison.json`, `tables/records.csv`, `figures/records.svg` and `report.html`, whole or not at all. */
export async function writeOverlay(
  { records, overlays, warnings }: ComparedRecords,
  dir: string,
  { figures, signal }: { readonly figures: boolean; readonly signal?: AbortSignal },
): Promise<object> {
  const draft = await draftFolder(dir, MARKER);
  try {
    const told = {
      ionoscope: version,
      records: records.map(({ name, files }) => ({ name, files: files.map((file) => relativePath(dir, file)) })),
      overlays,
      warnings,
    };
    await draft.write(MARKER, `${jsonText(told)}\n`);
    await draft.write("tables/records.csv", csv(recordsTable(overlays)));
    const [{ shippedFont }, { renderSvg, withFont }, { recordsFigure }] = await Promise.all([
      import("../figures/font.node.js"),
      import("../figures/render.js"),
      import("../figures/records-figure.js"),
    ]);
    const fontCss = await shippedFont();
    const { potential, capacity } = curvesOf(records, overlays);
    const drawn = figures
      ? [
          {
            name: "records",
            svg: await renderSvg(
              recordsFigure(
                records.map(({ name }) => name),
                potential,
                capacity,
              ),
            ),
            caption:
              "Half cycles of one kind at nearly one rate. Left: potential over the share of the charge that each passed. Right: differential capacity over that charge, so that cells of different size lie on each other.",
          },
        ]
      : [];
    for (const { name, svg } of drawn) await draft.write(`figures/${name}.svg`, withFont(svg, fontCss));
    await draft.write(
      "report.html",
      reportPage({
        title: `ionoscope: ${records.length} records compared`,
        facts: records.map(({ name, halfCycles }): [string, string] => [name, `${halfCycles.length} half cycles`]),
        warnings,
        tables: overlayTables(overlays),
        figures: drawn,
        recipe: jsonText({ records: told.records }),
        repeat: `ionoscope compare ${told.records.flatMap(({ files }) => files).join(" ")} --out again`,
        fontCss,
        footer: `ionoscope ${version}. Numbers are value ± one standard error over half cycles.`,
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

function recordsTable(overlays: readonly RecordsOverlay[]): Table {
  const rows = overlays.flatMap(({ names, pairs }) => pairs.map((pair) => ({ names, ...pair })));
  const column = <T extends string | number>(of: (row: (typeof rows)[number]) => T): T[] => rows.map(of);
  return {
    record: column(({ names }) => names[0]),
    other_record: column(({ names }) => names[1]),
    kind: column(({ kind }) => kind),
    half_cycle: column(({ halfCycles }) => halfCycles[0]),
    other_half_cycle: column(({ halfCycles }) => halfCycles[1]),
    rate_per_h: column(({ rate_per_h }) => rate_per_h[0]),
    other_rate_per_h: column(({ rate_per_h }) => rate_per_h[1]),
    charge_mAh: column(({ charge_mAh }) => charge_mAh[0]),
    other_charge_mAh: column(({ charge_mAh }) => charge_mAh[1]),
    offset_mV: column(({ offset_mV }) => offset_mV),
    spread_mV: column(({ spread_mV }) => spread_mV),
    peaks: column(({ peaks }) =>
      peaks.map(({ name, potential_V: [a, b] }) => `${name} ${a.toFixed(4)} V ${b.toFixed(4)} V`).join("; "),
    ),
  };
}

/** Columns and rows of what is compared, as terminal and report show them. */
export function overlayRows(overlays: readonly RecordsOverlay[]): { columns: readonly string[]; rows: string[][] } {
  const estimate = (one: { value: number; sd: number | null } | null): string => (one === null ? "-" : valueText(one));
  return {
    columns: [
      "record",
      "over",
      "half cycles",
      "charge / that of first",
      "discharge",
      "polarisation / mV",
      "peaks moved / mV",
    ],
    rows: overlays.map(({ names, pairs, capacity_ratio, polarisation_mV, peak_shift_mV }) => [
      names[1],
      names[0],
      String(pairs.length),
      estimate(capacity_ratio.charge),
      estimate(capacity_ratio.discharge),
      `${estimate(polarisation_mV[1])} (first: ${estimate(polarisation_mV[0])})`,
      peak_shift_mV.map(({ name, kind, shift }) => `${name} ${kind} ${valueText(shift)}`).join(", ") || "-",
    ]),
  };
}

function overlayTables(overlays: readonly RecordsOverlay[]): ReportTable[] {
  const { columns, rows } = overlayRows(overlays);
  return [
    {
      title: "Records over each other",
      columns,
      rows,
      note: "Polarisation: half of what the mean potential of a charge lies above that of the discharge after it. Half cycles are compared where their rates, one over the hours that each took, differ by less than a fifth.",
    },
  ];
}

/** The curves of the half cycles that were compared; all of a record's where none was. */
function curvesOf(
  records: readonly OverlaidRecord[],
  overlays: readonly RecordsOverlay[],
): { readonly potential: RecordCurve[]; readonly capacity: RecordCurve[] } {
  const potential: RecordCurve[] = [];
  const capacity: RecordCurve[] = [];
  for (const record of records) {
    const used = new Set(
      overlays.flatMap(({ names, pairs }) =>
        pairs.flatMap(({ halfCycles }) =>
          names.flatMap((name, at) => (name === record.name ? [halfCycles[at as 0 | 1]] : [])),
        ),
      ),
    );
    for (const half of record.halfCycles) {
      if (used.size > 0 && !used.has(half.id)) continue;
      const common = { record: record.name, kind: half.kind, halfCycle: half.id };
      const curve = shareCurve(record.cycling, half);
      if (curve !== null) potential.push({ ...common, x: curve.share, y: curve.potential_V });
      const slope = record.curves.find(({ halfCycle }) => halfCycle === half.id);
      if (slope !== undefined) {
        capacity.push({
          ...common,
          x: slope.potential_V,
          y: slope.dQdV_mAh_V.map((one) => Math.abs(one) / half.charge_mAh),
        });
      }
    }
  }
  return { potential, capacity };
}
