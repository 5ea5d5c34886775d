import * as fc from "fast-check";
import { expect, test } from "vitest";
import { decodeZstd } from "./tiff-zstd.js";

const hex = (text: string): Uint8Array => Uint8Array.from(text.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));

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

test("frames of another implementation are decoded, alone, one after another, and between frames to skip", () => {
  for (const { plain, packed } of frames) expect(decodeZstd(packed, plain.length)).toEqual(plain);
  const skipped = hex("502a4d1803000000aabbcc");
  const joined = [skipped, ...frames.map(({ packed }) => packed), skipped].flatMap((part) => [...part]);
  const plain = frames.flatMap((frame) => [...frame.plain]);
  expect([...decodeZstd(Uint8Array.from(joined), plain.length)]).toEqual(plain);
});

test("no more is decoded than is asked for", () => {
  for (const { plain, packed } of frames) {
    for (const size of [0, 1, 17, plain.length - 1]) expect(decodeZstd(packed, size)).toEqual(plain.slice(0, size));
    expect(decodeZstd(packed, plain.length + 9).length).toBe(plain.length);
  }
  // One byte repeated 2 MiB times in four bytes, again and again.
  const blocks = Array.from({ length: 500 }, () => [0xfa, 0xff, 0xff, 7]);
  const bomb = Uint8Array.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0x58, ...blocks.flat()]);
  expect(decodeZstd(bomb, 1000)).toEqual(new Uint8Array(1000).fill(7));
});

test("a frame that is cut, damaged or needs a dictionary is refused, or gives no more than was asked for", () => {
  for (const { plain, packed } of frames) {
    for (let size = 0; size < packed.length; size++) {
      try {
        expect(decodeZstd(packed.subarray(0, size), plain.length).length).toBeLessThanOrEqual(plain.length);
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
      }
    }
  }
  const hit = fc.tuple(fc.nat(), fc.nat(255));
  fc.assert(
    fc.property(
      fc.constantFrom(...frames),
      fc.array(hit, { minLength: 1, maxLength: 4 }),
      ({ plain, packed }, hits) => {
        const bytes = packed.slice();
        for (const [at, value] of hits) bytes[at % bytes.length] = value;
        try {
          expect(decodeZstd(bytes, plain.length).length).toBeLessThanOrEqual(plain.length);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      },
    ),
    { numRuns: 2000 },
  );
  expect(() => decodeZstd(hex("28b52ffd2105"), 5)).toThrow(/dictionary/);
  expect(() => decodeZstd(hex("deadbeef"), 5)).toThrow(/not a ZSTD frame/);
});
