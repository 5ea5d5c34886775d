/** The columns of a BioLogic record: what each id of an .mpr means and how many bytes it takes. */

/** One column: its name as EC-Lab exports it and its type in a record. */
export interface MprColumn {
  readonly name: string;
  readonly type: "f8" | "f4" | "u4" | "u2" | "u1" | "flag";
}

const names: Readonly<Record<MprColumn["type"], Readonly<Record<number, string>>>> = {
  // All flags share one byte, which stands where the first of them is listed.
  flag: {
    1: "mode",
    2: "ox/red",
    3: "error",
    21: "control changes",
    31: "Ns changes",
    65: "counter inc.",
  },
  f8: {
    4: "time/s",
    7: "dq/mA.h",
    11: "<I>/mA",
    13: "(Q-Qo)/mA.h",
    23: "dQ/mA.h",
    24: "cycle number",
    74: "|Energy|/W.h",
    110: "Energy ce/W.h",
    112: "Energy we/W.h",
    115: "Energy ce charge/W.h",
    116: "Energy ce discharge/W.h",
    123: "Energy charge/W.h",
    124: "Energy discharge/W.h",
    125: "Capacitance charge/µF",
    126: "Capacitance discharge/µF",
    182: "step time/s",
    211: "Q charge/discharge/mA.h",
    // Since 11.5x; these five are not their remainders by 256.
    498: "Q charge/mA.h",
    499: "Q discharge/mA.h",
    500: "step time/s",
    501: "Efficiency/%",
    502: "Capacity/mA.h",
  },
  f4: {
    5: "control/V/mA",
    6: "Ewe/V",
    8: "I/mA",
    9: "Ece/V",
    15: "Phase(Z1)/deg",
    16: "Analog IN 1/V",
    17: "Analog IN 2/V",
    19: "control/V",
    20: "control/mA",
    26: "Rapp/Ohm",
    27: "Ewe-Ece/V",
    32: "freq/Hz",
    33: "|Ewe|/V",
    34: "|I|/A",
    35: "Phase(Z)/deg",
    36: "|Z|/Ohm",
    37: "Re(Z)/Ohm",
    38: "-Im(Z)/Ohm",
    45: "|Z1|/Ohm",
    46: "|Z2|/Ohm",
    69: "R/Ohm",
    70: "P/W",
    75: "Analog OUT/V",
    76: "<I>/mA",
    77: "<Ewe>/V",
    78: "Cs-2/µF-2",
    96: "|Ece|/V",
    98: "Phase(Zce)/deg",
    99: "|Zce|/Ohm",
    100: "Re(Zce)/Ohm",
    101: "-Im(Zce)/Ohm",
    105: "-Im(Z1)/Ohm",
    106: "-Im(Z2)/Ohm",
    135: "<E1>/V",
    136: "<E2>/V",
    163: "|Estack|/V",
    168: "Rcmp/Ohm",
    169: "Cs/µF",
    172: "Cp/µF",
    173: "Cp-2/µF-2",
    174: "<Ewe>/V",
    178: "(Q-Qo)/C",
    179: "dQ/C",
    185: "<Ece>/V",
    206: "Temperature/°C",
    215: "<Ece>/V",
    217: "THD Ewe/%",
    218: "THD I/%",
    219: "THD Ece/%",
    220: "NSD Ewe/%",
    221: "NSD I/%",
    222: "NSD Ece/%",
    223: "NSR Ewe/%",
    224: "NSR I/%",
    225: "NSR Ece/%",
    248: "Rac/Ohm",
    249: "Rdc/Ohm",
    271: "Phase(Z1)/deg",
    272: "Phase(Z2)/deg",
    301: "|Z1|/Ohm",
    302: "|Z2|/Ohm",
    331: "Re(Z1)/Ohm",
    332: "Re(Z2)/Ohm",
    361: "-Im(Z1)/Ohm",
    362: "-Im(Z2)/Ohm",
    391: "<E1>/V",
    392: "<E2>/V",
    422: "Phase(Zstack)/deg",
    423: "|Zstack|/Ohm",
    426: "<Estack>/V",
    430: "Phase(Zwe-ce)/deg",
    431: "|Zwe-ce|/Ohm",
    432: "Re(Zwe-ce)/Ohm",
    433: "-Im(Zwe-ce)/Ohm",
    441: "<Ecv>/V",
  },
  u4: { 212: "half cycle", 213: "z cycle" },
  u2: { 39: "I Range", 131: "Ns" },
  u1: { 253: "Acir/Dcir Control" },
};

const table = new Map<number, MprColumn>();
for (const [type, entries] of Object.entries(names) as [MprColumn["type"], Record<number, string>][]) {
  for (const [id, name] of Object.entries(entries)) table.set(Number(id), { name, type });
}
// Second to seventh harmonics of a spectrum.
for (let harmonic = 2; harmonic <= 7; harmonic++) {
  table.set(228 + harmonic, { name: `|Ewe h${harmonic}|/V`, type: "f4" });
  table.set(234 + harmonic, { name: `|I h${harmonic}|/A`, type: "f4" });
  table.set(240 + harmonic, { name: `|Ece h${harmonic}|/V`, type: "f4" });
}
// What else belongs to the impedance of a counter electrode or a stack, or to the quality of a spectrum, is a single float.
for (const [first, last] of [
  [163, 177],
  [217, 247],
] as const) {
  for (let id = first; id <= last; id++) {
    if (!table.has(id)) table.set(id, { name: `column ${id}`, type: "f4" });
  }
}

/** What an id stands for; newer versions add multiples of 256 to the same ids. Null where it is not known. */
export function mprColumn(id: number): MprColumn | null {
  return table.get(id) ?? table.get(id % 256) ?? null;
}

/** What the remainder of an id by 256 stands for, where that is another type than the id's own; null elsewhere. */
export function otherMprColumn(id: number): MprColumn | null {
  const [own, other] = [table.get(id), table.get(id % 256)];
  return id >= 256 && own !== undefined && other !== undefined && own.type !== other.type ? other : null;
}

/** Bytes of one value; the flags' byte is counted once a record by the caller. */
export const mprWidth: Readonly<Record<MprColumn["type"], number>> = { f8: 8, f4: 4, u4: 4, u2: 2, u1: 1, flag: 1 };
