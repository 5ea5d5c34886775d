/** Flags from the table: a parameter's spelling, its parsing and its line of help come from its schema. */
import { parseArgs } from "node:util";
import { z } from "zod";
import { ParameterError } from "../model/errors.js";

/** One flag. */
export interface Flag {
  /** Without the two hyphens: `fronts.lag-s`. */
  readonly name: string;
  /** Where its value goes: `["fronts", "lag_s"]`. */
  readonly path: readonly string[];
  readonly description: string;
  readonly default?: unknown;
  /** What may be given: "number", "text", "start | middle | end". */
  readonly wanted: string;
  readonly boolean: boolean;
  /** The flag may be given more than once. */
  readonly many: boolean;
}

/**
 * A parameter's flag: underscores and capitals become hyphens, units in lower case.
 * `pixelSize_um` is `pixel-size-um`, `nominal_mAh_g` is `nominal-mah-g`.
 */
export function flagName(parameter: string): string {
  return parameter
    .replace(/([a-z]{2})([A-Z])/g, "$1-$2")
    .replaceAll("_", "-")
    .toLowerCase();
}

interface Property {
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Property[];
  readonly items?: Property;
  readonly prefixItems?: readonly Property[];
  readonly description?: string;
  readonly default?: unknown;
}

/** The flags of one operation's parameters; a prefix makes them dotted. */
export function flagsOf(params: z.ZodObject, prefix?: string): Flag[] {
  const schema = z.toJSONSchema(params, { io: "input" }) as { properties?: Record<string, Property> };
  const flags: Flag[] = [];
  for (const [parameter, property] of Object.entries(schema.properties ?? {})) {
    const kinds = kindsOf(property);
    // Lists of records are written in a recipe or read from a file, not typed in a shell.
    if (kinds.includes("records")) continue;
    flags.push({
      name: (prefix === undefined ? "" : `${prefix}.`) + flagName(parameter),
      path: prefix === undefined ? [parameter] : [prefix, parameter],
      description: property.description ?? "",
      default: property.default,
      wanted: kinds.filter((kind) => kind !== "nothing").join(" | "),
      boolean: kinds.includes("switch"),
      many: kinds.includes("texts"),
    });
  }
  return flags;
}

function kindsOf(property: Property): string[] {
  if (property.anyOf !== undefined) return property.anyOf.flatMap(kindsOf);
  if (property.enum !== undefined) return property.enum.map(String);
  if (Array.isArray(property.type)) return property.type.flatMap((type: string) => kindsOf({ ...property, type }));
  switch (property.type) {
    case "number":
    case "integer":
      return ["number"];
    case "boolean":
      return ["switch"];
    case "null":
      return ["nothing"];
    case "array":
      if (property.prefixItems !== undefined) return ["numbers with commas"];
      return property.items?.type === "string" ? ["texts"] : ["records"];
    default:
      return ["text"];
  }
}

/** What stood on the command line. */
export interface Arguments {
  readonly positionals: readonly string[];
  /** Values by flag name, as typed; a switch is true or false. */
  readonly values: ReadonlyMap<string, string | boolean | readonly string[]>;
}

/** Reads argv by the flags given. Throws ParameterError for an unknown flag or a missing value. */
export function readArguments(argv: readonly string[], flags: readonly Flag[]): Arguments {
  const options = Object.fromEntries(
    flags.map((flag) => [
      flag.name,
      { type: flag.boolean ? ("boolean" as const) : ("string" as const), multiple: flag.many },
    ]),
  );
  let parsed;
  try {
    parsed = parseArgs({
      args: joinValues(argv, flags),
      options,
      allowPositionals: true,
      allowNegative: true,
      strict: true,
    });
  } catch (error) {
    throw wrongFlag(error as Error & { code?: string }, argv, flags);
  }
  return {
    positionals: parsed.positionals,
    values: new Map(Object.entries(parsed.values).filter(([, value]) => value !== undefined)) as Arguments["values"],
  };
}

/** Joins `--offset-s -120` to `--offset-s=-120`: a negative number is a value, not a flag. */
function joinValues(argv: readonly string[], flags: readonly Flag[]): string[] {
  const takesValue = new Set(flags.filter((flag) => !flag.boolean).map((flag) => `--${flag.name}`));
  const joined: string[] = [];
  for (let at = 0; at < argv.length; at++) {
    const next = argv[at + 1];
    if (takesValue.has(argv[at]!) && next !== undefined && /^-[\d.]/.test(next)) {
      joined.push(`${argv[at]}=${next}`);
      at++;
    } else joined.push(argv[at]!);
  }
  return joined;
}

function wrongFlag(error: Error & { code?: string }, argv: readonly string[], flags: readonly Flag[]): ParameterError {
  const named = /'(-[^' ]+)/.exec(error.message)?.[1] ?? argv.find((arg) => arg.startsWith("-")) ?? "";
  const bare = named.replace(/^-+/, "").replace(/=.*$/, "");
  if (error.code === "ERR_PARSE_ARGS_UNKNOWN_OPTION") {
    const near = nearest(bare, flags);
    return new ParameterError(
      `--${bare} is not a flag here.${near === null ? "" : ` Do you mean --${near}?`} See --help.`,
      { parameter: bare, value: undefined },
    );
  }
  const flag = flags.find(({ name }) => name === bare);
  return new ParameterError(
    `--${bare} ${flag?.boolean === true ? "takes no value" : `needs a value (${flag?.wanted ?? "text"})`}. See --help.`,
    { parameter: bare, value: undefined },
  );
}

function nearest(name: string, flags: readonly Flag[]): string | null {
  let best: string | null = null;
  let least = Math.max(3, Math.ceil(name.length / 3)) + 1;
  for (const flag of flags) {
    // A forgotten step name is the commonest slip: lag-s for fronts.lag-s.
    if (flag.name.endsWith(`.${name}`)) return flag.name;
    const steps = editDistance(name, flag.name);
    if (steps < least) [best, least] = [flag.name, steps];
  }
  return best;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(next[j - 1]! + 1, row[j]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length]!;
}

/** A typed value as its schema wants it: numbers are numbers, lists are split, the rest stays text. */
export function flagValue(flag: Flag, typed: string | boolean | readonly string[]): unknown {
  if (typeof typed === "boolean") return typed;
  if (flag.many) return typed;
  const text = String(typed);
  if (flag.wanted === "numbers with commas") return text.split(",").map((part) => toNumber(part, flag));
  if (!flag.wanted.split(" | ").includes("number")) return text;
  if (flag.wanted === "number") return toNumber(text, flag);
  const value = Number(text);
  return text.trim() !== "" && Number.isFinite(value) ? value : text;
}

function toNumber(text: string, flag: Flag): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) {
    throw new ParameterError(`--${flag.name} is "${text}"; it must be a number with a decimal point.`, {
      parameter: flag.path.join("."),
      value: text,
    });
  }
  return value;
}

/** One flag's lines of help. */
export function flagHelp(flag: Flag): string {
  const value = flag.boolean ? "" : ` <${flag.wanted}>`;
  const standard =
    flag.default === undefined || flag.default === null || (Array.isArray(flag.default) && flag.default.length === 0)
      ? ""
      : ` (${String(flag.default)})`;
  return `  --${flag.name}${value}\n      ${flag.description}${standard}`;
}
