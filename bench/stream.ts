/**
 * One pass through a movie as `analyse` takes it, in a process of its own: frames read in order, drift estimated on them.
 *
 *     node dist/programs/bench/stream.js FILE
 *
 * Prints JSON: frames, wall_s from the first read to the last, and the wall time of opening.
 */
import { estimateDrift } from "../src/analysis/drift.js";
import { findParticles } from "../src/analysis/particles.js";
import { referenceImage } from "../src/analysis/reference.js";
import { openFile } from "../src/io/bytes.node.js";
import { openMovie } from "../src/io/open.js";
import type { Movie } from "../src/model/movie.js";
import { crewsOf, openPool } from "../src/operations/pool.node.js";
import { BLACK, PIXEL_UM } from "./made-movie.js";

const PSF_UM = 0.118;
const THREADS = 2;

const begun = performance.now();
const file = await openMovie(await openFile(process.argv[2]!));
const movie: Movie = {
  ...file,
  pixelSize_um: PIXEL_UM,
  time_s: Float64Array.from({ length: file.frames }, (_, frame) => frame),
  read: (index, into, signal) => file.read(index, into, signal),
};
const opened = performance.now();
const image = await referenceImage(movie, { frames: 8, blackLevel: BLACK });
const particles = findParticles(image, { minDiameter_um: 1.5, psf_um: PSF_UM, region_px: null });
const pool = openPool(THREADS);
const from = performance.now();
const drift = await estimateDrift(movie, particles, {
  blackLevel: BLACK,
  region_px: null,
  psf_um: PSF_UM,
  ...(pool === null ? {} : { hire: crewsOf(pool) }),
});
const wall_s = (performance.now() - from) / 1000;
await pool?.close();
await file.close();
console.log(
  JSON.stringify({
    frames: movie.frames,
    wall_s,
    open_s: (opened - begun) / 1000,
    particles: particles.length,
    x_px: [...drift.x_px],
    y_px: [...drift.y_px],
    residual_nm: drift.residual_nm.value,
  }),
);
