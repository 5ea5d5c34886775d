import * as fc from "fast-check";
import { expect, test } from "vitest";
import { samplesFor } from "../../test/tiff-builder.js";
import { FormatError } from "../model/errors.js";
import type { MovieFile, Samples } from "../model/movie.js";
import { memorySource } from "./bytes.js";
import { encodeNpy } from "./npy-write.js";
import { openNpy } from "./npy.js";

/** A .npy file with any header, its samples as given. */
function npy(header: string, samples: Uint8Array, version = 1): Uint8Array {
  const length =
    version === 1 ? [header.length & 255, header.length >> 8] : [header.length & 255, header.length >> 8, 0, 0];
  const head = [0x93, ...[..."NUMPY"].map((letter) => letter.charCodeAt(0)), version, 0, ...length];
  return Uint8Array.from([...head, ...new TextEncoder().encode(header), ...samples]);
}

async function frame(movie: MovieFile, index: number): Promise<number[]> {
  const { dtype, width, height } = movie;
  const into = samplesFor(
    Number(/\d+$/.exec(dtype)![0]),
    dtype.startsWith("f") ? 3 : dtype.startsWith("i") ? 2 : 1,
    width * height,
  );
  await movie.read(index, into);
  return [...into];
}

const kinds = [
  ["u1", 8, 1],
  ["i1", 8, 2],
  ["u2", 16, 1],
  ["i2", 16, 2],
  ["u4", 32, 1],
  ["i4", 32, 2],
  ["f4", 32, 3],
  ["f8", 64, 3],
] as const;

