/** The current of a table of text held against its states and its twins: signs and units that slipped. */

/**
 * The current with its sign: cyclers that log its size alone tell the direction by a state, -1 where they discharge.
 * A current that is negative anywhere has its sign already.
 */
export function signedCurrent(
  current_mA: Float64Array | null,
  state: Float64Array | null,
  say: (sentence: string) => void,
): Float64Array | null {
  if (current_mA === null || state === null || current_mA.some((value) => value < 0)) return current_mA;
  let discharging = 0;
  for (let row = 0; row < state.length; row++) if (state[row]! < 0 && current_mA[row]! > 0) discharging++;
  if (discharging === 0) return current_mA;
  say(`the current has no sign: it was made negative in the ${discharging} rows whose state is discharge.`);
  return current_mA.map((value, row) => (state[row]! < 0 ? -value : value));
}

/** Says where a file holds the same current twice, in different sizes: one of the units is wrong. */
export function compareCurrents(
  current_mA: Float64Array | null,
  second_mA: Float64Array | null,
  names: readonly [string, string],
  say: (sentence: string) => void,
): void {
  if (current_mA === null || second_mA === null) return;
  const ratio = slope(current_mA, second_mA);
  if (ratio === null || Math.abs(ratio - 1) < 0.01) return;
  const [first, second] = names;
  say(
    `the column ${second} holds ${Number(ratio.toPrecision(4))} times the current of ${first}: the unit of one is wrong. ` +
      `${first} was used; charge and C-rates scale with it.`,
  );
}

/** The factor from one column to another by least squares; null where either is all zero or unknown. */
function slope(from: Float64Array, to: Float64Array): number | null {
  let xx = 0;
  let xy = 0;
  for (let at = 0; at < from.length; at++) {
    const [x, y] = [from[at]!, to[at]!];
    if (!Number.isFinite(x) || !Number.isFinite(y)) continue;
    xx += x * x;
    xy += x * y;
  }
  return xx === 0 || xy === 0 ? null : xy / xx;
}
