/**
 * The XML in a Neware .ndax: how the test was set up (TestInfo, Step, VersionInfo).
 *
 * TestInfo: attributes of one element (StartTime in the computer's local time), Aux1 ... with AuxID and ChlType (103 a
 * temperature). Step: Head_Info with elements that have a Value; Step_Info with Step1 ..., each with Step_ID, Step_Type
 * and Record and Limit below. Encoded as its head says: GB2312, read as its superset GBK, or UTF-8.
 */
import type { ProgrammeStep } from "../model/cycling.js";
import { readCivilTime, type CivilTime } from "./civil-time.js";
import { statusName } from "./neware-status.js";

/** An element as it opens. */
interface Element {
  /** Names of the elements it stands in, and its own, joined by "/". */
  readonly path: string;
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** More elements, or deeper ones, are not read. */
const ELEMENTS = 100_000;
const DEPTH = 32;

/** The elements of a document in order, up to where it ends or is broken. Nothing is expanded but the five entities. */
function* elements(bytes: Uint8Array): Generator<Element> {
  const text = decoded(bytes);
  const path: string[] = [];
  for (let at = text.indexOf("<"), count = 0; at >= 0 && count < ELEMENTS; at = text.indexOf("<", at), count++) {
    const end = endOfTag(text, at + 1);
    if (end < 0) return;
    const inside = text.slice(at + 1, end);
    at = end;
    if (inside.startsWith("?") || inside.startsWith("!")) continue;
    if (inside.startsWith("/")) {
      path.pop();
      continue;
    }
    const name = /^[^\s/]{0,100}/.exec(inside)![0];
    if (path.length >= DEPTH) return;
    path.push(name);
    yield { path: path.join("/"), name, attributes: attributesOf(inside.slice(name.length)) };
    if (inside.endsWith("/")) path.pop();
  }
}

function endOfTag(text: string, from: number): number {
  let quote = "";
  for (let at = from; at < text.length; at++) {
    const letter = text[at]!;
    if (quote !== "") {
      if (letter === quote) quote = "";
    } else if (letter === '"' || letter === "'") quote = letter;
    else if (letter === ">") return at;
  }
  return -1;
}

function attributesOf(text: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const match of text.matchAll(/([^\s=/"'<>]{1,100})=(?:"([^"]*)"|'([^']*)')/g)) {
    found[match[1]!] = (match[2] ?? match[3] ?? "").replaceAll(/&(quot|apos|lt|gt|amp);/g, (_, name: string) => {
      return { quot: '"', apos: "'", lt: "<", gt: ">", amp: "&" }[name]!;
    });
  }
  return found;
}

function decoded(bytes: Uint8Array): string {
  const head = new TextDecoder("latin1").decode(bytes.subarray(0, 100));
  const encoding = /encoding=["']gb/i.test(head) ? "gbk" : "utf-8";
  try {
    return new TextDecoder(encoding).decode(bytes);
  } catch {
    return new TextDecoder("latin1").decode(bytes);
  }
}

/** What TestInfo tells. */
export interface TestInfo {
  readonly started: CivilTime | null;
  readonly settings: ProgrammeStep;
  /** Names of the auxiliary channels in order, "T1" for a temperature. */
  readonly auxiliary: readonly string[];
}

/** Attributes that tell of the test and the cell, not of people, computers and folders. */
const ofTheTest = ["StepName", "StartTime", "EndTime", "Barcode", "Remark", "CurrRange", "VoltRange", "DevType"];
const TEMPERATURE = "103";

/** Reads TestInfo.xml. */
export function readTestInfo(bytes: Uint8Array): TestInfo {
  const settings: Record<string, string | number | null> = {};
  const auxiliary: string[] = [];
  let started: CivilTime | null = null;
  for (const { name, path, attributes } of elements(bytes)) {
    if (name === "TestInfo") {
      started ??= readCivilTime(attributes["StartTime"] ?? "");
      for (const key of ofTheTest) if (attributes[key] !== undefined) settings[key] = valueOf(attributes[key]);
    }
    if (/TestInfo\/Aux\d*$/i.test(path)) {
      const kind = attributes["ChlType"] === TEMPERATURE ? "T" : "Aux";
      auxiliary.push(`${kind}${attributes["AuxID"] ?? auxiliary.length + 1}`);
    }
  }
  return { started, settings, auxiliary };
}

/** Elements of Head_Info that tell of the cell. */
const ofTheCell = new Set(["Scale", "Start_Step", "Remark", "RateType", "MultCap", "SCQ"]);
/** More steps of a programme are not listed. */
const STEPS = 1000;

/** What Step.xml tells: settings, and the programme in order, names and units as they stand (times ms, potentials 0.1 mV). */
export function readStepFile(bytes: Uint8Array): { settings: ProgrammeStep; programme: readonly ProgrammeStep[] } {
  const settings: Record<string, string | number | null> = {};
  const programme: Record<string, string | number | null>[] = [];
  for (const { path, name, attributes } of elements(bytes)) {
    const value = attributes["Value"];
    if (/Head_Info\/[^/]+$/.test(path) && ofTheCell.has(name) && value !== undefined) settings[name] = valueOf(value);
    const inStep = /Step_Info\/Step\d+(?:\/(.*))?$/.exec(path);
    if (inStep === null) continue;
    const below = inStep[1];
    if (below === undefined) {
      if (programme.length >= STEPS) break;
      const type = valueOf(attributes["Step_Type"] ?? "");
      programme.push({
        Step_ID: valueOf(attributes["Step_ID"] ?? ""),
        Step_Type: typeof type === "number" ? statusName(type) : type,
      });
    } else if (value !== undefined && programme.length > 0) {
      programme.at(-1)![below.replace(/^Limit\/(?:Main|Other)\//, "").replaceAll("/", " ")] = valueOf(value);
    }
  }
  return { settings, programme };
}

/** What VersionInfo.xml tells of the vendor's programs. */
export function readVersionInfo(bytes: Uint8Array): ProgrammeStep {
  for (const { name, attributes } of elements(bytes)) {
    if (name !== "ZwjVersion") continue;
    return Object.fromEntries(
      ["SvrVer", "CurrClientVer", "ZwjVersion"].flatMap((key) =>
        attributes[key] === undefined ? [] : [[key, attributes[key]]],
      ),
    );
  }
  return {};
}

/** Whether NdaxConfig.xml bids the vendor's program to begin a cycle with each charge after a discharge. */
export function countsByCharge(bytes: Uint8Array): boolean {
  for (const { attributes } of elements(bytes)) if (attributes["CycleMode"] === "1") return true;
  return false;
}

function valueOf(text: string): string | number {
  return /^-?\d+(\.\d+)?(e[-+]?\d+)?$/i.test(text) ? Number(text) : text;
}
