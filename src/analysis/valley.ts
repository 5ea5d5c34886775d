/** How deep the ground lies beside a maximum. */

/** The lowest value between a maximum and the next higher one, or the end, on one side. */
export function valleyBeside(value: ArrayLike<number>, peak: number, side: -1 | 1): number {
  return value[valleyPlace(value, peak, side)]!;
}

/** Where that value stands; the maximum itself where a higher one follows at once. */
export function valleyPlace(value: ArrayLike<number>, peak: number, side: -1 | 1): number {
  let lowest = peak;
  for (let at = peak + side; at >= 0 && at < value.length && value[at]! <= value[peak]!; at += side) {
    if (value[at]! < value[lowest]!) lowest = at;
  }
  return lowest;
}
