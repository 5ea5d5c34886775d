/** Small Neware files for tests, .nda and .ndax of several versions, made from rows that are known. */
import { zipSync, type ZipOptions } from "fflate";

/** A row as it is stored. */
export interface NewareRow {
  readonly index: number;
  /** From 0. */
  readonly cycle: number;
  /** In the programme, from 1. */
  readonly step: number;
  /** Steps begun so far, from 1. */
  readonly stepsBegun: number;
  readonly status: number;
  /** Since the step began. */
  readonly elapsed_ms: number;
  /** Since the test began. */
  readonly total_ms: number;
  /** Since 1970 on the clock of the format. */
  readonly stamp_ms: number;
  /** Whole tenths of a millivolt. */
  readonly potential_100uV: number;
  /** Whole counts of the current range. */
  readonly current: number;
  /** Counts of charge passed in the step. */
  readonly chargeIn: number;
  readonly chargeOut: number;
}

export interface NdaSpec {
  readonly version: 8 | 22 | 29 | "130-88" | "130-52" | "130-56" | "130-60";
  readonly rows: readonly NewareRow[];
  /** Current range of each row, or of the file. */
  readonly range: number;
  /** mA of a count, for versions that store mA. */
  readonly unit_mA: number;
  /** Time of start as the header tells it. */
  readonly started?: string;
  /** Without the header's pointer to the records. */
  readonly lost?: boolean;
  /** A record of an event and one of an auxiliary channel stand among the rows. */
  readonly among?: boolean;
}

const ENCODER = new TextEncoder();
const sizes = { 8: 59, 22: 86, 29: 86, "130-88": 88, "130-52": 52, "130-56": 56, "130-60": 60 } as const;

/** The bytes of an .nda as it is specified. */
export function buildNda(spec: NdaSpec): Uint8Array {
  const { version, rows } = spec;
  const size = sizes[version];
  const others = spec.among === true ? 2 : 0;
  const isBts9 = typeof version === "string";
  const begin = isBts9 ? 1024 : 2701;
  const bytes = new Uint8Array(begin + size * (rows.length + others));
  const view = new DataView(bytes.buffer);
  bytes.set(ENCODER.encode("NEWARE20240506"));
  bytes[14] = isBts9 ? 130 : version;
  if (isBts9) {
    view.setUint16(16, version === "130-88" ? 3 : 19, true);
    view.setBigUint64(82, BigInt(begin), true);
    view.setBigUint64(90, BigInt(bytes.length - begin), true);
  } else {
    view.setUint32(16, 2048, true);
    view.setInt32(2048 + 26, spec.range, true);
    view.setUint32(24, 2100, true);
    view.setUint32(28, 503, true);
    if (spec.started !== undefined) bytes.set(ENCODER.encode(spec.started), 2100 + (version === 8 ? 36 : 37));
    if (spec.lost !== true) {
      view.setUint32(64, begin, true);
      view.setUint32(68, version === 8 ? 0 : bytes.length - begin, true);
    }
    view.setUint32(version === 8 ? 144 : 152, 12_500, true);
  }
  let at = begin;
  for (const [number, row] of rows.entries()) {
    if (others > 0 && number === 1) {
      bytes[at] = version === 8 ? 0xff : 0xaa;
      bytes[at + size] = version === 8 ? 0xff : 0x65;
      at += 2 * size;
    }
    writeRow(view, at, row, spec);
    at += size;
  }
  return bytes;
}

