/** Which column of a table is time, potential, current, charge: told by the heads that cyclers' software writes. */
import type { CountedKind } from "./charge-check.js";
import { columnHead, unitFactor, type Dimension } from "./column-names.js";

/** One column that plays a part. */
export interface Role {
  readonly at: number;
  /** From the column's unit to s, V, mA, mAh, mWh or mW. */
  readonly factor: number;
  /** False where the head names no unit and the usual one was taken. */
  readonly unitStated: boolean;
  readonly quantity: string;
}

/** A column that counts, and what. */
export interface Counter extends Role {
  readonly kind: CountedKind;
}

/** The parts that are cast; null where no column plays it. */
export interface Roles {
  readonly time: Role | null;
  readonly date: Role | null;
  readonly potential: Role | null;
  readonly current: Role | null;
  /** Another column that claims to be the same current. */
  readonly secondCurrent: Role | null;
  /** Running charge with a sign. */
  readonly charge: Role | null;
  /** Every other column that counts charge, energy or power. */
  readonly counted: readonly Counter[];
  /** Words such as "CC DChg" or letters such as "D". */
  readonly state: Role | null;
  readonly cycle: Role | null;
  readonly halfCycle: Role | null;
  /** The name or number of a cell or channel: rows of other cells are other records. */
  readonly cell: Role | null;
}

/** Heads that are understood, the preferred first. */
const time = [
  "test time",
  "testtime",
  "total time",
  "totaltime",
  "prog time",
  "测试时间",
  "总时间",
  "cumulative time",
  "run time",
  "elapsed time",
  "experiment time",
  "corrected time",
  "relative time",
  "time",
  "t",
  "test",
];
const potential = [
  "ewe",
  "<ewe>",
  "ecell",
  "potential",
  "cell potential",
  "electrode potential",
  "voltage",
  "电压",
  "cell voltage",
  "battery voltage",
  "we(1) potential",
  "working electrode",
  "working electrode potential",
  "voltage measured",
  "measured voltage",
  "volts",
  "volt",
  "vf",
  "u",
  "v",
  "e",
];
const current = [
  "i",
  "<i>",
  "current",
  "电流",
  "cell current",
  "applied current",
  "we(1) current",
  "current measured",
  "measured current",
  "amps",
  "amp",
  "im",
];
const charge = ["charge", "net charge", "net capacity", "(q-qo)", "q-qo", "q"];
const chargeIn = ["charge capacity", "charging capacity", "chg cap", "charge cap", "chg capacity", "充电容量"];
const chargeOut = ["discharge capacity", "discharging capacity", "dchg cap", "dischg cap", "discharge cap", "放电容量"];
const counters: readonly (readonly [CountedKind, Dimension, readonly string[]])[] = [
  ["running charge", "charge", charge],
  ["running charge", "charge", ["ah"]],
  ["charge in", "charge", chargeIn],
  ["charge out", "charge", chargeOut],
  ["step charge", "charge", ["step capacity", "step charge", "capacity", "cap", "amp-hr", "amp-hrs", "dq"]],
  ["running energy", "energy", ["net energy"]],
  ["energy in", "energy", ["charge energy", "charging energy", "chg energy", "chg eng", "charge engy"]],
  ["energy out", "energy", ["discharge energy", "discharging energy", "dchg energy", "dchg eng", "discharge engy"]],
  ["power", "power", ["power", "p"]],
];
/** So many counters are looked at. */
const COUNTERS = 16;
const state = [
  "state",
  "md",
  "step type",
  "step state",
  "step-state",
  "step name",
  "status",
  "工步类型",
  "工步名称",
  "状态",
];
const cycle = [
  "cycle index",
  "cycle-index",
  "cycle number",
  "cycle count",
  "cycle",
  "cyc#",
  "cyc",
  "cycle id",
  "cycle c",
  "cyc-count",
  "循环号",
  "循环序号",
];
/** What tells cells of one file apart. */
const cell = ["cell", "cell id", "channel", "channel index", "channel number", "chl"];
const date = [
  "unix time",
  "date time",
  "datetime",
  "date and time",
  "timestamp",
  "date time iso string",
  "absolute time",
  "local time",
  "real time",
  "realtime",
  "systime",
  "system time",
  "time stamp",
  "绝对时间",
  "系统时间",
  "dpt time",
  "date stamp",
  "date",
];

const usualUnit: Readonly<Record<Dimension, string>> = {
  time: "s",
  potential: "V",
  current: "A",
  charge: "Ah",
  energy: "Wh",
  power: "W",
};

/** Casts the columns of a table by their heads; a row of units under the heads may be given. */
export function castColumns(heads: readonly string[], units: readonly string[] | null = null): Roles {
  const taken = heads.map((text, at) => {
    const head = columnHead(text);
    const unit = units?.[at]?.trim().replace(/^[([]|[)\]]$/g, "") ?? "";
    return { quantity: head.quantity, unit: head.unit ?? (unit === "" ? null : unit) };
  });
  const all = (dimension: Dimension | null, names: readonly string[]): Role[] => {
    const found: Role[] = [];
    for (const [at, { quantity, unit }] of taken.entries()) {
      if (!names.includes(quantity)) continue;
      if (dimension === null) {
        found.push({ at, factor: 1, unitStated: true, quantity });
        continue;
      }
      // "Hours in hh:mm:ss" is read from the cells themselves.
      const asClock = dimension === "time" && unit !== null && unit.includes(":");
      const factor = unitFactor(dimension, asClock ? "s" : (unit ?? usualUnit[dimension]));
      // A column that is just called "test" or "e" counts its unit as part of the name.
      if (
        Number.isNaN(factor) ||
        (unit === null && ["test", "t", "e", "u", "v", "q", "p", "cap", "dq"].includes(quantity))
      )
        continue;
      const named = ["amps", "amp", "volts", "volt", "amp-hr", "amp-hrs"].includes(quantity);
      found.push({ at, factor, unitStated: unit !== null || named, quantity });
    }
    const rank = (role: Role): number => names.indexOf(role.quantity) + (role.unitStated ? 0 : 0.5);
    return found.sort((a, b) => rank(a) - rank(b) || a.at - b.at);
  };
  const one = (dimension: Dimension | null, names: readonly string[]): Role | null => all(dimension, names)[0] ?? null;
  const currents = all("current", current);
  const running = one("charge", charge);
  return {
    time: one("time", time),
    date: one(null, date),
    potential: one("potential", potential),
    current: currents[0] ?? null,
    secondCurrent: currents.find(({ quantity }, index) => index > 0 && quantity === currents[0]!.quantity) ?? null,
    charge: running,
    counted: counters
      .flatMap(([kind, dimension, names]) => all(dimension, names).map((role): Counter => ({ ...role, kind })))
      .filter(({ at }) => at !== running?.at)
      .slice(0, COUNTERS),
    state: one(null, state),
    cycle: one(null, cycle),
    halfCycle: one(null, ["half cycle"]),
    cell: one(null, cell),
  };
}

/** 1 for a state that charges, -1 for one that discharges, 0 for others: "CC DChg", "discharge CC", "D", "C_CC", "恒流充电". */
export function stateSign(text: string | undefined): number {
  const state = (text ?? "").trim().toLowerCase();
  if (/^d($|[_ ])|dis|dchg|放电/.test(state)) return -1;
  return /^c($|[_ ]c)|charge|chg|充电/.test(state) ? 1 : 0;
}
