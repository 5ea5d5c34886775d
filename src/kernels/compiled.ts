/** The compiled twins of some kernels, where WebAssembly with SIMD runs; nobody but the kernels themselves knows of them. */
import { plainKernels, sharedKernels } from "./compiled-bytes.js";

/** What assembly/ exports; all are addresses in bytes, lengths in items. */
interface Exports {
  convolve(values: number, width: number, height: number, half: number, reach: number, row: number, kept: number): void;
}

/** Compiled kernels with their own memory, one for each thread. */
export interface Compiled {
  readonly run: Exports;
  /** Addresses of stretches of so many bytes, in place until the next call; each begins at a multiple of 16. */
  reserve(...bytes: readonly number[]): number[];
  /** What lies there; to be asked for anew after every reserve. */
  doubles(address: number, length: number): Float64Array;
}

const PAGE = 65_536;
const FIRST_PAGES = 16;
const MOST_PAGES = 16_384;
/** Below this nothing is given out: the compiler's own. */
const BASE = 1024;

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
    return {
      run: exports as unknown as Exports,
      reserve(...bytes) {
        let end = BASE;
        const addresses = bytes.map((length) => {
          const at = end;
          end += Math.ceil(length / 16) * 16;
          return at;
        });
        const missing = Math.ceil((end - memory.buffer.byteLength) / PAGE);
        if (missing > 0) memory.grow(missing);
        return addresses;
      },
      doubles: (address, length) => new Float64Array(memory.buffer, address, length),
    };
  } catch {
    // No SIMD, or a page that forbids WebAssembly.
    return null;
  }
}

function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (letter) => letter.codePointAt(0)!);
}
