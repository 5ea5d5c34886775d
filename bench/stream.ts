/**
 * One pass through a movie as `analyse` takes it, in a process of its own: frames read in order, drift estimated on them.
 *
 *     node dist/programs/bench/stream.js FILE
 *
 * Prints JSON: frames, wall_s from the first read to the last, warm_s of the second half of the frames, and the shifts.
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

const file = await openMovie(await openFile(process.argv[2]!));
const movie: Movie = {
  ...file,
  pixelSize_um: PIXEL_UM,
  time_s: Float64Array.from({ length: file.frames }, (_, frame) => frame),
  read: (index, into, signal) => file.read(index, into, signal),
};
const image = await referenceImage(movie, { frames: 8, blackLevel: BLACK });
const particles = findParticles(image, { minDiameter_um: 1.5, psf_um: PSF_UM, region_px: null });
const pool = openPool(THREADS);
const from = performance.now();
let half = from;
const drift = await estimateDrift(movie, particles, {
  blackLevel: BLACK,
  region_px: null,
  psf_um: PSF_UM,
  onFrame: (done) => {
    if (2 * done <= movie.frames) half = performance.now();
  },
  ...(pool === null ? {} : { hire: crewsOf(pool) }),
});
const end = performance.now();
await pool?.close();
await file.close();
console.log(
  JSON.stringify({
    frames: movie.frames,
    wall_s: (end - from) / 1000,
    warm_s: (end - half) / 1000,
    x_px: [...drift.x_px],
    y_px: [...drift.y_px],
  }),
);
