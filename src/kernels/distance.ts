/** Distance from the edge of a mask, and what follows from it: a mask grown or shrunk. */

/**
 * Distance in px from the centre of each pixel of a mask to the centre of the nearest pixel outside it;
 * 0 outside the mask. Beyond the image everything is outside. Exact, in linear time:
 * Felzenszwalb and Huttenlocher, Theory of Computing 8, 415 (2012).
 */
export function distanceTransform(mask: Uint8Array, width: number, height: number): Float64Array {
  const distance = squaredDistance(mask, 0, width, height, true);
  for (let at = 0; at < distance.length; at++) distance[at] = Math.sqrt(distance[at]!);
  return distance;
}

/** The mask and all pixels whose centres lie within `radius_px` of one of its own. */
export function grow(mask: Uint8Array, width: number, height: number, radius_px: number): Uint8Array {
  const squared = squaredDistance(mask, 1, width, height, false);
  const grown = new Uint8Array(width * height);
  for (let at = 0; at < grown.length; at++) grown[at] = squared[at]! <= radius_px * radius_px ? 1 : 0;
  return grown;
}

/** The pixels of the mask whose centres lie farther than `radius_px` from every pixel outside it, beyond the image too. */
export function shrink(mask: Uint8Array, width: number, height: number, radius_px: number): Uint8Array {
  const squared = squaredDistance(mask, 0, width, height, true);
  const shrunk = new Uint8Array(width * height);
  for (let at = 0; at < shrunk.length; at++) {
    shrunk[at] = mask[at] !== 0 && squared[at]! > radius_px * radius_px ? 1 : 0;
  }
  return shrunk;
}

/**
 * Squared distance of every pixel to the nearest one whose mask is zero (`sought` 0) or not (`sought` 1), and to the
 * ring of pixels around the image if `ringCounts`; Infinity where there is none.
 */
function squaredDistance(
  mask: Uint8Array,
  sought: 0 | 1,
  width: number,
  height: number,
  ringCounts: boolean,
): Float64Array {
  const result = new Float64Array(width * height);
  for (let y = 0; y < height; y++) {
    let run = ringCounts ? 0 : Infinity;
    for (let at = y * width; at < (y + 1) * width; at++) {
      run = (mask[at] !== 0 ? 1 : 0) === sought ? 0 : run + 1;
      result[at] = run;
    }
    run = ringCounts ? 0 : Infinity;
    for (let at = (y + 1) * width - 1; at >= y * width; at--) {
      run = result[at] === 0 ? 0 : run + 1;
      if (run < result[at]!) result[at] = run;
    }
  }
  // Lower envelope of the parabolas (y - site)^2 + across^2, column by column; the ring's own lie at -1 and height.
  const site = new Float64Array(height + 2);
  const across2 = new Float64Array(height + 2);
  const from = new Float64Array(height + 2);
  for (let x = 0; x < width; x++) {
    let last = -1;
    for (let y = ringCounts ? -1 : 0; y < (ringCounts ? height + 1 : height); y++) {
      const across = y < 0 || y === height ? 0 : result[y * width + x]!;
      if (across === Infinity) continue;
      const height2 = across * across;
      let meets = -Infinity;
      while (last >= 0) {
        meets = (height2 + y * y - across2[last]! - site[last]! * site[last]!) / (2 * (y - site[last]!));
        if (meets > from[last]!) break;
        last--;
      }
      last++;
      site[last] = y;
      across2[last] = height2;
      from[last] = last === 0 ? -Infinity : meets;
    }
    if (last < 0) continue;
    let current = 0;
    for (let y = 0; y < height; y++) {
      while (current < last && from[current + 1]! < y) current++;
      result[y * width + x] = (y - site[current]!) ** 2 + across2[current]!;
    }
  }
  return result;
}
