/** The compiled kernels: raw pointers into one memory that the caller owns, no runtime. */
export { convolve } from "./convolve";