test("a stack of any type, byte order and axis order is read as its frames", async () => {
  const stacks = fc.record({
    kind: fc.constantFrom(...kinds),
    shape: fc.tuple(fc.integer({ min: 2, max: 5 }), fc.integer({ min: 2, max: 6 }), fc.integer({ min: 2, max: 7 })),
    big: fc.boolean(),
    fortran: fc.boolean(),
    version: fc.constantFrom(1, 2, 3),
    flat: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(stacks, async ({ kind: [type, bits, format], shape, big, fortran, version, flat }) => {
      const [frames, height, width] = flat ? [1, shape[1], shape[2]] : shape;
      const value = (t: number, y: number, x: number): number =>
        ((t * 31 + y * 7 + x * 3) % 50) - (format === 1 ? 0 : 20);
      const axes = flat ? [height, width] : [frames, height, width];
      const samples = samplesFor(bits, format, frames * height * width);
      for (let t = 0; t < frames; t++) {
        for (let y = 0; y < height; y++) {
          for (let x = 0; x < width; x++) {
            const at = fortran ? t + frames * (y + height * x) : (t * height + y) * width + x;
            samples[at] = value(t, y, x);
          }
        }
      }
      const bytes = new Uint8Array(samples.buffer).slice();
      if (big) for (let at = 0; at < bytes.length; at += bits / 8) bytes.subarray(at, at + bits / 8).reverse();
      const header = `{'descr': '${bits === 8 ? "|" : big ? ">" : "<"}${type}', 'fortran_order': ${fortran ? "True" : "False"}, 'shape': (${axes.join(", ")}), }\n`;
      const movie = await openNpy(memorySource("stack.npy", npy(header, bytes, version)));
      expect(movie).toMatchObject({ format: "npy", frames, width, height, warnings: [] });
      for (const t of [...Array(frames).keys()].reverse()) {
        const wanted = Array.from({ length: width * height }, (_, at) => value(t, Math.floor(at / width), at % width));
        expect(await frame(movie, t)).toEqual(wanted);
      }
    }),
    { numRuns: 80 },
  );
});

test("what we write is what we read", async () => {
  const samples = Float32Array.from({ length: 24 }, (_, at) => at / 3);
  const movie = await openNpy(memorySource("ours.npy", encodeNpy(samples, [2, 3, 4])));
  expect(await frame(movie, 1)).toEqual([...samples.subarray(12)]);
});

test("axes of one entry are passed over; one that is the image's own stays", async () => {
  const samples: Samples = Uint8Array.from({ length: 12 }, (_, at) => at);
  const shapes: [number[], [frames: number, height: number, width: number]][] = [
    [
      [2, 1, 2, 3],
      [2, 2, 3],
    ],
    [
      [1, 12, 1],
      [1, 12, 1],
    ],
    [
      [1, 1, 12],
      [1, 1, 12],
    ],
    [
      [1, 3, 4],
      [1, 3, 4],
    ],
  ];
  for (const [shape, [frames, height, width]] of shapes) {
    const movie = await openNpy(memorySource("stack.npy", encodeNpy(samples, shape)));
    expect(movie).toMatchObject({ frames, height, width });
  }
});

test("a file that was cut is used up to the cut", async () => {
  const whole = encodeNpy(
    Uint16Array.from({ length: 40 }, (_, at) => at),
    [10, 2, 2],
  );
  const movie = await openNpy(memorySource("cut.npy", whole.subarray(0, whole.length - 17)));
  expect(movie.frames).toBe(7);
  expect(movie.warnings).toEqual(["the file is cut off: 3 of 10 frames are missing, the first 7 are used."]);
  await expect(openNpy(memorySource("cut.npy", whole.subarray(0, 130)))).rejects.toThrow(/first frame.*Copy it again/);
});

test("what is no movie is refused with its type or shape and a cure", async () => {
  const header = (descr: string, shape: string): string =>
    `{'descr': ${descr}, 'fortran_order': False, 'shape': ${shape}, }`;
  const cases: [string, RegExp][] = [
    [header("'<i8'", "(2, 2)"), /i8.*uint16/],
    [header("'<c8'", "(2, 2)"), /c8/],
    [header("[('a', '<f4')]", "(2,)"), /plain array/],
    [header("'|O'", "(2, 2)"), /plain array/],
    [header("'<u2'", "(9,)"), /shape/],
    [header("'<u2'", "()"), /shape/],
    [header("'<u2'", "(2, 3, 4, 5)"), /shape is \(2, 3, 4, 5\)/],
    [header("'<u2'", "(0, 4, 5)"), /shape/],
    [header("'<u2'", "(99999999999, 4, 5)"), /larger/],
    ["nonsense", /plain array/],
  ];
  for (const [text, words] of cases) {
    const source = memorySource("odd.npy", npy(text, new Uint8Array(64)));
    await expect(openNpy(source)).rejects.toThrow(FormatError);
    await expect(openNpy(source)).rejects.toThrow(words);
  }
  await expect(openNpy(memorySource("odd.npy", npy("{}", new Uint8Array(), 9)))).rejects.toThrow(/version 9/);
});

test("half floats are read as whole ones, in either byte and memory order", async () => {
  const values = [0, 1, -2, 0.5, 65504, 2 ** -24];
  const bits = [0, 0x3c00, 0xc000, 0x3800, 0x7bff, 1];
  for (const [order, low] of [
    ["<", 0],
    [">", 1],
  ] as const) {
    const samples = Uint8Array.from(
      bits.flatMap((half) => (low === 0 ? [half & 255, half >> 8] : [half >> 8, half & 255])),
    );
    const header = `{'descr': '${order}f2', 'fortran_order': False, 'shape': (2, 3), }`;
    const stack = await openNpy(memorySource("a.npy", npy(header, samples)));
    expect([stack.dtype, stack.width, stack.height]).toEqual(["float32", 3, 2]);
    expect(await frame(stack, 0)).toEqual(values);
    const columns = header.replace("False", "True");
    expect(await frame(await openNpy(memorySource("a.npy", npy(columns, samples))), 0)).toEqual(
      [0, 2, 4, 1, 3, 5].map((at) => values[at]),
    );
  }
});
