/** The report: one page that opens without a network, warnings first, numbers with their errors, figures, how to repeat it. */
import { fontFamily } from "./spec.js";

/** A table of words. */
export interface ReportTable {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** A sentence below it. */
  readonly note?: string;
}

/** What a report says. */
export interface ReportContent {
  readonly title: string;
  /** What was measured, on what: a name and its words. */
  readonly facts: readonly (readonly [string, string])[];
  readonly warnings: readonly string[];
  readonly tables: readonly ReportTable[];
  readonly figures: readonly { readonly name: string; readonly svg: string; readonly caption: string }[];
  /** The recipe as JSON. */
  readonly recipe: string;
  /** The command that repeats the analysis. */
  readonly repeat: string;
  /** @font-face rules with the font's bytes; empty where none is shipped. */
  readonly fontCss: string;
  readonly footer: string;
}

/** The report as one HTML document: no script, no request, readable in print. */
export function reportPage(content: ReportContent): string {
  const { title, facts, warnings, tables, figures } = content;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; font-src data:">
<title>${escaped(title)}</title>
<style>${content.fontCss}${style}</style>
</head>
<body>
<main>
<h1>${escaped(title)}</h1>
${warnings.length === 0 ? "" : `<section class="warnings"><h2>Warnings</h2><ul>${warnings.map((warning) => `<li>${escaped(warning)}</li>`).join("")}</ul></section>`}
<section><h2>What was measured</h2><dl>${facts.map(([name, value]) => `<dt>${escaped(name)}</dt><dd>${escaped(value)}</dd>`).join("")}</dl></section>
${tables.map(tableHtml).join("\n")}
${figures.length === 0 ? "" : `<section><h2>Figures</h2>${figures.map((one, at) => figureHtml(one, at)).join("\n")}</section>`}
<section><h2>How to repeat it</h2><pre>${escaped(content.repeat)}</pre>
<details><summary>The recipe</summary><pre>${escaped(content.recipe)}</pre></details></section>
<footer>${escaped(content.footer)}</footer>
</main>
</body>
</html>
`;
}

function tableHtml({ title, columns, rows, note }: ReportTable): string {
  const head = columns.map((column) => `<th scope="col">${escaped(column)}</th>`).join("");
  const body = rows
    .map(
      (row) =>
        `<tr>${row.map((cell) => `<td${/^[-\d(].{0,24}$/.test(cell) ? ' class="number"' : ""}>${escaped(cell)}</td>`).join("")}</tr>`,
    )
    .join("");
  return `<section><h2>${escaped(title)}</h2><div class="wide"><table><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table></div>${note === undefined ? "" : `<p class="note">${escaped(note)}</p>`}</section>`;
}

function figureHtml({ name, svg, caption }: ReportContent["figures"][number], at: number): string {
  // Vega numbers clip paths and gradients from zero in every SVG: in one page each needs names of its own.
  const own = svg
    .replaceAll(/\bid="([^"]+)"/g, `id="f${at}-$1"`)
    .replaceAll(/url\(#([^)]+)\)/g, `url(#f${at}-$1)`)
    .replace(/^<svg /, `<svg role="img" aria-label="${escaped(caption)}" `);
  return `<figure id="figure-${escaped(name)}"><div class="wide">${own}</div><figcaption>${escaped(caption)}</figcaption></figure>`;
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (sign) => entities[sign]!);
}

const style = `
:root{color:#1a1a1a;background:#fff;font:16px/1.5 "${fontFamily}",sans-serif}
body{margin:0}main{max-width:60rem;margin:0 auto;padding:1.5rem}
h1{font-size:1.6rem;font-weight:600;margin:0 0 1rem}h2{font-size:1.15rem;font-weight:600;margin:2rem 0 .6rem}
.warnings{border-left:4px solid #d55e00;background:#fdf3ec;padding:.2rem 1rem .6rem}.warnings h2{margin:.6rem 0 .2rem}.warnings ul{margin:0;padding-left:1.1rem}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.15rem 1.2rem;margin:0}dt{color:#555}dd{margin:0;overflow-wrap:anywhere}
.wide{overflow-x:auto}table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:.92rem}
th{font-weight:600;text-align:left;border-bottom:2px solid #333;padding:.25rem .9rem .25rem 0;vertical-align:bottom}td{border-bottom:1px solid #ddd;padding:.25rem .9rem .25rem 0;vertical-align:top}td.number{white-space:nowrap}
.note{color:#444;font-size:.92rem}figure{margin:1.5rem 0;break-inside:avoid}figure svg{max-width:100%;height:auto}figcaption{color:#333;font-size:.95rem;max-width:44rem}
pre{background:#f4f4f4;padding:.7rem;overflow-x:auto;font-size:.85rem}footer{margin-top:2.5rem;color:#555;font-size:.9rem;border-top:1px solid #ddd;padding-top:.6rem}
@media print{main{max-width:none;padding:0}details{display:none}.wide{overflow:visible}}
`;
