/** The compiled twins of some kernels, where WebAssembly with SIMD runs; nobody but the kernels themselves knows of them. */
import { plainKernels, sharedKernels } from "./compiled-bytes.js";

type Kernel = (...numbers: number[]) => void;

/** What assembly/ exports: addresses in bytes, lengths in items; see the sources there. */
interface Exports {
  readonly blurFloats: Kernel;
  readonly convolve: Kernel;
  readonly crossSpectrum: Kernel;
  readonly highest: (...numbers: number[]) => number;
  readonly hill: Kernel;
  readonly divideEdges: Kernel;
  readonly divideWeights: Kernel;
  readonly explain: (...numbers: number[]) => number;
  readonly chemicalPotential: Kernel;
  readonly firstStage: Kernel;
  readonly nextStage: Kernel;
  readonly discFits: Kernel;
  readonly realFft2: Kernel;
  readonly realFft2Inverse: Kernel;
  readonly sampledBlur: Kernel;
  readonly slowRatio: (...numbers: number[]) => number;
  readonly sampleSpline: Kernel;
  readonly splineCoefficients: Kernel;
  readonly influenceSums: Kernel;
  readonly lightSums: Kernel;
  readonly shiftSums: Kernel;
  readonly coarseLight: Kernel;
  readonly fillLight: Kernel;
  readonly floatsOfSquares: Kernel;
  readonly floatsOfWords: Kernel;
  readonly openLight: Kernel;
  readonly zeroHoles: (...numbers: number[]) => number;
}

/** Arrays that kernels work on. */
type Numbers = Float64Array | Float32Array | Int32Array | Uint16Array | Uint8Array;

/** Compiled kernels with their own memory, one for each thread. */
export interface Compiled {
  readonly run: Exports;
  /**
   * Addresses, good until the next call, of arrays: where they lie, if that is in the kernels' memory, else of copies; and of
   * scratch of so many bytes for a number. Each begins at a multiple of 16.
   */
  lend(...wanted: readonly (Numbers | number)[]): number[];
  /** What a kernel wrote at an address from `lend` comes back into the array, unless it lies there itself. */
  fetch(array: Numbers, address: number): void;
  /** Whether an array lies in the kernels' memory. */
  holds(array: Numbers): boolean;
  /** Address of so many bytes that stay until they are given back. */
  allocate(bytes: number): number;
  giveBack(address: number, bytes: number): void;
  /** The memory as it is now; what lies in it stays in place when it grows. */
  buffer(): ArrayBufferLike;
}

const PAGE = 65_536;
const FIRST_PAGES = 16;
const MOST_PAGES = 16_384;
/** Below this nothing is given out: the compiler's own. */
const BASE = 1024;
const FIRST_SCRATCH = 1 << 18;

let made: Compiled | null | undefined;

/** The compiled kernels; null where they do not run, and plain TypeScript serves. */
export function compiledKernels(): Compiled | null {
  if (made === undefined) made = instantiate();
  return made;
}

function instantiate(): Compiled | null {
  const shared = typeof SharedArrayBuffer !== "undefined";
  try {
    const memory = new WebAssembly.Memory({ initial: FIRST_PAGES, maximum: MOST_PAGES, shared });
    const module = new WebAssembly.Module(bytesOf(shared ? sharedKernels : plainKernels));
    const { exports } = new WebAssembly.Instance(module, { env: { memory } });
    return withMemory(exports as unknown as Exports, memory);
  } catch {
    // No SIMD, or a page that forbids WebAssembly.
    return null;
  }
}

