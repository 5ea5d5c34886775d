/** The compiled kernels: raw pointers into one memory that the caller owns, no runtime. */
export { convolve } from "./convolve";
export { discFits } from "./disc";
export { realFft2, realFft2Inverse } from "./real-fft";
export { sampledBlur } from "./sampled-blur";
export { slowRatio } from "./slow-ratio";
export { sampleSpline, splineCoefficients } from "./spline";
export { influenceSums, lightSums, shiftSums } from "./texture";
export { coarseLight, fillLight, floatsOfSquares, floatsOfWords, openLight } from "./window";
