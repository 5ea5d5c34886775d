import * as fc from "fast-check";
import { expect, test } from "vitest";
import { FormatError } from "../model/errors.js";
import { memorySource } from "./bytes.js";
import { openTiff } from "./tiff.js";
import { unpackZstd, unpackZstdBeginning, unpackZstdUpTo } from "./zstd.js";

const hex = (text: string): Uint8Array => Uint8Array.from(text.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));

const joined = (...parts: readonly Uint8Array[]): Uint8Array => Uint8Array.from(parts.flatMap((part) => [...part]));

/** Letters below `top` from a generator of its own, the same in every language. */
function letters(count: number, top: number): Uint8Array {
  let state = 7;
  return Uint8Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 16) % top;
  });
}

// Written by Facebook's zstd 1.5: literals in one stream, matches without a told size, literals in four with a checksum.
const frames = [
  {
    plain: letters(600, 4),
    packed: hex(
      "28b52ffd6058012d050086652882111026002600260052a0088c650d2ff7c6019e530942942a7c9c884220b0ada728d913b50960" +
        "4c79e8c7434f2412049db9d7a3e43e6a2e8dcf39a87e219fb31674252e3924908da0b2a02bd80f6c0240d8ee5111408dc122fff8" +
        "f5be69659ccae214b8d730a9e2f5f7de87efe99e4cd789402638131b0dc73d1ea7a78ae310251fb81a19e9fb93d229bec2a38749" +
        "0aaf82fec31d4011d749e5e8c154b893c41a00",
    ),
  },
  {
    plain: Uint8Array.from({ length: 800 }, (_, at) => (at % 2 === 0 ? Math.floor(at / 14) % 251 : 0)),
    packed: hex(
      "28b52ffd00682d0200b403000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728" +
        "292a2b2c2d2e2f3031323334353637383900396401e0c70ad056",
    ),
  },
  {
    plain: letters(1500, 9),
    packed: hex(
      "28b52ffd64dc042d15001a43f00687221222226c006c006d007d21084f1bcc1d51496d900cd1bf88a76bab8c272c8e3fd410813d" +
        "814e7b26db605da49f2b6aa16e46baf69a9abece3ac334052b00cec256cbcfeba65240c0101bec4edf82489538afbae304624638" +
        "1582ba0504a199080188ae6c04db02f07dcc0c61da1606a07fb790dc01e060ec8b3e019b94a800de50d2f3df8a8a33c0dc4bd1b8" +
        "2440e3a4a2a12896900943a351c40fe2f85d9ecbb1312d62d992390ab7ef08d63b04e9271e500445b52b4cf7ae2629946e759e31" +
        "a9f01858072867a4dc53bfcf14aefc11a386fbd602c3bfbb63ef21baa4fac047018d85f3d573aca51787ef667d4655341c1cdfb7" +
        "9bd085934889bca16d0cce8b00bb50094143e7a01e90538c1c557603f242ef481ebb76187176e35490341069592cbae1f95407cc" +
        "d26b879c559d4351801158332c28385188251aa09a118e070624405003e111f10c9e45c4a0606b58d1019fdd298f067b0674f53d" +
        "7f9bf7f8292f1e029d57c30b4f61cf97439400029466643cca602a519601e0e001142c511350c6e6f8357f45c01704ea10aa1173" +
        "924094fc00a5cb2153aff9b14386c641c6e1852aaa70fac009e080dac843b3006e29c7f22cdf23a30f0166a86118e798524a1919" +
        "1111914449631012420872700f10d81e7f8103ec674a214198c236244315bb89974edd761cc57fae501896808228c29926a1e926" +
        "613706246559f10e48ae05159d5faf36cbb2638da10b5f22922e2e158c9c145dca11c913cfb6f50fcc862a32684a5b1e95959045" +
        "2c58474b3ac62d5c37777f0e4fca9991524a628cab0392c3ea1a562dd987000d11cba0fc06a77abacd6df7238f0a941549f3f660" +
        "241bf982e914d50b043efd99bcb5a5f751c7c923bbbc183e2357519acc378b2329960986186afb05ff36aca4bcf92f0a0c8b29b0" +
        "fcb6b2f7b6975cc32ccf2ad7cbfd3a",
    ),
  },
];

