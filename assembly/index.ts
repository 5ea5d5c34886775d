/** The compiled kernels: raw pointers into one memory that the caller owns, no runtime. */
export { blurFloats, divideEdges, divideWeights, zeroHoles } from "./blur";
export { crossSpectrum, highest, hill } from "./correlation";
export { convolve } from "./convolve";
export { chemicalPotential, firstStage, nextStage } from "./phase-field";
export { discFits } from "./disc";
export { realFft2, realFft2Inverse } from "./real-fft";
export { sampledBlur } from "./sampled-blur";
export { slowRatio } from "./slow-ratio";
export { sampleSpline, splineCoefficients } from "./spline";
export { explain } from "./templates";
export { influenceSums, lightSums, shiftSums } from "./texture";
export { coarseLight, fillLight, floatsOfSquares, floatsOfWords, openLight } from "./window";
