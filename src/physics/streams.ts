/** Many streams of random numbers from one seed, so that one thing can be drawn without moving another. */
import { random, type Random } from "../kernels/random.js";

/**
 * The stream of a named thing, and of its index-th piece: a frame's noise is the same whatever was drawn before it.
 * The name is hashed (FNV-1a), then mixed with seed and index (the finaliser of MurmurHash3).
 */
export function stream(seed: number, name: string, index = 0): Random {
  let hash = 0x811c9dc5;
  for (let at = 0; at < name.length; at++) hash = Math.imul(hash ^ name.charCodeAt(at), 0x01000193);
  return random(mix(mix(mix(hash) ^ seed) + Math.imul(index + 1, 0x9e3779b9)));
}

function mix(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
