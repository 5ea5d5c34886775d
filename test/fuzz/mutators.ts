/** Ways in which files go wrong, or are made to: each takes a seeded source of numbers and gives changed bytes. */
import type { Random } from "../../src/kernels/random.js";

type Mutator = (bytes: Uint8Array, random: Random) => Uint8Array;

/** Numbers that lengths, offsets and counts are replaced by. */
const odd = [
  0, 1, 2, 3, 7, 8, 255, 256, 0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff,
];

function place(bytes: Uint8Array, random: Random, width = 1): number {
  const room = Math.max(1, bytes.length - width + 1);
  // Headers are where the numbers are: half of the places are near the beginning, and some at the very end.
  const draw = random.uniform();
  if (draw < 0.5) return random.integer(Math.min(room, 128));
  if (draw < 0.6) return Math.max(0, room - 1 - random.integer(Math.min(room, 64)));
  return random.integer(room);
}

function changed(bytes: Uint8Array, change: (copy: Uint8Array, view: DataView) => void): Uint8Array {
  const copy = bytes.slice();
  change(copy, new DataView(copy.buffer));
  return copy;
}

const flipBits: Mutator = (bytes, random) =>
  changed(bytes, (copy) => {
    const count = 1 + random.integer(8);
    for (let flip = 0; flip < count; flip++) copy[place(copy, random)]! ^= 1 << random.integer(8);
  });

const setNumber: Mutator = (bytes, random) =>
  changed(bytes, (copy, view) => {
    const width = [1, 2, 4, 8][random.integer(4)]!;
    if (copy.length < width) return;
    const at = place(copy, random, width);
    const little = random.uniform() < 0.7;
    const value = random.uniform() < 0.2 ? copy.length + random.integer(64) - 32 : odd[random.integer(odd.length)]!;
    if (width === 1) copy[at] = value;
    else if (width === 2) view.setUint16(at, value & 0xffff, little);
    else if (width === 4) view.setUint32(at, value >>> 0, little);
    else view.setBigUint64(at, random.uniform() < 0.5 ? BigInt(value) : (1n << 64n) - BigInt(value + 1), little);
  });

const nudgeNumber: Mutator = (bytes, random) =>
  changed(bytes, (copy, view) => {
    if (copy.length < 4) return;
    const at = place(copy, random, 4);
    const little = random.uniform() < 0.7;
    view.setUint32(at, (view.getUint32(at, little) + random.integer(9) - 4) >>> 0, little);
  });

const cut: Mutator = (bytes, random) => bytes.slice(0, random.integer(bytes.length + 1));

const cutFront: Mutator = (bytes, random) => bytes.slice(random.integer(Math.min(bytes.length, 64) + 1));

const repeatPart: Mutator = (bytes, random) => {
  const at = place(bytes, random);
  const part = bytes.subarray(at, at + 1 + random.integer(64));
  const times = random.uniform() < 0.1 ? 2000 : 1 + random.integer(4);
  return joined([bytes.subarray(0, at), ...Array.from({ length: times }, () => part), bytes.subarray(at)]);
};

const dropPart: Mutator = (bytes, random) => {
  const at = place(bytes, random);
  return joined([bytes.subarray(0, at), bytes.subarray(at + 1 + random.integer(64))]);
};

const movePart: Mutator = (bytes, random) =>
  changed(bytes, (copy) => {
    const from = place(copy, random);
    copy.copyWithin(place(copy, random), from, from + 1 + random.integer(64));
  });

const fill: Mutator = (bytes, random) =>
  changed(bytes, (copy) => {
    const at = place(copy, random);
    copy.fill([0, 0xff, 0x20][random.integer(3)]!, at, at + 1 + random.integer(256));
  });

const append: Mutator = (bytes, random) => {
  const more = new Uint8Array(random.integer(512));
  if (random.uniform() < 0.5) for (let at = 0; at < more.length; at++) more[at] = random.integer(256);
  return joined([bytes, more]);
};

const binary: readonly Mutator[] = [
  flipBits,
  setNumber,
  setNumber,
  setNumber,
  nudgeNumber,
  cut,
  cutFront,
  repeatPart,
  dropPart,
  movePart,
  fill,
  append,
];