function withMemory(run: Exports, memory: WebAssembly.Memory): Compiled {
  // Every buffer that the memory had as it grew: arrays over an earlier one still lie in it, if threads may share it.
  const buffers = new WeakSet<ArrayBufferLike>();
  let end = BASE;
  let scratch = { at: 0, size: 0 };
  const free: { at: number; size: number }[] = [];
  const allocate = (bytes: number): number => {
    const size = rounded(bytes);
    const found = free.findIndex((one) => one.size >= size);
    if (found >= 0) {
      const one = free[found]!;
      const at = one.at;
      if (one.size === size) free.splice(found, 1);
      else free[found] = { at: at + size, size: one.size - size };
      return at;
    }
    const at = end;
    end += size;
    const missing = Math.ceil((end - memory.buffer.byteLength) / PAGE);
    if (missing > 0) memory.grow(missing);
    buffers.add(memory.buffer);
    return at;
  };
  const giveBack = (address: number, bytes: number): void => {
    free.push({ at: address, size: rounded(bytes) });
    free.sort((a, b) => a.at - b.at);
    for (let at = free.length - 1; at > 0; at--) {
      const [before, one] = [free[at - 1]!, free[at]!];
      if (before.at + before.size !== one.at) continue;
      before.size += one.size;
      free.splice(at, 1);
    }
  };
  return {
    run,
    lend(...wanted) {
      let size = 0;
      for (const one of wanted) {
        if (typeof one === "number") size += rounded(one);
        else if (!buffers.has(one.buffer)) size += rounded(one.byteLength);
      }
      if (size > scratch.size) {
        if (scratch.size > 0) giveBack(scratch.at, scratch.size);
        const more = Math.max(FIRST_SCRATCH, rounded(1.25 * size));
        scratch = { at: allocate(more), size: more };
      }
      let at = scratch.at;
      return wanted.map((one) => {
        if (typeof one !== "number" && buffers.has(one.buffer)) return one.byteOffset;
        const address = at;
        if (typeof one === "number") at += rounded(one);
        else {
          bytesIn(memory.buffer, address, one).set(bytesIn(one.buffer, one.byteOffset, one));
          at += rounded(one.byteLength);
        }
        return address;
      });
    },
    fetch(array, address) {
      if (buffers.has(array.buffer)) return;
      bytesIn(array.buffer, array.byteOffset, array).set(bytesIn(memory.buffer, address, array));
    },
    holds: (array) => buffers.has(array.buffer),
    allocate,
    giveBack,
    buffer: () => memory.buffer,
  };
}

/** Arrays that lie where the compiled kernels work, so that nothing is copied; they are gone once released. */
export interface Arena {
  floats(length: number): Float32Array;
  doubles(length: number): Float64Array;
  integers(length: number): Int32Array;
  words(length: number): Uint16Array;
  release(): void;
}

/**
 * A new arena, all of whose arrays begin as zeros. Where memory cannot be shared, or nothing is compiled, they are ordinary
 * arrays, which the kernels copy.
 */
export function newArena(): Arena {
  const compiled = compiledKernels();
  const taken: { readonly at: number; readonly bytes: number }[] = [];
  const place = (bytes: number): { readonly buffer: ArrayBufferLike; readonly at: number } => {
    if (compiled === null || !isShared(compiled.buffer())) return { buffer: new ArrayBuffer(bytes), at: 0 };
    const at = compiled.allocate(bytes);
    taken.push({ at, bytes });
    new Uint8Array(compiled.buffer(), at, bytes).fill(0);
    return { buffer: compiled.buffer(), at };
  };
  return {
    floats(length) {
      const { buffer, at } = place(4 * length);
      return new Float32Array(buffer, at, length);
    },
    doubles(length) {
      const { buffer, at } = place(8 * length);
      return new Float64Array(buffer, at, length);
    },
    integers(length) {
      const { buffer, at } = place(4 * length);
      return new Int32Array(buffer, at, length);
    },
    words(length) {
      const { buffer, at } = place(2 * length);
      return new Uint16Array(buffer, at, length);
    },
    release() {
      for (const { at, bytes } of taken.splice(0)) compiled!.giveBack(at, bytes);
    },
  };
}

/** An arena of ordinary arrays, which the garbage collector takes care of: for what is used a few times. */
export const ordinaryArrays: Arena = {
  floats: (length) => new Float32Array(length),
  doubles: (length) => new Float64Array(length),
  integers: (length) => new Int32Array(length),
  words: (length) => new Uint16Array(length),
  release: () => undefined,
};

function isShared(buffer: ArrayBufferLike): boolean {
  return typeof SharedArrayBuffer !== "undefined" && buffer instanceof SharedArrayBuffer;
}

function bytesIn(buffer: ArrayBufferLike, at: number, { byteLength }: Numbers): Uint8Array {
  return new Uint8Array(buffer, at, byteLength);
}

function rounded(bytes: number): number {
  return Math.ceil(bytes / 16) * 16;
}

function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (letter) => letter.codePointAt(0)!);
}