const skipped = hex("502a4d1803000000aabbcc");
const empty = hex("28b52ffd2000010000");
/** One byte repeated 128 KiB times in four bytes, again and again, in a frame that does not tell its size. */
const swelling = joined(
  hex("28b52ffd0058"),
  ...Array.from({ length: 150 }, (_, at) => Uint8Array.of(at === 149 ? 3 : 2, 0, 16, 7)),
);

test("frames of another implementation are unpacked, alone, one after another, and between frames to skip", async () => {
  for (const { plain, packed } of frames) {
    expect(await unpackZstd(packed, plain.length)).toEqual(plain);
    expect(await unpackZstdUpTo(packed, plain.length + 9)).toEqual(plain);
  }
  const packed = joined(skipped, empty, ...frames.map((frame) => frame.packed), skipped);
  const plain = joined(...frames.map((frame) => frame.plain));
  expect(await unpackZstd(packed, plain.length)).toEqual(plain);
  expect(await unpackZstdUpTo(skipped, 5)).toEqual(new Uint8Array());
  expect(await unpackZstdUpTo(joined(empty, skipped), 5)).toEqual(new Uint8Array());
});

test("frames of every level come back", async () => {
  const { default: Zstd } = await import("numcodecs/zstd");
  const plain = joined(letters(9000, 30), letters(9000, 3), new Uint8Array(3000), letters(5000, 256));
  for (let level = 1; level <= 22; level++) {
    const back = await unpackZstd(await new Zstd(level).encode(plain), plain.length);
    expect(Buffer.compare(back, plain), `${level}`).toBe(0);
  }
});

test("no more is unpacked than is expected, and the beginning of it where that is asked for", async () => {
  for (const { plain, packed } of frames) {
    for (const size of [0, 1, 17, plain.length - 1]) {
      expect(await unpackZstdBeginning(joined(packed, hex("abcdef")), size)).toEqual(plain.slice(0, size));
      await expect(unpackZstd(packed, size)).rejects.toThrow(/bytes, not/);
    }
    expect((await unpackZstdBeginning(packed, plain.length + 9)).length).toBe(plain.length);
    await expect(unpackZstd(packed, plain.length + 9)).rejects.toThrow(/bytes, not/);
  }
  expect((await unpackZstd(swelling, 150 << 17)).every((byte) => byte === 7)).toBe(true);
  for (const unpack of [unpackZstd, unpackZstdUpTo, unpackZstdBeginning]) {
    await expect(unpack(swelling, 1000)).rejects.toThrow(/unpacks to more than 1000 bytes/);
    // 512 KiB of blocks of one repeated byte in a frame that tells 2 GiB.
    await expect(unpack(hex("28b52ffda000000080030010000700"), 1000)).rejects.toThrow(/tells 2147483648 bytes/);
  }
  // Together they would pass what one of them may not.
  const half = joined(swelling.subarray(0, 6 + 4 * 70), Uint8Array.of(3, 0, 16, 7));
  expect((await unpackZstdBeginning(half, 1000)).length).toBe(1000);
  await expect(unpackZstd(joined(half, half), 1000)).rejects.toThrow(/unpacks to more than 1000 bytes/);
  await expect(unpackZstdUpTo(joined(...Array<Uint8Array>(10_001).fill(empty)), 5)).rejects.toThrow(/more than 10000/);
});

test("frames that are cut, damaged, followed by other bytes or in need of a dictionary are refused", async () => {
  const [first, , checked] = frames as [(typeof frames)[0], (typeof frames)[0], (typeof frames)[0]];
  for (const { plain, packed } of frames) {
    for (let size = 0; size < packed.length; size++) {
      await expect(unpackZstdBeginning(packed.subarray(0, size), plain.length)).rejects.toThrow(/is cut off after/);
    }
  }
  const wrong = checked.packed.slice();
  wrong[wrong.length - 1]! ^= 1;
  await expect(unpackZstd(wrong, checked.plain.length)).rejects.toThrow(/cannot be unpacked: .*checksum/);
  const followed = joined(first.packed, hex("abcdef"));
  await expect(unpackZstd(followed, first.plain.length)).rejects.toThrow(/3 bytes follow its Zstandard frame/);
  await expect(unpackZstd(hex("28b52ffd2105010000"), 5)).rejects.toThrow(/dictionary/);
  await expect(unpackZstd(hex("deadbeef"), 5)).rejects.toThrow(/does not begin as/);
  await expect(unpackZstd(hex("502a4d18ffffffff"), 5)).rejects.toThrow(/is cut off/);
});

