/** Figures to SVG by Vega, loaded only when something is drawn. */
import type { View } from "vega";
import { fontFamily, type Figure } from "./spec.js";

/** Draws a figure as SVG text; images in it are embedded, nothing is fetched. */
export async function renderSvg(spec: Figure): Promise<string> {
  return drawn(spec, (view) => view.toSVG());
}

/** Draws a figure as PNG, `scale` pixels for each of its own; where a canvas is there, as on Node. */
export async function renderPng(spec: Figure, scale: number): Promise<Uint8Array> {
  return drawn(spec, async (view) => {
    const canvas = (await view.toCanvas(scale)) as unknown as { toBuffer(type: "image/png"): Uint8Array };
    return canvas.toBuffer("image/png");
  });
}

async function drawn<Drawn>(spec: Figure, draw: (view: View) => Promise<Drawn>): Promise<Drawn> {
  const [vega, { compile }] = await Promise.all([import("vega"), import("vega-lite")]);
  const view = new vega.View(vega.parse(compile(spec, { logger: silent() }).spec), {
    renderer: "none",
    loader: closedLoader(vega.loader()),
  });
  try {
    return await draw(view);
  } finally {
    view.finalize();
  }
}

/** An SVG that carries its font, so that it looks alike on a machine without it. `fontCss` holds @font-face rules. */
export function withFont(svg: string, fontCss: string): string {
  return svg.replace(/(<svg\b[^>]*>)/, `$1<style>${fontCss}</style>`);
}

/** The @font-face rule of one weight from the font's own bytes in base64. */
export function fontFace(woff2Base64: string, weight: number): string {
  return `@font-face{font-family:"${fontFamily}";font-weight:${weight};src:url(data:font/woff2;base64,${woff2Base64}) format("woff2")}`;
}

/** A loader that takes data URLs alone. */
function closedLoader<Loader extends { sanitize: unknown }>(loader: Loader): Loader {
  loader.sanitize = (uri: string) =>
    uri.startsWith("data:") ? Promise.resolve({ href: uri }) : Promise.reject(new Error(`a figure asked for ${uri}`));
  return loader;
}

/** Vega-Lite warns of scales without a domain in panels that are empty on purpose. */
function silent(): never {
  const logger = {
    level: () => logger,
    error: () => logger,
    warn: () => logger,
    info: () => logger,
    debug: () => logger,
  };
  return logger as never;
}