/** Turns bytes to text one to one, so that what is not touched stays as it was. */
const latin = {
  of: (bytes: Uint8Array): string => {
    let text = "";
    for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
    return text;
  },
  bytes: (text: string): Uint8Array => Uint8Array.from(text, (letter) => letter.charCodeAt(0) & 0xff),
};

function onText(change: (text: string, random: Random) => string): Mutator {
  return (bytes, random) => latin.bytes(change(latin.of(bytes), random));
}

function pick<T>(list: readonly T[], random: Random): T {
  return list[random.integer(list.length)]!;
}

const oddNumbers = [
  "-1",
  "0",
  "1e308",
  "-1e308",
  "1e400",
  "NaN",
  "inf",
  "2147483648",
  "18446744073709551616",
  "1,5",
  "",
];

const replaceNumber = onText((text, random) => {
  const found = [...text.matchAll(/-?\d+(\.\d+)?/g)];
  if (found.length === 0) return text;
  const match = pick(found, random);
  return text.slice(0, match.index) + pick(oddNumbers, random) + text.slice(match.index + match[0].length);
});

const changeLines = onText((text, random) => {
  const lines = text.split("\n");
  const at = random.integer(lines.length);
  const what = random.integer(5);
  if (what === 0) lines.splice(at, 1);
  else if (what === 1) lines.splice(at, 0, ...Array.from({ length: 1 + random.integer(200) }, () => lines[at]!));
  else if (what === 2) lines[at] = (lines[at] ?? "").slice(0, random.integer((lines[at]?.length ?? 0) + 1));
  else if (what === 3) lines[at] = `${lines[at]}${"\t,;"[random.integer(3)]}${lines[at]}`;
  else lines[at] = "x".repeat(random.integer(100_000));
  return lines.join("\n");
});

const swapMarks = onText((text, random) => {
  const [from, to] = pick(
    [
      ["\t", ","],
      [",", ";"],
      [".", ","],
      ["\n", "\r"],
      ['"', ""],
      ["<", ""],
      ["}", ""],
      ["]", ""],
    ] as const,
    random,
  );
  return random.uniform() < 0.5 ? text.replaceAll(from, to) : text.replace(from, to);
});

const nest = onText((text, random) => {
  const depth = 1 + random.integer(20_000);
  const at = random.integer(text.length + 1);
  const [open, close] = pick(
    [
      ["[", "]"],
      ['{"a":', "}"],
      ["<a>", "</a>"],
      ['"', '"'],
      ["(", ")"],
    ] as const,
    random,
  );
  const shut = random.uniform() < 0.5 ? close.repeat(depth) : "";
  return `${text.slice(0, at)}${open.repeat(depth)}${shut}${text.slice(at)}`;
});

const entities = onText((text, random) => {
  const levels = Array.from({ length: 12 }, (_, level) => {
    const inner = level === 0 ? "lol" : `&e${level - 1};`.repeat(10);
    return `<!ENTITY e${level} "${inner}">`;
  });
  const type = `<!DOCTYPE x [${levels.join("")}]>`;
  const at = text.indexOf("<", 1);
  const body = at < 0 ? text : text.slice(0, at) + type + text.slice(at);
  return random.uniform() < 0.5 ? body.replace(/>([^<]*)</, ">&e11;<") : body.replace(/="[^"]*"/, '="&e11;"');
});

const textual: readonly Mutator[] = [replaceNumber, replaceNumber, changeLines, changeLines, swapMarks, nest, entities];

/** One file changed in one to three ways; text is changed as text, and now and then as bytes. */
export function mutate(bytes: Uint8Array, random: Random): Uint8Array {
  let result = bytes;
  const ways = 1 + random.integer(3);
  for (let way = 0; way < ways; way++) {
    const asText = looksLikeText(result) ? random.uniform() < 0.7 : random.uniform() < 0.05;
    result = pick(asText ? textual : binary, random)(result, random);
    if (result.length > largest) result = result.slice(0, largest);
  }
  return result;
}

/** No mutated file grows beyond this: what is allocated for it is judged against its size. */
export const largest = 1 << 20;

function looksLikeText(bytes: Uint8Array): boolean {
  return bytes.subarray(0, 512).every((byte) => byte >= 32 || (byte >= 9 && byte <= 13));
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
