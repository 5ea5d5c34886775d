/** `summary.json`: what was found, in the public form that scripts of other labs read. */
import type { Domains } from "../model/domains.js";
import type { Experiment, Findings, Kinetics } from "../model/experiment.js";
import type { NoiseModel } from "../model/noise.js";
import { version } from "./version.js";

export { jsonText } from "../io/tree.js";

/** The summary as a plain value for JSON; numbers that are not finite become null when it is written. */
export function summarise(experiment: Experiment, findings: Findings, warnings: readonly string[]): object {
  const { movie } = experiment;
  const crops = findings.crops;
  return {
    ionoscope: version,
    warnings,
    movie: {
      width: movie.width,
      height: movie.height,
      frames: experiment.framesInFile,
      analysed: movie.frames,
      pixelSize_um: { value: movie.pixelSize_um, source: movie.pixelSizeSource },
      frameStamp: movie.frameStamp,
      blackLevel:
        experiment.darkFrame === null
          ? experiment.blackLevel
          : { value: null, source: `dark frame ${experiment.darkFrame}` },
      ...(experiment.blackLevel === null ? { pedestal: "unknown" } : {}),
      timeSource: movie.timeSource,
      first_s: movie.time_s[0],
      last_s: movie.time_s[movie.frames - 1],
      skipped: experiment.skipped,
    },
    ...(findings.clock === undefined ? {} : { clock: findings.clock }),
    ...(findings.cell === undefined ? {} : { cell: findings.cell === null ? null : cell(findings.cell) }),
    ...(findings.drift === undefined ? {} : { drift: drift(findings.drift) }),
    ...(findings.particles === undefined ? {} : { particles: findings.particles }),
    ...(findings.optics === undefined
      ? {}
      : {
          optics: findings.optics.map((optics) => ({
            ...optics,
            evenness: `findings/optics/${optics.particle}/evenness.npy`,
          })),
        }),
    ...(findings.transitions === undefined ? {} : { transitions: findings.transitions }),
    ...(findings.motion === undefined ? {} : { motion: motion(findings.motion) }),
    ...(findings.noise === undefined ? {} : { noise: noise(findings.noise) }),
    ...(findings.faces === undefined ? {} : { faces: findings.faces }),
    ...(findings.shiftShares === undefined
      ? {}
      : {
          shift: findings.shiftShares.map(
            ({ particle, transition, share, shift_nm, focus_change, moment_s, lag_s }, index) => ({
              particle,
              transition,
              share,
              shift_nm,
              focus_change,
              moment_s,
              lag_s,
              contrast: `findings/shift/${index}/contrast.npy`,
              explained: `findings/shift/${index}/explained.npy`,
            }),
          ),
        }),
    ...(findings.fronts === undefined
      ? {}
      : {
          fronts: findings.fronts.map((front, index) => ({
            particle: front.particle,
            transition: front.transition,
            map: `findings/fronts/${index}/arrival_s.npy`,
            sd: `findings/fronts/${index}/sd_s.npy`,
            origin_px: front.origin_px,
            width: front.width,
            height: front.height,
            estimator: front.estimator,
            bias_s: front.bias_s,
            lag_s: front.lag_s,
            explained_by: front.explained_by ?? null,
            covered: front.covered,
            common_sd_s: front.common_sd_s ?? null,
            shown_psf_um: front.shown_psf_um ?? null,
            localisation_nm_per_segment_um: front.localisation_nm_per_segment_um,
          })),
        }),
    ...(findings.kinetics === undefined
      ? {}
      : {
          kinetics: findings.kinetics.map(kinetics),
        }),
    ...(findings.kymographs === undefined
      ? {}
      : {
          kymographs: findings.kymographs.map((one, index) => ({
            particle: one.particle,
            transition: one.transition,
            velocity_um_s: one.velocity_um_s,
            places: one.ridge.length,
            line_px: one.line_px,
            width_um: one.width_um,
            lag_s: one.lag_s,
            intensity: `findings/kymographs/${index}/intensity.npy`,
          })),
        }),
    ...(findings.mechanisms === undefined ? {} : { mechanisms: findings.mechanisms }),
    ...(findings.repeats === undefined ? {} : { repeats: findings.repeats }),
    ...(findings.spreads === undefined ? {} : { spreads: findings.spreads }),
    ...(findings.domains === undefined ? {} : { domains: findings.domains.map(domains) }),
    ...(findings.regime === undefined ? {} : { regime: findings.regime }),
    ...(findings.controls === undefined ? {} : { controls: findings.controls }),
    ...(crops === undefined ? {} : { crops: crops.length }),
  };
}

function cell(found: NonNullable<Findings["cell"]>): object {
  const { differentialCapacity: _, steps, ...rest } = found;
  return { ...rest, steps: steps.map(({ first: __, last: ___, ...step }) => step) };
}

function drift(found: NonNullable<Findings["drift"]>): object {
  return {
    residual_nm: found.residual_nm,
    bound_nm: found.bound_nm,
    final_um: found.final_um,
    noise: found.noise,
    focus_sd: found.focus_sd,
    focus: "findings/drift/focus.npy",
    x_px: "findings/drift/x_px.npy",
    y_px: "findings/drift/y_px.npy",
  };
}

/** Flat, as it is read: fractions of the still ground's light stand beside each other; the levels are in findings/noise.json. */
function noise(found: NoiseModel): object {
  const { levels: _, carrier, ...rest } = found;
  return {
    ...rest,
    carrier: carrier?.noise ?? null,
    carrier_counts: carrier?.signal_counts ?? null,
    photonLimit: carrier?.photonLimit ?? null,
    shotLimit: carrier?.shotLimit ?? null,
    ratio: carrier?.ratio ?? null,
  };
}

function motion(found: NonNullable<Findings["motion"]> | null): object | null {
  if (found === null) return null;
  const { last, blocks, displaced_px } = found;
  return { ...last, blocks, displaced_px };
}

function domains(found: Domains, index: number): object {
  const { contrast: _, ridge: __, domain: ___, ...rest } = found;
  const at = `findings/domains/${index}`;
  return { ...rest, map: `${at}/domain.npy`, contrast: `${at}/contrast.npy`, ridge: `${at}/ridge.npy` };
}

function kinetics(found: Kinetics, index: number): object {
  return {
    ...found,
    // Curves stand in files of their own.
    phaseFraction: undefined,
    cRate: undefined,
    phase_fraction: `findings/kinetics/${index}/phase_fraction/value.npy`,
  };
}
