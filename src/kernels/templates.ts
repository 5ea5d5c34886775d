/** How much each of many templates explains of a time course. */
import { type Arena, compiledKernels } from "./compiled.js";

/** Templates by number, made one by one as they are wanted. */
export interface TemplateBlock {
  readonly count: number;
  /** Where in a course each begins, how long it is (0 while it is not made), and where its values begin in `data`. */
  readonly first: Int32Array;
  readonly length: Int32Array;
  readonly offset: Int32Array;
  /** Sum of squares of each. */
  readonly norm2: Float64Array;
  data: Float32Array;
  /** Values in `data`. */
  filled: number;
  readonly arena: Arena;
}

/** Room for `count` templates, of about `length` values each. */
export function templateBlock(count: number, length: number, arena: Arena): TemplateBlock {
  return {
    count,
    first: arena.integers(count),
    length: arena.integers(count),
    offset: arena.integers(count),
    norm2: arena.doubles(count),
    data: arena.floats(Math.min(count, FIRST) * length),
    filled: 0,
    arena,
  };
}

/** Templates for which a block has room at first. */
const FIRST = 16;

/** Puts template k into its place; the sum of the squares of its values beside it. */
export function setTemplate(block: TemplateBlock, k: number, first: number, values: Float64Array, norm2: number): void {
  if (block.filled + values.length > block.data.length) {
    const larger = block.arena.floats(2 * block.data.length + values.length);
    larger.set(block.data.subarray(0, block.filled));
    block.data = larger;
  }
  block.first[k] = first;
  block.length[k] = values.length;
  block.offset[k] = block.filled;
  block.norm2[k] = norm2;
  block.data.set(values, block.filled);
  block.filled += values.length;
}

/**
 * What templates `from` ... `end` - 1 explain of the course that begins at `at` in `values`, (sum of template times course)^2 /
 * norm2, into the same places of `into`; -1 where that sum has not the wanted sign (0 for either). Gives the first of the
 * greatest, -1 where none is above 0. Compiled, in single precision, where that runs and all lies in its memory.
 */
export function explain(
  block: TemplateBlock,
  values: Float32Array,
  at: number,
  from: number,
  end: number,
  sign: -1 | 0 | 1,
  into: Float64Array,
): number {
  const compiled = compiledKernels();
  const there = compiled?.holds(values) === true && compiled.holds(block.data) && compiled.holds(into);
  if (!there) return explainPlain(block, values, at, from, end, sign, into);
  const { first, length, offset, norm2, data } = block;
  return compiled.run.explain(
    values.byteOffset + 4 * at,
    first.byteOffset,
    length.byteOffset,
    offset.byteOffset,
    norm2.byteOffset,
    data.byteOffset,
    from,
    end,
    sign,
    into.byteOffset,
  );
}

/** The same in TypeScript. */
export function explainPlain(
  { first, length, offset, norm2, data }: TemplateBlock,
  values: Float32Array,
  at: number,
  from: number,
  end: number,
  sign: -1 | 0 | 1,
  into: Float64Array,
): number {
  let best = -1;
  let most = 0;
  for (let k = from; k < end; k++) {
    const start = at + first[k]!;
    let dot = 0;
    for (let j = 0; j < length[k]!; j++) dot += data[offset[k]! + j]! * values[start + j]!;
    const explained = sign * dot >= 0 ? (dot * dot) / norm2[k]! : -1;
    into[k] = explained;
    if (explained > most) {
      most = explained;
      best = k;
    }
  }
  return best;
}
