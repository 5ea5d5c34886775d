/** Materials by name, and variants of one. */
import { ParameterError } from "../../model/errors.js";
import type { Diffusivity, Material, RateLaw } from "../../model/material.js";
import { record, refuse } from "../check.js";
import { checkMaterial } from "../material-check.js";
import { lco, lcoMeasured } from "./lco.js";
import { lfp } from "./lfp.js";
import { nb14w3o44 } from "./nb14w3o44.js";
import { nmc811 } from "./nmc811.js";

/** The materials that come with ionoscope. */
export const materials: Readonly<Record<string, Material>> = {
  lco,
  "lco-measured": lcoMeasured,
  lfp,
  nmc811,
  nb14w3o44,
};

/** What a fit or a sweep changes in a material. */
export interface Transport {
  /** In the lithium-poor and the lithium-rich phase. */
  readonly poor_um2_s?: number;
  readonly rich_um2_s?: number;
  /** The same everywhere; instead of the two. */
  readonly D_um2_s?: number;
  readonly blend?: "log" | "linear" | "divacancy";
  readonly exchange_A_m2?: number;
  readonly rateLaw?: RateLaw;
}

/**
 * The material with another transport; `source` says why, and stands beside the numbers.
 * Throws ParameterError where one phase's diffusivity is changed in a material that does not state the other's.
 */
export function withTransport(material: Material, transport: Transport, source: string): Material {
  checkMaterial(material);
  record("transport", transport, "Give what is otherwise, such as { D_um2_s: 0.1 }");
  if (typeof source !== "string") refuse("source", source, "Give a sentence");
  const { exchange_A_m2, rateLaw } = transport;
  return {
    ...material,
    diffusivity: changed(material.diffusivity, transport, source),
    exchange_A_m2: exchange_A_m2 === undefined ? material.exchange_A_m2 : { value: exchange_A_m2, source },
    rateLaw: rateLaw ?? material.rateLaw,
  };
}

function changed(law: Diffusivity, { D_um2_s, poor_um2_s, rich_um2_s, blend }: Transport, source: string): Diffusivity {
  if (D_um2_s !== undefined) return { kind: "constant", D_um2_s: { value: D_um2_s, source } };
  if (poor_um2_s === undefined && rich_um2_s === undefined && blend === undefined) return law;
  const two = law.kind === "log" || law.kind === "linear" || law.kind === "divacancy" ? law : null;
  const one = law.kind === "constant" ? law.D_um2_s : null;
  const poor = poor_um2_s === undefined ? (two?.poor_um2_s ?? one) : { value: poor_um2_s, source };
  const rich = rich_um2_s === undefined ? (two?.rich_um2_s ?? one) : { value: rich_um2_s, source };
  if (poor === null || rich === null) {
    const missing = poor === null ? "poor_um2_s" : "rich_um2_s";
    throw new ParameterError(
      `${missing} is not stated: the material's diffusivity is a table. Give it too, or D_um2_s.`,
      {
        parameter: missing,
        value: null,
      },
    );
  }
  return { kind: blend ?? two?.kind ?? "log", poor_um2_s: poor, rich_um2_s: rich };
}