function writeRow(view: DataView, at: number, row: NewareRow, { version, range, unit_mA }: NdaSpec): void {
  const u8 = (offset: number, value: number): void => view.setUint8(at + offset, value);
  const u32 = (offset: number, value: number): void => view.setUint32(at + offset, value, true);
  const u64 = (offset: number, value: number): void => view.setBigUint64(at + offset, BigInt(value), true);
  const i32 = (offset: number, value: number): void => view.setInt32(at + offset, value, true);
  const f32 = (offset: number, value: number): void => view.setFloat32(at + offset, value, true);
  const stamp_s = Math.floor(row.stamp_ms / 1000);
  if (version === 8) {
    u32(1, row.index);
    u32(5, row.cycle + 1);
    u8(9, row.step);
    u8(10, row.status);
    u32(11, Math.round(row.elapsed_ms / 1000));
    i32(15, row.potential_100uV);
    i32(19, row.current);
    u64(31, row.chargeIn + row.chargeOut);
    u64(47, stamp_s);
    return;
  }
  if (version === 22 || version === 29) {
    u8(0, 0x55);
    u32(2, row.index);
    u32(6, row.cycle);
    view.setUint16(at + 10, row.step, true);
    u8(12, row.status);
    u8(13, row.stepsBegun % 256);
    u64(14, row.elapsed_ms);
    i32(22, row.potential_100uV);
    i32(26, row.current);
    u64(38, row.chargeIn);
    u64(46, row.chargeOut);
    if (version === 22) u64(70, stamp_s);
    else writeDate(view, at + 70, row.stamp_ms);
    i32(78, range);
    return;
  }
  if (version === "130-88") {
    view.setUint32(at, 0x07005012, true);
    u8(4, 0x55);
    u8(9, row.step);
    u8(10, row.status);
    u32(16, row.index);
    u64(28, 1000 * row.elapsed_ms);
    f32(36, row.potential_100uV / 10_000);
    f32(40, row.current * unit_mA);
    f32(52, row.chargeIn * unit_mA);
    f32(60, -row.chargeOut * unit_mA);
    u64(68, 1000 * row.stamp_ms);
    return;
  }
  view.setUint16(at, 0x0655, true);
  u8(2, row.step);
  u8(3, row.status);
  u32(8, row.index);
  u32(12, Math.floor(row.total_ms / 1000));
  u32(16, 1e6 * (row.total_ms % 1000));
  f32(20, row.current * unit_mA);
  f32(24, row.potential_100uV / 10_000);
  f32(28, (row.chargeIn - row.chargeOut) * unit_mA);
  const late = version === "130-60";
  u32(late ? 52 : 36, row.cycle);
  u32(late ? 36 : 44, stamp_s);
  u32(late ? 40 : 48, 1e6 * (row.stamp_ms % 1000));
  if (version !== "130-52") f32(late ? 48 : 52, 25);
}

function writeDate(view: DataView, at: number, stamp_ms: number): void {
  const date = new Date(stamp_ms);
  view.setUint16(at, date.getUTCFullYear(), true);
  const rest = [date.getUTCMonth() + 1, date.getUTCDate(), date.getUTCHours(), date.getUTCMinutes()];
  for (const [byte, value] of [...rest, date.getUTCSeconds()].entries()) view.setUint8(at + 2 + byte, value);
}

export interface NdaxSpec {
  readonly version: 2 | 5 | 11 | 14 | 16 | 17;
  readonly rows: readonly NewareRow[];
  readonly range: number;
  readonly unit_mA: number;
  /** Whether runInfo tells of a row; every row where it is left out. The first row of a step always is told of. */
  readonly told?: (row: number) => boolean;
  /** A place is left empty at the head of runInfo, and one entry stands twice. */
  readonly holes?: boolean;
  /** Bits of the pages are left 0, so that only the count tells. */
  readonly bitless?: boolean;
  readonly started?: string;
  /** Names of files in the archive, by their usual ones. */
  readonly names?: Readonly<Record<string, string>>;
  readonly more?: Readonly<Record<string, Uint8Array>>;
  readonly without?: readonly string[];
  readonly level?: ZipOptions["level"];
}

/** The bytes of an .ndax as it is specified. */
export function buildNdax(spec: NdaxSpec): Uint8Array {
  const all: Record<string, Uint8Array> = {
    "Step.xml": ENCODER.encode(stepFile),
    "TestInfo.xml": ENCODER.encode(testInfo(spec.started ?? "2024-05-06 08:58:57")),
    "VersionInfo.xml": ENCODER.encode(`<root><config><ZwjVersion SvrVer="BTSServer 8.0" /></config></root>`),
    ...streamsOf(spec),
    ...spec.more,
  };
  const files: Record<string, Uint8Array> = {};
  for (const [name, bytes] of Object.entries(all)) {
    if (spec.without?.includes(name) !== true) files[spec.names?.[name] ?? name] = bytes;
  }
  return zipSync(files, { level: spec.level ?? 6, mtime: "2024-05-06T00:00:00" });
}

const stepFile = `<?xml version="1.0" encoding="GB2312"?><root><config type="Step File" version="17"><Head_Info>
<Creator Value="someone" /><SCQ Value="4000" /></Head_Info><Step_Info Num="3">
<Step1 Step_ID="1" Step_Type="4"><Limit><Main><Time Value="10000" /></Main></Limit></Step1>
<Step2 Step_ID="2" Step_Type="1"><Limit><Main><Curr Value="1.94" /><Stop_Volt Value="49000" /></Main></Limit></Step2>
<Step3 Step_ID="3" Step_Type="99"></Step3></Step_Info></config></root>`;

function testInfo(started: string): string {
  return `<?xml version="1.0" encoding="GB2312"?><root><config><TestInfo SvrIP="127.0.0.1" StartTime="${started}"
 Remark="a &lt; b"><Aux1 AuxID="1" RealChlID="225" ChlType="103" /></TestInfo></config></root>`;
}

