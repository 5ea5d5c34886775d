/** Many fronts side by side by the rate of the cell: the paper's Fig. 4b, c, and their velocities. */
import { lineColours } from "./colormap.js";
import { absent, figure, type Figure, type Part } from "./spec.js";

/** One front as a point. */
export interface RatePoint {
  readonly rate_C: number | null;
  readonly direction: string;
  readonly mechanism: string;
  readonly c_rate_max: number | null;
  readonly c_rate_max_sd: number | null;
  readonly velocity_nm_s: number;
  readonly velocity_sd_nm_s: number | null;
}

const kinds = ["core", "wave", "hybrid", "uniform", "undecided"];
const PANEL = 250;
/** Rates closer than this, as a ratio, share a tick. */
const APART = 1.08;

/** Two panels over the applied rate: the greatest single-particle C-rate with the line of the cell's own, and the velocity. */
export function ratesFigure(points: readonly RatePoint[]): Figure {
  const rated = points.filter(({ rate_C }) => rate_C !== null && rate_C > 0);
  const directions = [...new Set(rated.map(({ direction }) => direction))].sort();
  const shown = kinds.filter((kind) => rated.some(({ mechanism }) => mechanism === kind));
  const panel = (value: keyof RatePoint, sd: keyof RatePoint, title: string, own: boolean): Part => {
    const values = rated
      .filter((point) => point[value] !== null)
      .map((point) => ({
        rate: point.rate_C,
        direction: point.direction,
        mechanism: point.mechanism,
        v: point[value] as number,
        low: (point[value] as number) - ((point[sd] as number | null) ?? 0),
        high: (point[value] as number) + ((point[sd] as number | null) ?? 0),
      }));
    if (values.length === 0) return absent(`no ${title.split(" / ")[0]} beside an applied rate`, PANEL, PANEL);
    const rates = values.map(({ rate }) => rate!).sort((a, b) => a - b);
    const [least, greatest] = [rates[0]!, rates.at(-1)!];
    const ticks = rates.filter((rate, at) => at === 0 || rate > APART * rates[at - 1]!);
    const x = {
      field: "rate",
      type: "quantitative",
      title: "applied rate / C",
      scale: { type: "log", domain: [0.8 * least, 1.25 * greatest], nice: false },
      axis: { values: ticks.length <= 8 ? ticks : undefined, format: ".2~r", grid: false },
    };
    const y = { type: "quantitative", title, scale: { zero: true }, axis: { tickCount: 5 } };
    const color = {
      field: "mechanism",
      type: "nominal",
      title: "mechanism",
      scale: { domain: shown, range: lineColours.slice(0, shown.length) },
    };
    const shape = {
      field: "direction",
      type: "nominal",
      title: "direction",
      scale: { domain: directions, range: ["circle", "diamond", "square", "cross"].slice(0, directions.length) },
    };
    const most = Math.max(...values.map(({ high }) => high));
    const until = Math.min(1.25 * greatest, most);
    // Equal rates lie on a curve where one axis is logarithmic and the other is not.
    const equal = Array.from({ length: 41 }, (_, at) => 0.8 * least * (until / (0.8 * least)) ** (at / 40));
    const line: Part = {
      data: { values: until > least ? equal.map((rate) => ({ rate, v: rate })) : [] },
      mark: { type: "line", strokeDash: [4, 3], color: "#777777", strokeWidth: 1 },
      encoding: { x, y: { ...y, field: "v" } },
    };
    return {
      width: PANEL,
      height: PANEL,
      layer: [
        ...(own ? [line] : []),
        {
          data: { values },
          mark: { type: "rule", strokeWidth: 1 },
          encoding: { x, y: { ...y, field: "low" }, y2: { field: "high" }, color },
        },
        {
          data: { values },
          mark: { type: "point", filled: true, size: 55, opacity: 0.85 },
          encoding: { x, y: { ...y, field: "v" }, color, shape },
        },
      ],
    };
  };
  return figure({
    title: {
      text: "Fronts by the rate of the cell",
      subtitle: "Bars: one standard error. Dashed: a particle as fast as its cell.",
    },
    hconcat: [
      panel("c_rate_max", "c_rate_max_sd", "greatest single-particle C-rate / C", true),
      panel("velocity_nm_s", "velocity_sd_nm_s", "front velocity / nm/s", false),
    ],
    spacing: 30,
  });
}
