/** The order of numbers. */

const BITS = 11;
const BUCKETS = 1 << BITS;
const ROUNDS = 3;

/** Places of the finite values from the least to the greatest, those of equal ones in their own order. */
export function orderOf(values: Float32Array): Int32Array {
  const bits = new Uint32Array(values.slice().buffer);
  let keys = new Uint32Array(values.length);
  let order = new Int32Array(values.length);
  let known = 0;
  const counts = new Int32Array(ROUNDS * BUCKETS);
  for (let at = 0; at < values.length; at++) {
    const value = values[at]!;
    if (value - value !== 0) continue;
    const own = value === 0 ? 0 : bits[at]!;
    // So that greater numbers have greater keys: all bits are turned below zero, the sign alone above.
    const key = (own & 0x80000000) !== 0 ? ~own >>> 0 : (own | 0x80000000) >>> 0;
    keys[known] = key;
    order[known++] = at;
    for (let round = 0; round < ROUNDS; round++) {
      const bucket = round * BUCKETS + ((key >>> (round * BITS)) & (BUCKETS - 1));
      counts[bucket] = counts[bucket]! + 1;
    }
  }
  let otherKeys = new Uint32Array(known);
  let other = new Int32Array(known);
  order = order.subarray(0, known);
  for (let round = 0; round < ROUNDS; round++) {
    const next = counts.subarray(round * BUCKETS, (round + 1) * BUCKETS);
    for (let bucket = 0, sum = 0; bucket < BUCKETS; bucket++) {
      const count = next[bucket]!;
      next[bucket] = sum;
      sum += count;
    }
    const shift = round * BITS;
    for (let k = 0; k < known; k++) {
      const key = keys[k]!;
      const bucket = (key >>> shift) & (BUCKETS - 1);
      const to = next[bucket]!;
      next[bucket] = to + 1;
      otherKeys[to] = key;
      other[to] = order[k]!;
    }
    [keys, otherKeys] = [otherKeys, keys];
    [order, other] = [other, order];
  }
  return order;
}

/** So many values of one bucket are put in order by insertion; more, by the machine's own sort. */
const FEW = 24;

/**
 * Puts finite numbers in ascending order, in place: by buckets as many as there are, then within each. Quick for numbers
 * spread about evenly, as the moments at which a front passes are.
 */
export function sortEven(values: Float64Array): Float64Array {
  const n = values.length;
  let [low, high] = [Infinity, -Infinity];
  for (let at = 0; at < n; at++) {
    if (values[at]! < low) low = values[at]!;
    if (values[at]! > high) high = values[at]!;
  }
  const scale = (n - 1) / (high - low);
  if (!(scale > 0 && scale < Infinity)) return values.sort();
  const next = new Int32Array(n + 1);
  for (let at = 0; at < n; at++) {
    const bucket = ((values[at]! - low) * scale) | 0;
    next[bucket + 1] = next[bucket + 1]! + 1;
  }
  for (let bucket = 0; bucket < n; bucket++) next[bucket + 1] = next[bucket + 1]! + next[bucket]!;
  const given = values.slice();
  for (let at = 0; at < n; at++) {
    const bucket = ((given[at]! - low) * scale) | 0;
    const to = next[bucket]!;
    next[bucket] = to + 1;
    values[to] = given[at]!;
  }
  // A bucket now ends where the next of it would have come.
  for (let bucket = 0, from = 0; bucket < n; bucket++) {
    const end = next[bucket]!;
    if (end - from > FEW) values.subarray(from, end).sort();
    else {
      for (let at = from + 1; at < end; at++) {
        const value = values[at]!;
        let to = at;
        while (to > from && values[to - 1]! > value) {
          values[to] = values[to - 1]!;
          to--;
        }
        values[to] = value;
      }
    }
    from = end;
  }
  return values;
}
