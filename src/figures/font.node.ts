/** The shipped font: known to the canvas that measures text, and as CSS for what is written. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fontFace } from "./render.js";
import { fontFamily } from "./spec.js";

const weights = [400, 600] as const;
let css: string | null = null;

/** Registers the font for measuring text, once, and gives its @font-face rules with the bytes inside. */
export async function shippedFont(): Promise<string> {
  if (css !== null) return css;
  const { GlobalFonts } = await import("@napi-rs/canvas");
  const require = createRequire(import.meta.url);
  css = weights
    .map((weight) => {
      const bytes = readFileSync(
        require.resolve(`@fontsource/source-sans-3/files/source-sans-3-latin-${weight}-normal.woff2`),
      );
      GlobalFonts.register(bytes, fontFamily);
      return fontFace(bytes.toString("base64"), weight);
    })
    .join("");
  return css;
}
