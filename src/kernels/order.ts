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