function streamsOf(spec: NdaxSpec): Record<string, Uint8Array> {
  const { version, rows, unit_mA, range } = spec;
  if (version === 2 || version === 5) {
    const bytes = version === 2 ? 94 : 87;
    const records = rows.map((row) => wholeRow(row, bytes, range));
    return { "data.ndc": version === 2 ? smallPages(records) : pages(1, version, records, spec) };
  }
  const plus = version === 14 || version === 17;
  const data = rows.map((row) => {
    const view = new DataView(new ArrayBuffer(8));
    view.setFloat32(0, row.potential_100uV / (plus ? 10_000 : 1), true);
    view.setFloat32(4, (row.current * unit_mA) / (plus ? 1000 : 1), true);
    return new Uint8Array(view.buffer);
  });
  const isFirst = (row: number): boolean => row === 0 || rows[row]!.stepsBegun !== rows[row - 1]!.stepsBegun;
  const charge = unit_mA / (plus ? 3.6e6 : 1);
  const infoBytes = { 11: 47, 14: 55, 16: 100, 17: 100 }[version];
  const info = rows.flatMap((row, at) => {
    const isTold = isFirst(at) || (spec.told?.(at) ?? true);
    if (!isTold) return [];
    const view = new DataView(new ArrayBuffer(infoBytes));
    view.setUint32(0, row.elapsed_ms, true);
    view.setFloat32(5, row.chargeIn * charge, true);
    view.setFloat32(9, row.chargeOut * charge, true);
    view.setInt32(29, isFirst(at) ? 0 : row.elapsed_ms - rows[at - 1]!.elapsed_ms, true);
    view.setUint32(33, Math.floor(row.stamp_ms / 1000), true);
    view.setUint32(37, row.stepsBegun, true);
    view.setUint32(41, row.index, true);
    view.setUint16(45, row.stamp_ms % 1000, true);
    return [new Uint8Array(view.buffer)];
  });
  if (spec.holes === true && info.length > 0) info.push(info.at(-1)!);
  const steps = rows.flatMap((row, at) => {
    if (!isFirst(at)) return [];
    const view = new DataView(new ArrayBuffer(version < 16 ? 37 : 100));
    view.setUint32(0, row.cycle, true);
    view.setUint32(4, row.step, true);
    view.setUint8(24, row.status);
    view.setUint32(33, row.index, true);
    return [new Uint8Array(view.buffer)];
  });
  return {
    "data.ndc": pages(1, version, data, spec),
    "data_AUX_225_3_1.ndc": pages(5, version, [], spec),
    "data_step.ndc": pages(7, version, steps, spec),
    "data_runInfo.ndc": pages(18, version, info, spec, spec.holes === true),
  };
}

function wholeRow(row: NewareRow, bytes: number, range: number): Uint8Array {
  const record = new Uint8Array(bytes);
  const view = new DataView(record.buffer);
  const shift = bytes - 87;
  record[0] = 0x55;
  view.setUint32(1 + shift, row.index, true);
  view.setUint32(5 + shift, row.cycle, true);
  view.setUint8(9 + shift, row.step);
  view.setUint8(10 + shift, row.status);
  view.setBigUint64(16 + shift, BigInt(row.elapsed_ms), true);
  view.setInt32(24 + shift, row.potential_100uV, true);
  view.setInt32(28 + shift, row.current, true);
  view.setBigInt64(36 + shift, BigInt(row.chargeIn), true);
  view.setBigInt64(44 + shift, BigInt(row.chargeOut), true);
  writeDate(view, 68 + shift, row.stamp_ms);
  view.setInt32(75 + shift, range, true);
  return record;
}

function smallPages(records: readonly Uint8Array[]): Uint8Array {
  const each = 5;
  const bytes = new Uint8Array(512 * (1 + Math.ceil(records.length / each)));
  bytes.set([1, 0, 2]);
  for (const [at, record] of records.entries()) {
    bytes.set(record, 512 * (1 + Math.floor(at / each)) + 5 + 94 * (at % each));
  }
  return bytes;
}

function pages(
  kind: number,
  version: number,
  records: readonly Uint8Array[],
  { bitless }: NdaxSpec,
  emptyFirst = false,
): Uint8Array {
  const each = records.length === 0 ? 1 : Math.floor((4096 - 132 - 1) / records[0]!.length);
  const shift = emptyFirst ? 1 : 0;
  const count = records.length === 0 ? 0 : Math.ceil((records.length + shift) / each);
  const bytes = new Uint8Array(4096 * (1 + count));
  bytes.set([kind, 0, version]);
  const view = new DataView(bytes.buffer);
  for (const [number, record] of records.entries()) {
    const place = (number + shift) % each;
    const page = 4096 * (1 + Math.floor((number + shift) / each));
    bytes[page] = kind + 1;
    view.setUint16(page + 2, view.getUint16(page + 2, true) + 1, true);
    if (bitless !== true) bytes[page + 4 + (place >> 3)]! |= 1 << (place & 7);
    bytes.set(record, page + 132 + record.length * place);
  }
  return bytes;
}
