/** How deep the ground lies beside a maximum. */

/** The lowest value between a maximum and the next higher one, or the end, on one side. */
export function valleyBeside(value: ArrayLike<number>, peak: number, side: -1 | 1): number {
  let lowest = value[peak]!;
  for (let at = peak + side; at >= 0 && at < value.length && value[at]! <= value[peak]!; at += side) {
    lowest = Math.min(lowest, value[at]!);
  }
  return lowest;
}
