/** Connected areas of a mask. */

/** Areas of a mask, numbered from 1. */
export interface Components {
  /** 0 outside the mask, else the number of the area. */
  readonly labels: Int32Array;
  readonly count: number;
  /** Pixels of each area; entry 0 counts nothing. */
  readonly area_px: Int32Array;
}

/** Numbers the areas of a mask, pixels joined by their sides, in the order of their first pixels. */
export function labelComponents(mask: Uint8Array, width: number, height: number): Components {
  const labels = new Int32Array(width * height);
  const queue = new Int32Array(width * height);
  const areas = [0];
  for (let start = 0; start < labels.length; start++) {
    if (mask[start] === 0 || labels[start] !== 0) continue;
    areas.push(flood(mask, labels, queue, width, height, start, areas.length));
  }
  return { labels, count: areas.length - 1, area_px: Int32Array.from(areas) };
}

/** The mask with its holes filled: pixels outside it from which no way by pixel sides leads out of the image. */
export function fillHoles(mask: Uint8Array, width: number, height: number): Uint8Array {
  const ground = new Uint8Array(width * height);
  for (let at = 0; at < ground.length; at++) ground[at] = mask[at] === 0 ? 1 : 0;
  const open = new Int32Array(width * height);
  const queue = new Int32Array(width * height);
  const enter = (at: number): void => {
    if (ground[at] === 1 && open[at] === 0) flood(ground, open, queue, width, height, at, 1);
  };
  for (let x = 0; x < width; x++) {
    enter(x);
    enter((height - 1) * width + x);
  }
  for (let y = 0; y < height; y++) {
    enter(y * width);
    enter(y * width + width - 1);
  }
  const filled = new Uint8Array(width * height);
  for (let at = 0; at < filled.length; at++) filled[at] = open[at] === 0 ? 1 : 0;
  return filled;
}

/** Labels the area of `start` and returns its pixel count. */
function flood(
  mask: Uint8Array,
  labels: Int32Array,
  queue: Int32Array,
  width: number,
  height: number,
  start: number,
  label: number,
): number {
  let head = 0;
  let tail = 0;
  labels[start] = label;
  queue[tail++] = start;
  while (head < tail) {
    const at = queue[head++]!;
    const x = at % width;
    if (x > 0 && mask[at - 1] !== 0 && labels[at - 1] === 0) {
      labels[at - 1] = label;
      queue[tail++] = at - 1;
    }
    if (x < width - 1 && mask[at + 1] !== 0 && labels[at + 1] === 0) {
      labels[at + 1] = label;
      queue[tail++] = at + 1;
    }
    if (at >= width && mask[at - width] !== 0 && labels[at - width] === 0) {
      labels[at - width] = label;
      queue[tail++] = at - width;
    }
    if (at < width * (height - 1) && mask[at + width] !== 0 && labels[at + width] === 0) {
      labels[at + width] = label;
      queue[tail++] = at + width;
    }
  }
  return tail;
}