const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 });

test("whatever bytes are damaged, a frame is refused or gives no more than was asked for", async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...frames), changes, async ({ plain, packed }, hits) => {
      const bytes = packed.slice();
      for (const [at, value] of hits) bytes[at % bytes.length] = value;
      try {
        expect((await unpackZstdBeginning(bytes, plain.length)).length).toBeLessThanOrEqual(plain.length);
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
      }
    }),
    { numRuns: 2000 },
  );
});

/** A TIFF of one strip of 8-bit samples, stored as ZSTD (50000). */
function stripTiff(width: number, height: number, strip: Uint8Array): Uint8Array {
  const tags: readonly [number, number][] = [
    [256, width],
    [257, height],
    [258, 8],
    [259, 50000],
    [262, 1],
    [273, 8],
    [277, 1],
    [278, height],
    [279, strip.length],
  ];
  const bytes = new Uint8Array(8 + strip.length + 2 + 12 * tags.length + 4);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x002a4949, true);
  view.setUint32(4, 8 + strip.length, true);
  bytes.set(strip, 8);
  view.setUint16(8 + strip.length, tags.length, true);
  for (const [index, [tag, value]] of tags.entries()) {
    const at = 8 + strip.length + 2 + 12 * index;
    view.setUint16(at, tag, true);
    view.setUint16(at + 2, 4, true);
    view.setUint32(at + 4, 1, true);
    view.setUint32(at + 8, value, true);
  }
  return bytes;
}

async function pixels(width: number, height: number, strip: Uint8Array): Promise<Uint8Array> {
  const movie = await openTiff(memorySource("movie.tif", stripTiff(width, height, strip)));
  const into = new Uint8Array(width * height);
  await movie.read(0, into);
  return into;
}

test("a strip of a TIFF may be any frame, several, between frames to skip, or longer than its rows", async () => {
  for (const { plain, packed } of frames) {
    expect(await pixels(100, plain.length / 100, packed)).toEqual(plain);
    expect(await pixels(50, 3, packed)).toEqual(plain.slice(0, 150));
  }
  const strip = joined(skipped, ...frames.map(({ packed }) => packed), hex("00"));
  expect(await pixels(100, 29, strip)).toEqual(joined(...frames.map(({ plain }) => plain)));
});

test("a strip of a TIFF that is damaged, cut off, too short or swelling is refused in a sentence", async () => {
  const { plain, packed } = frames[2]!;
  const wrong = packed.slice();
  wrong[wrong.length - 1]! ^= 1;
  const cases: [number, Uint8Array, RegExp][] = [
    [
      15,
      wrong,
      /movie\.tif: a strip or tile cannot be decompressed \(its Zstandard frame cannot be unpacked: .*checksum/,
    ],
    [15, packed.subarray(0, 300), /cannot be decompressed \(its Zstandard frame is cut off after 300 bytes/],
    [16, packed, /a strip or tile holds 1500 of 1600 bytes/],
    [15, swelling, /unpacks to more than 1500 bytes/],
    [15, hex("deadbeefdeadbeef"), /does not begin as a Zstandard frame/],
  ];
  for (const [height, strip, words] of cases) {
    await expect(pixels(100, height, strip)).rejects.toThrow(words);
    await expect(pixels(100, height, strip)).rejects.toThrow(FormatError);
  }
  await fc.assert(
    fc.asyncProperty(changes, async (hits) => {
      const bytes = packed.slice();
      for (const [at, value] of hits) bytes[at % bytes.length] = value;
      try {
        await pixels(100, plain.length / 100, bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(FormatError);
      }
    }),
    { numRuns: 200 },
  );
});
