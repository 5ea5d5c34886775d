/**
 * The two passes of a stage of a phase-field step: the twins in src/physics/phase-field-kernel.ts, to the last bit.
 *
 * All rasters are doubles with `stride` cells in a row; `runs` are i32 pairs, the first cell of an unbroken row of cells and the
 * one after its last. A raster's cell right of a run is scratch.
 */

const F64: usize = 8;

/** What passes the left faces of two cells: that of the right face of the cell before, and of the first of the two. */
function leftOf(before: v128, right: v128): v128 {
  return v128.shuffle<f64>(before, right, 1, 2);
}

/** Copies a run's last value into the place right of it, so that its closed face has no gradient. */
function closeRun(raster: usize, to: i32): void {
  const end = raster + <usize>to * F64;
  store<f64>(end, load<f64>(end - F64));
}

/**
 * Pass 1: chemical potential and mobility from lithium `x`, `below` the differences through the faces below. `nodes`: pairs of
 * mu and mobility, the last but one of which is number `lastNode`.
 */
export function chemicalPotential(
  runs: usize,
  runCount: i32,
  stride: i32,
  openBelow: usize,
  nodes: usize,
  lastNode: i32,
  least: f64,
  perStep: f64,
  stiffness: f64,
  x: usize,
  mu: usize,
  mobility: usize,
  below: usize,
): void {
  const row = <usize>stride * F64;
  const leasts = f64x2.splat(least);
  const perSteps = f64x2.splat(perStep);
  const stiff = f64x2.splat(stiffness);
  const noNode = i32x4.splat(0);
  const lastNodes = i32x4.splat(lastNode);
  for (let run = 0; run < runCount; run++) {
    const from = load<i32>(runs + ((<usize>run) << 3));
    const to = load<i32>(runs + ((<usize>run) << 3), 4);
    closeRun(x, to);
    let before = f64x2.splat(0);
    const end = <usize>(to - 1) * F64;
    let off = <usize>from * F64;
    for (; off < end; off += 2 * F64) {
      const here = v128.load(x + off);
      const right = f64x2.sub(v128.load(x + off, 8), here);
      const down = f64x2.mul(v128.load(openBelow + off), f64x2.sub(v128.load(x + off + row), here));
      const across = f64x2.sub(right, leftOf(before, right));
      const lap = f64x2.sub(f64x2.add(across, down), v128.load(below + off - row));
      before = right;
      v128.store(below + off, down);
      const place = f64x2.mul(f64x2.sub(here, leasts), perSteps);
      const node = i32x4.min_s(lastNodes, i32x4.max_s(noNode, i32x4.trunc_sat_f64x2_s_zero(place)));
      const part = f64x2.sub(place, f64x2.convert_low_i32x4_s(node));
      const p = nodes + ((<usize>i32x4.extract_lane(node, 0)) << 4);
      const q = nodes + ((<usize>i32x4.extract_lane(node, 1)) << 4);
      const a = v128.load(p);
      const b = v128.load(q);
      const c = v128.load(p, 16);
      const d = v128.load(q, 16);
      const m = v128.shuffle<f64>(a, b, 0, 2);
      const k = v128.shuffle<f64>(a, b, 1, 3);
      const bulk = f64x2.add(m, f64x2.mul(part, f64x2.sub(v128.shuffle<f64>(c, d, 0, 2), m)));
      v128.store(mu + off, f64x2.sub(bulk, f64x2.mul(stiff, lap)));
      v128.store(mobility + off, f64x2.add(k, f64x2.mul(part, f64x2.sub(v128.shuffle<f64>(c, d, 1, 3), k))));
    }
    if (off === end) {
      const here = load<f64>(x + off);
      const right = load<f64>(x + off, 8) - here;
      const down = load<f64>(openBelow + off) * (load<f64>(x + off + row) - here);
      const lap = right - f64x2.extract_lane(before, 1) + down - load<f64>(below + off - row);
      store<f64>(below + off, down);
      const place = (here - least) * perStep;
      const node = min(lastNode, max(0, i32x4.extract_lane(i32x4.trunc_sat_f64x2_s_zero(f64x2.splat(place)), 0)));
      const part = place - <f64>node;
      const p = nodes + ((<usize>node) << 4);
      const m = load<f64>(p);
      const k = load<f64>(p, 8);
      store<f64>(mu + off, m + part * (load<f64>(p, 16) - m) - stiffness * lap);
      store<f64>(mobility + off, k + part * (load<f64>(p, 24) - k));
    }
  }
}

/** What flows into two cells through their faces, with that through the faces below into `below`. */
function flow(mu: usize, mobility: usize, openBelow: usize, below: usize, row: usize, right: v128, before: v128): v128 {
  const here = v128.load(mu);
  const conductive = f64x2.mul(v128.load(openBelow), f64x2.add(v128.load(mobility), v128.load(mobility + row)));
  const down = f64x2.mul(conductive, f64x2.sub(v128.load(mu + row), here));
  const across = f64x2.sub(right, leftOf(before, right));
  const flux = f64x2.sub(f64x2.add(across, down), v128.load(below - row));
  v128.store(below, down);
  return flux;
}

