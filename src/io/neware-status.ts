/** What a channel of a Neware cycler does in a step, by its number; others exist and are told by their number. */

const names: Readonly<Record<number, string>> = {
  1: "CC Chg",
  2: "CC DChg",
  3: "CV Chg",
  4: "Rest",
  5: "Cycle",
  6: "End",
  7: "CCCV Chg",
  8: "CP DChg",
  9: "CP Chg",
  10: "CR DChg",
  11: "CR Chg",
  13: "Pause",
  16: "Pulse",
  17: "SIM",
  18: "PCCCV Chg",
  19: "CV DChg",
  20: "CCCV DChg",
  21: "Control",
  22: "OCV",
  25: "Ramp",
  26: "CPCV DChg",
  27: "CPCV Chg",
  28: "CRCV DChg",
  29: "CRCV Chg",
};

/** The name of a step's kind as the vendor's program shows it; "type 99" for one that is not known. */
export function statusName(status: number): string {
  return names[status] ?? `type ${status}`;
}

/** 1 for a step that charges, -1 for one that discharges, 0 for others and unknown ones. */
export function statusDirection(status: number): 1 | -1 | 0 {
  const name = names[status] ?? "";
  return name.endsWith("DChg") ? -1 : name.endsWith("Chg") ? 1 : 0;
}
