/**
 * Records in a workbook: Arbin's export, and any sheet whose columns are named as in a table of text.
 *
 * Arbin: "Global_Info" (older: "Info"; heads in a row "Channel", "Start DateTime", "Schedule File Name" ..., values
 * below), "Channel_<n>_<k>" (older: "Channel_<test>-<n>") with one row a sample, going on in the next k where a sheet
 * is full, "Statistics...". Heads carry their unit: "Test_Time(s)", "Voltage(V)", "Current (A)".
 */
import type { CyclingFile, ProgrammeStep } from "../model/cycling.js";
import { FormatError } from "../model/errors.js";
import type { ByteSource } from "./bytes.js";
import { castColumns } from "./csv-roles.js";
import { readCyclingCsv } from "./cycling-csv.js";
import { tableText } from "./pieces.js";
import { baseName } from "./text.js";
import { openWorkbook, type Workbook } from "./xlsx.js";

/** Heads are looked for in so many rows of a sheet. */
const HEAD_ROWS = 60;
/** Sheets of a workbook that are looked into. */
const SHEETS = 200;

/**
 * Reads a workbook: as "arbin-xlsx" where it has sheets of Arbin's names, else the first sheet with a potential and a
 * time or a date, as "xlsx". A table that goes on in further sheets under the same heads is one table. What Arbin's
 * first sheet says of the test stands in the settings, names of people left out.
 *
 * Throws FormatError where no sheet has such columns (it names those found), where sheets of several of Arbin's
 * channels are there (it names them), and as `openWorkbook` does.
 */
export async function readXlsx(source: ByteSource): Promise<CyclingFile> {
  const workbook = await openWorkbook(source);
  const { sheets } = workbook;
  const channels = channelsOf(sheets);
  const [only, ...others] = channels.keys();
  if (others.length > 0) {
    throw new FormatError(
      `${source.name}: the workbook has records of ${channels.size} channels (${[...channels.values()].map(([sheet]) => sheet).join(", ")}). Keep the sheets of one of them and save it anew.`,
      { path: source.name },
    );
  }
  if (only === undefined) return readSheets(source, workbook, sheets.slice(0, SHEETS), "xlsx", new Map());
  const info = sheets.find((sheet) => /^(Global_)?Info/i.test(sheet));
  const facts = info === undefined ? new Map<string, string>() : await factsOf(workbook, info);
  const record = await readSheets(source, workbook, channels.get(only)!, "arbin-xlsx", facts);
  const settings = settingsOf(facts);
  return Object.keys(settings).length === 0 ? record : { ...record, settings };
}

/** Sheets by their channel, those of one channel in the order of their numbers. */
function channelsOf(sheets: readonly string[]): Map<string, string[]> {
  const channels = new Map<string, { sheet: string; part: number }[]>();
  for (const sheet of sheets) {
    const match = /^Channel[_-](\d+(?:-\d+)*)(?:_(\d+))?$/i.exec(sheet);
    if (match === null) continue;
    const parts = channels.get(match[1]!) ?? [];
    parts.push({ sheet, part: Number(match[2] ?? 0) });
    channels.set(match[1]!, parts);
  }
  const inOrder = (parts: { sheet: string; part: number }[]): string[] =>
    parts.sort((a, b) => a.part - b.part).map(({ sheet }) => sheet);
  return new Map(Array.from(channels, ([channel, parts]) => [channel, inOrder(parts)]));
}

async function readSheets(
  source: ByteSource,
  workbook: Workbook,
  sheets: readonly string[],
  format: string,
  facts: ReadonlyMap<string, string>,
): Promise<CyclingFile> {
  const text = tableText();
  const start = facts.get("Start DateTime");
  const used: string[] = [];
  let heads: string | null = null;
  let likely: readonly string[] = [];
  for (const sheet of sheets) {
    const above: string[][] = [];
    let isTable = false;
    for await (const cells of workbook.rows(sheet)) {
      if (isTable) {
        text.add(cells);
        continue;
      }
      above.push(cells);
      if (cells.filter((cell) => cell !== "").length > likely.length && heads === null) likely = cells;
      const roles = castColumns(cells);
      if (roles.potential !== null && (roles.time ?? roles.date) !== null) {
        // What goes on has the heads of what came before.
        if (heads !== null && heads !== cells.join("\t")) break;
        if (heads === null) {
          if (roles.date === null && start !== undefined) text.add([`Start: ${start}`]);
          for (const row of above) text.add(row);
        }
        heads = cells.join("\t");
        isTable = true;
        used.push(sheet);
      } else if (above.length === HEAD_ROWS) break;
    }
  }
  if (heads === null) {
    const found = likely.filter((cell) => cell !== "").slice(0, 30);
    throw new FormatError(
      `${source.name}: no sheet of the workbook (${sheets.slice(0, 10).join(", ")}) has columns of time and potential; ${found.length === 0 ? "they are empty" : `found are ${found.join(", ")}`}. Name them as in Test_Time(s), Voltage(V), Current(A).`,
      { path: source.name },
    );
  }
  const record = await readCyclingCsv(text.source(source.name), format);
  const left = format === "xlsx" ? sheets.length - used.length : 0;
  if (left === 0 || used[0] === sheets[0]) return record;
  const sentence = `${baseName(source.name)}: the table was read from the sheet ${used.join(", ")}.`;
  return { ...record, warnings: [...record.warnings, sentence] };
}

/** What the first sheet says: the row of heads that begins with "Channel" (or names a start), and the row below it. */
async function factsOf(workbook: Workbook, sheet: string): Promise<Map<string, string>> {
  const facts = new Map<string, string>();
  let heads: string[] | null = null;
  let rows = 0;
  for await (const cells of workbook.rows(sheet)) {
    if (heads !== null) {
      for (const [at, head] of heads.entries()) {
        const value = cells[at] ?? "";
        if (head !== "" && value !== "") facts.set(head.trim().replaceAll("_", " "), value);
      }
      break;
    }
    if (cells.some((cell) => /^Start[_ ]DateTime$/i.test(cell))) heads = cells;
    if (++rows > HEAD_ROWS) break;
  }
  return facts;
}

/** Facts of the test; who made it, and where it lay, are left out. */
function settingsOf(facts: ReadonlyMap<string, string>): ProgrammeStep {
  const settings: Record<string, string> = {};
  const take = (head: string, name: string): void => {
    const value = facts.get(head);
    if (value !== undefined) settings[name] = baseName(value);
  };
  take("Test Name", "test");
  take("Channel", "channel");
  take("Schedule File Name", "schedule");
  take("Schedule Version", "schedule version");
  take("Software Version", "software version");
  take("Item ID", "item");
  return settings;
}
