/** The order of numbers. */

const BITS = 11;
const BUCKETS = 1 << BITS;

/** Places of the finite values from the least to the greatest, those of equal ones in their own order. */
export function orderOf(values: Float32Array): Int32Array {
  const n = values.length;
  const bits = new Uint32Array(Float32Array.from(values, (value) => value + 0).buffer);
  let order = new Int32Array(n);
  let known = 0;
  for (let at = 0; at < n; at++) {
    const value = values[at]!;
    if (value - value !== 0) continue;
    const own = bits[at]!;
    // So that greater numbers have greater bits: all of them are turned below zero, the sign alone above.
    bits[at] = (own & 0x80000000) !== 0 ? ~own : own | 0x80000000;
    order[known++] = at;
  }
  order = order.subarray(0, known);
  let other = new Int32Array(known);
  const first = new Int32Array(BUCKETS + 1);
  for (let shift = 0; shift < 32; shift += BITS) {
    first.fill(0);
    for (let k = 0; k < known; k++) first[((bits[order[k]!]! >>> shift) & (BUCKETS - 1)) + 1]!++;
    for (let bucket = 0; bucket < BUCKETS; bucket++) first[bucket + 1]! += first[bucket]!;
    for (let k = 0; k < known; k++) {
      const at = order[k]!;
      const bucket = (bits[at]! >>> shift) & (BUCKETS - 1);
      other[first[bucket]!++] = at;
    }
    [order, other] = [other, order];
  }
  return order;
}