/** What flows through the right faces of two cells. */
function rightward(mu: usize, mobility: usize): v128 {
  const conductive = f64x2.add(v128.load(mobility), v128.load(mobility, 8));
  return f64x2.mul(conductive, f64x2.sub(v128.load(mu, 8), v128.load(mu)));
}

/** What flows into one cell, `left` through its left face; as `flow`. */
function flowOfOne(mu: usize, mobility: usize, openBelow: usize, below: usize, row: usize, left: f64): f64 {
  const right = (load<f64>(mobility) + load<f64>(mobility, 8)) * (load<f64>(mu, 8) - load<f64>(mu));
  const down =
    load<f64>(openBelow) * (load<f64>(mobility) + load<f64>(mobility + row)) * (load<f64>(mu + row) - load<f64>(mu));
  const flux = right - left + down - load<f64>(below - row);
  store<f64>(below, down);
  return flux;
}

/** Pass 2 of the first stage: `rate` = perArea flow, `last` = start + weight rate. */
export function firstStage(
  runs: usize,
  runCount: i32,
  stride: i32,
  openBelow: usize,
  mu: usize,
  mobility: usize,
  below: usize,
  perArea: f64,
  weight: f64,
  rate: usize,
  start: usize,
  last: usize,
): void {
  const row = <usize>stride * F64;
  const perAreas = f64x2.splat(perArea);
  const weights = f64x2.splat(weight);
  for (let run = 0; run < runCount; run++) {
    const from = load<i32>(runs + ((<usize>run) << 3));
    const to = load<i32>(runs + ((<usize>run) << 3), 4);
    closeRun(mu, to);
    let before = f64x2.splat(0);
    const end = <usize>(to - 1) * F64;
    let off = <usize>from * F64;
    for (; off < end; off += 2 * F64) {
      const right = rightward(mu + off, mobility + off);
      const flux = flow(mu + off, mobility + off, openBelow + off, below + off, row, right, before);
      before = right;
      const change = f64x2.mul(perAreas, flux);
      v128.store(rate + off, change);
      v128.store(last + off, f64x2.add(v128.load(start + off), f64x2.mul(weights, change)));
    }
    if (off === end) {
      const left = f64x2.extract_lane(before, 1);
      const change = perArea * flowOfOne(mu + off, mobility + off, openBelow + off, below + off, row, left);
      store<f64>(rate + off, change);
      store<f64>(last + off, load<f64>(start + off) + weight * change);
    }
  }
}

/** Pass 2 of a later stage: `before` = onLast last + onBefore before + onStart start + onRate rate + onFlux flow. */
export function nextStage(
  runs: usize,
  runCount: i32,
  stride: i32,
  openBelow: usize,
  mu: usize,
  mobility: usize,
  below: usize,
  onLast: f64,
  onBefore: f64,
  onStart: f64,
  onRate: f64,
  onFlux: f64,
  last: usize,
  before: usize,
  start: usize,
  rate: usize,
): void {
  const row = <usize>stride * F64;
  const a = f64x2.splat(onLast);
  const b = f64x2.splat(onBefore);
  const c = f64x2.splat(onStart);
  const d = f64x2.splat(onRate);
  const e = f64x2.splat(onFlux);
  for (let run = 0; run < runCount; run++) {
    const from = load<i32>(runs + ((<usize>run) << 3));
    const to = load<i32>(runs + ((<usize>run) << 3), 4);
    closeRun(mu, to);
    let passed = f64x2.splat(0);
    const end = <usize>(to - 1) * F64;
    let off = <usize>from * F64;
    for (; off < end; off += 2 * F64) {
      const right = rightward(mu + off, mobility + off);
      const flux = flow(mu + off, mobility + off, openBelow + off, below + off, row, right, passed);
      passed = right;
      let sum = f64x2.add(f64x2.mul(a, v128.load(last + off)), f64x2.mul(b, v128.load(before + off)));
      sum = f64x2.add(sum, f64x2.mul(c, v128.load(start + off)));
      sum = f64x2.add(sum, f64x2.mul(d, v128.load(rate + off)));
      v128.store(before + off, f64x2.add(sum, f64x2.mul(e, flux)));
    }
    if (off === end) {
      const left = f64x2.extract_lane(passed, 1);
      const flux = flowOfOne(mu + off, mobility + off, openBelow + off, below + off, row, left);
      let sum = onLast * load<f64>(last + off) + onBefore * load<f64>(before + off);
      sum = sum + onStart * load<f64>(start + off) + onRate * load<f64>(rate + off);
      store<f64>(before + off, sum + onFlux * flux);
    }
  }
}
