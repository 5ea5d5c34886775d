/**
 * The programme in the settings of a BioLogic .mpr: the parameters of each sequence, packed one after another.
 *
 *     u16 sequences, u16 parameters, then the sequences; at
 *     0x572 (EC-Lab 10 to 11.18), 0x1845 (11.27 to 11.33), 0x1846 (11.36 to 11.46), 0x1847 (11.50 and later, BT-Lab)
 *
 * The place is the one where the number of parameters is one that the technique has and the sequences fit the module.
 */
import type { ProgrammeStep } from "../model/cycling.js";
import { asShown, foldUnits } from "./biologic-parameters.js";

const PLACES = [0x572, 0x1845, 0x1846, 0x1847] as const;
/** EC-Lab allows 100 sequences. */
const SEQUENCES = 100;

/** A parameter: its name as EC-Lab shows it, and how it is stored. */
type Parameter = readonly [name: string, type: "f4" | "u4" | "u1" | "v"];

// "v" is a u1 before EC-Lab 11.50 and a u4 since.
const gcpl: readonly Parameter[] = parameters(
  "Set I/C:u1 Is:f4 unit Is:u1 Is vs.:v N:f4 I sign:v t1 (h:m:s):f4 I Range:u1 Bandwidth:u1 dE1 (mV):f4 dt1 (s):f4 " +
    "EM (V):f4 tM (h:m:s):f4 Im:f4 unit Im:u1 dI/dt:f4 dunit dI/dt:u1 E range min (V):f4 E range max (V):f4 dq:f4 " +
    "unit dq:u1 dtq (s):f4 dQM:f4 unit dQM:u1 dxM:f4 delta SoC (%):f4 tR (h:m:s):f4 dER/dt (mV/h):f4 dER (mV):f4 " +
    "dtR (s):f4 EL (V):f4 goto Ns':u4 nc cycles:u4",
);
const withoutSoC = gcpl.filter(([name]) => name !== "delta SoC (%)");
const withoutSlope = withoutSoC.filter(([name]) => name !== "dI/dt" && name !== "dunit dI/dt");

const ocv = parameters(
  "tR (h:m:s):f4 dER/dt (mV/h):f4 record:u1 dER (mV):f4 dtR (s):f4 E range min (V):f4 E range max (V):f4",
);
const chronoamperometry = parameters(
  "Ei (V):f4 Ei vs.:v ti (h:m:s):f4 Imax:f4 unit Imax:u1 Imin:f4 unit Imin:u1 dQM:f4 unit dQM:u1 record:u1 dI:f4 " +
    "unit dI:u1 dQ:f4 unit dQ:u1 dt (s):f4 dta (s):f4 E range min (V):f4 E range max (V):f4 I Range:u1 I Range min:u1 " +
    "I Range max:u1 I Range init:u1 Bandwidth:u1 goto Ns':u4 nc cycles:u4",
);
const chronopotentiometry = parameters(
  "Is:f4 unit Is:u1 Is vs.:v ts (h:m:s):f4 EM (V):f4 dQM:f4 unit dQM:u1 record:u1 dEs (mV):f4 dts (s):f4 " +
    "E range min (V):f4 E range max (V):f4 I Range:u1 Bandwidth:u1 goto Ns':u4 nc cycles:u4",
);

const programmes: Readonly<Record<number, readonly (readonly Parameter[])[]>> = {
  0x04: [gcpl, withoutSoC, withoutSlope],
  0x77: [gcpl, withoutSoC, withoutSlope],
  0x0b: [ocv, ocv.filter(([name]) => name !== "record")],
  0x18: [chronoamperometry],
  0x19: [chronopotentiometry],
};

function parameters(text: string): Parameter[] {
  return [...text.matchAll(/(\S.*?):(f4|u4|u1|v)(?: |$)/g)].map(([, name, type]) => [name!, type as Parameter[1]]);
}

/**
 * The sequences of a programme, in order, of GCPL (merged too), OCV, CA and CP; undefined for another technique and
 * where no place holds one that fits. `newFrame` says that the module has the frame since EC-Lab 11.50.
 * Currents come in mA, charges in mA.h, times in s, under EC-Lab's own names; a limit that is not set is "pass".
 */
export function readProgramme(
  settings: Uint8Array,
  technique: number,
  newFrame: boolean,
): readonly ProgrammeStep[] | undefined {
  const view = new DataView(settings.buffer, settings.byteOffset, settings.length);
  for (const place of PLACES) {
    if (place + 4 > settings.length) break;
    const sequences = view.getUint16(place, true);
    const layout = programmes[technique]?.find(({ length }) => length === view.getUint16(place + 2, true));
    if (layout === undefined || sequences < 1 || sequences > SEQUENCES) continue;
    const width = layout.reduce((sum, parameter) => sum + widthOf(parameter, newFrame), 0);
    if (place + 4 + sequences * width > settings.length) continue;
    return Array.from({ length: sequences }, (_, index) => ({
      Ns: index,
      ...foldUnits(sequence(view, place + 4 + index * width, layout, newFrame)),
    }));
  }
  return undefined;
}

function widthOf([, type]: Parameter, newFrame: boolean): number {
  return type === "u1" || (type === "v" && !newFrame) ? 1 : 4;
}

function sequence(
  view: DataView,
  from: number,
  layout: readonly Parameter[],
  newFrame: boolean,
): Map<string, string | number> {
  const values = new Map<string, string | number>();
  let at = from;
  for (const parameter of layout) {
    const [name, type] = parameter;
    const width = widthOf(parameter, newFrame);
    const value =
      type === "f4" ? view.getFloat32(at, true) : width === 4 ? view.getUint32(at, true) : view.getUint8(at);
    values.set(name, asShown(name, value));
    at += width;
  }
  return values;
}
