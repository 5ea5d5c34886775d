/** The public names, and nothing else. */
export { FormatError, isIonoscopeError, ParameterError } from "./model/errors.js";
export type * from "./model/cycling.js";
export type * from "./model/experiment.js";
export type * from "./model/material.js";
export type * from "./model/movie.js";
export type * from "./model/particle.js";

export { blobSource, memorySource, type ByteSource, type FolderSource, type Source } from "./io/bytes.js";
export { openPath } from "./io/bytes.node.js";
export { calibrateMovie } from "./io/calibrate.js";
export { openMovie, readCycling } from "./io/open.js";
export { findingsTree } from "./io/tree.js";

export { alignClocks } from "./analysis/clock.js";
export { backgroundSubtracted, differentialContrast, totalContrast } from "./analysis/contrast.js";
export { cropParticles, readStack, stretchesOf } from "./analysis/crops.js";
export { differentialCapacity } from "./analysis/differential-capacity.js";
export { estimateDrift } from "./analysis/drift.js";
export { mapFront } from "./analysis/fronts.js";
export { findHalfCycles, findSteps } from "./analysis/half-cycles.js";
export { meanIntensity, type Stretches } from "./analysis/intensity.js";
export { classifyMechanism } from "./analysis/mechanisms.js";
export { findParticles } from "./analysis/particles.js";
export { phaseFraction, singleParticleCRate } from "./analysis/phase-fraction.js";
export { findTransitions } from "./analysis/transitions.js";
export { frontVelocity } from "./analysis/velocity.js";

export { exposeCamera } from "./physics/expose-camera.js";
export { iscatImager, iscatIntensity } from "./physics/iscat.js";
export { boundDiffusivity, type DiffusivityOptions, type MeasuredFront } from "./inference/diffusivity.js";
export { measureRegimes } from "./inference/measured-regime.js";
export {
  assessRegime,
  biotNumber,
  damkohlerNumber,
  particleSize,
  type KnownDiffusivity,
  type ParticleSize,
  type RegimeInput,
  type RegimeVerdict,
} from "./inference/regime.js";
export { frontCurrent, type FrontDrive } from "./inference/simulated-front.js";
export {
  quasiSteadyDiffusivity,
  stefanDiffusivity,
  stefanNumber,
  surfaceLithium,
  type StefanFront,
} from "./inference/stefan.js";

export { lco } from "./physics/materials/lco.js";
export { materials, withTransport } from "./physics/materials/library.js";
export { phaseFieldTwin } from "./physics/phase-field-twin.js";
export { cycleElectrode } from "./physics/electrode.js";
export { outlineGrid } from "./physics/masked-grid.js";
export { simulatePhaseField } from "./physics/phase-field.js";
export { simulateEnsemble } from "./physics/phase-field-ensemble.js";
export type * from "./physics/phase-field-spec.js";
export { simulateOrdering } from "./physics/ordering.js";
export type * from "./physics/ordering-spec.js";
export { prescribedFront } from "./physics/prescribed-front.js";
export { twin } from "./physics/twin.js";

export { colormap } from "./figures/colormap.js";
export { contrastFigure } from "./figures/contrast-figure.js";
export { cyclingFigure } from "./figures/cycling-figure.js";
export { frontMapFigure } from "./figures/front-map-figure.js";
export { kineticsFigure } from "./figures/kinetics-figure.js";
export { renderSvg } from "./figures/render.js";
export { reportPage } from "./figures/report.js";

export { convert } from "./operations/convert.node.js";
export { formats } from "./operations/formats.js";
export { readOutlines, writeOutlines } from "./operations/outlines.node.js";
export { analyse, analyseExperiment, type Analysis } from "./operations/analyse.js";
export { inspect } from "./operations/inspect.js";
export type { Recipe } from "./operations/recipe.js";
export { run } from "./operations/run.js";
export { sources } from "./operations/sources.js";
export { steps } from "./operations/steps.js";
export { version } from "./operations/version.js";
