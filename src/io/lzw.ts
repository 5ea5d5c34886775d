/**
 * LZW as TIFF 6.0, section 13 writes it: codes of 9 to 12 bits, highest bit first, widened one code early.
 *
 * The older form, of TIFF 5.0 before 1992, has the lowest bit first and widens when the codes are full. Both begin with
 * the code that clears the table, so that the older one's first bytes are 0 and an odd one.
 */

const clear = 256;
const end = 257;

/**
 * Decodes at most `size` bytes and never grows beyond it.
 * Throws RangeError where a code stands for nothing yet.
 */
export function decodeLzw(stored: Uint8Array, size: number): Uint8Array {
  const old = stored[0] === 0 && (stored[1]! & 1) === 1;
  const early = old ? 0 : 1;
  const out = new Uint8Array(size);
  // Where the string of each code stands in what is already decoded, and how long it is.
  const starts = new Int32Array(4097);
  const lengths = new Int32Array(4097);
  let codes = 258;
  let bits = 9;
  let held = 0;
  let heldBits = 0;
  let at = 0;
  let written = 0;
  let lastStart = -1;
  let lastLength = 0;
  while (written < size) {
    while (heldBits < bits) {
      if (at === stored.length) return out.subarray(0, written);
      held = old ? held | (stored[at++]! << heldBits) : ((held << 8) | stored[at++]!) & 0xffffff;
      heldBits += 8;
    }
    const code = (old ? held : held >> (heldBits - bits)) & ((1 << bits) - 1);
    heldBits -= bits;
    if (old) held >>= bits;
    if (code === end) break;
    if (code === clear) {
      codes = 258;
      bits = 9;
      lastStart = -1;
      continue;
    }
    // A new string is the last one and its successor's first byte, which follow each other in the output.
    if (lastStart >= 0 && codes < 4096) {
      starts[codes] = lastStart;
      lengths[codes] = lastLength + 1;
      codes++;
    }
    if (code >= codes || (code >= 258 && lastStart < 0)) {
      throw new RangeError(`LZW code ${code} where ${codes} are known`);
    }
    const from = written;
    if (code < 256) out[written++] = code;
    else {
      const start = starts[code]!;
      const stop = Math.min(lengths[code]!, size - written);
      for (let index = 0; index < stop; index++) out[written++] = out[start + index]!;
    }
    lastStart = from;
    lastLength = written - from;
    if (codes + early >= 1 << bits && bits < 12) bits++;
  }
  return out.subarray(0, written);
}
