/** Two cells' records over each other: potential over the share of charge, and dQ/dV over potential (Extended Data Fig. 1). */
import { lineColours } from "./colormap.js";
import { absent, figure, type Figure, type Part } from "./spec.js";

/** One curve of one record. */
export interface RecordCurve {
  readonly record: string;
  readonly kind: "charge" | "discharge";
  /** Tells the curves of one record and kind apart. */
  readonly halfCycle: number;
  readonly x: ArrayLike<number>;
  readonly y: ArrayLike<number>;
}

const PANEL = 270;
const MOST_POINTS = 400;

/** Potential over share of charge, and dQ/dV over the half cycle's charge against potential; colours are records, dashes discharges. */
export function recordsFigure(
  names: readonly string[],
  potential: readonly RecordCurve[],
  capacity: readonly RecordCurve[],
): Figure {
  const panel = (curves: readonly RecordCurve[], x: Part, y: Part): Part => {
    if (curves.every((curve) => curve.x.length === 0)) return absent("no half cycle to show", PANEL, PANEL);
    return {
      width: PANEL,
      height: PANEL,
      data: { values: curves.flatMap(rows) },
      mark: { type: "line", strokeWidth: 1.2 },
      encoding: {
        x: { field: "x", type: "quantitative", ...x },
        y: { field: "y", type: "quantitative", ...y },
        order: { field: "at", type: "quantitative" },
        detail: { field: "halfCycle", type: "nominal" },
        color: {
          field: "record",
          type: "nominal",
          title: null,
          scale: { domain: names, range: lineColours.slice(0, names.length) },
        },
        strokeDash: {
          field: "kind",
          type: "nominal",
          title: null,
          scale: {
            domain: ["charge", "discharge"],
            range: [
              [1, 0],
              [5, 3],
            ],
          },
        },
      },
    };
  };
  const free = { scale: { zero: false } };
  return figure({
    title: { text: "Records over each other" },
    hconcat: [
      panel(
        potential,
        { title: "charge passed / share", scale: { domain: [0, 1] } },
        { title: "potential / V", ...free },
      ),
      panel(capacity, { title: "potential / V", ...free }, { title: "|dQ/dV| over charge passed / V⁻¹" }),
    ],
    spacing: 24,
  });
}

function rows({ record, kind, halfCycle, x, y }: RecordCurve): Part[] {
  const stride = Math.max(1, Math.ceil(x.length / MOST_POINTS));
  const found: Part[] = [];
  for (let at = 0; at < x.length; at += stride) {
    const known = Number.isFinite(x[at]!) && Number.isFinite(y[at]!);
    if (known) found.push({ record, kind, halfCycle: `${record} ${halfCycle}`, x: x[at]!, y: y[at]!, at });
  }
  return found;
}
