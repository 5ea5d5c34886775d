/** What a file that is not read looks like, in words: a known container with its cure, text, zeros, or its first bytes. */
import type { ByteSource } from "./bytes.js";

interface Container {
  readonly name: string;
  readonly cure: string;
  is(head: Uint8Array): boolean;
}

const asTiff = "Export the movie as TIFF.";
const asText = "Export the record as CSV or .mpt.";
const unpack = "Unpack it and name what is in it; gzip and zip around a single file are opened as they are.";

const containers: readonly Container[] = [
  begins("packed by gzip with an unknown method", [0x1f, 0x8b], unpack),
  begins("packed by compress (.Z)", [0x1f, 0x9d], unpack),
  begins("packed by bzip2", [..."BZh"], unpack),
  begins("packed by xz", [0xfd, ..."7zXZ", 0], unpack),
  begins("packed by Zstandard", [0x28, 0xb5, 0x2f, 0xfd], unpack),
  begins("a 7-Zip archive", [..."7z", 0xbc, 0xaf, 0x27, 0x1c], unpack),
  begins("a RAR archive", [..."Rar!"], unpack),
  { name: "a tar archive", cure: unpack, is: (head) => spells(head, 257, "ustar") },
  begins("an outline of ImageJ (.roi)", [..."Iout"], "Name it by --outlines."),
  begins("an old Excel (.xls) or encrypted workbook", [0xd0, 0xcf, 0x11, 0xe0], `Save it as .xlsx. ${asText}`),
  begins("a JPEG image", [0xff, 0xd8, 0xff], `${asTiff} JPEG alters grey values.`),
  begins("a GIF", [..."GIF8"], asTiff),
  begins("a Zeiss CZI file", [..."ZISRAWFILE"], asTiff),
  begins("a Nikon ND2 file", [0xda, 0xce, 0xbe, 0x0a], asTiff),
  begins("a JPEG 2000 or old ND2 file", [0, 0, 0, 0x0c, 0x6a, 0x50, 0x20, 0x20], asTiff),
  begins("a Leica LIF file", [0x70, 0, 0, 0], asTiff),
  begins("a Matroska film", [0x1a, 0x45, 0xdf, 0xa3], `${asTiff} A film's compression alters grey values.`),
  begins("a FITS image", [..."SIMPLE  ="], asTiff),
  begins("a MATLAB file", [..."MATLAB "], `${asTiff} A record: as CSV.`),
  begins("a PDF document", [..."%PDF"], "Give the file that it was made from."),
  { name: "an AVI film", cure: asTiff, is: (head) => spells(head, 0, "RIFF") && spells(head, 8, "AVI ") },
  { name: "an MP4 or QuickTime film", cure: `${asTiff} A film's compression alters grey values.`, is: isMp4 },
  { name: "a DICOM image", cure: asTiff, is: (head) => spells(head, 128, "DICM") },
  {
    name: "the metadata of a Zarr dataset",
    cure: "Name the folder that it lies in.",
    is: (head) => isText(head) && hasText(head, "{") && /"(zarr_format|multiscales)"\s*:/.test(latin1(head)),
  },
];

function begins(name: string, signature: readonly (number | string)[], cure: string): Container {
  const bytes = signature.flatMap((part) =>
    typeof part === "number" ? [part] : [...part].map((letter) => letter.charCodeAt(0)),
  );
  return { name, cure, is: (head) => bytes.every((byte, at) => head[at] === byte) };
}

/** What a file looks like by its beginning, and what to do about it; null where there is no better advice. */
export function describeContent(head: Uint8Array, source: ByteSource): { what: string; cure: string | null } {
  if (source.size === 0) return { what: "is empty", cure: "Copy it again." };
  const known = containers.find(({ is }) => is(head));
  if (known !== undefined) return { what: `is ${known.name}, which is not read`, cure: known.cure };
  if (isText(head)) {
    const expected = /\.tiff?$/i.test(source.name)
      ? ", not TIFF"
      : /\.(png|npy)$/i.test(source.name)
        ? ", no image"
        : "";
    return { what: `is text${expected}; it begins with "${firstWords(head)}"`, cure: null };
  }
  if (head.every((byte) => byte === 0)) {
    return {
      what: `begins with ${head.length} zero bytes`,
      cure: "It was never written, or its disk failed: copy it again.",
    };
  }
  const bytes = [...head.subarray(0, 8)].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
  return { what: `is of no known format; its first bytes are ${bytes}`, cure: null };
}

/** Whether bytes look like text: UTF-16 by its mark, else no control characters but tab, line and page ends. */
export function isText(head: Uint8Array): boolean {
  if (head.length === 0) return false;
  const marked = (head[0] === 0xff && head[1] === 0xfe) || (head[0] === 0xfe && head[1] === 0xff);
  return marked || head.subarray(0, 4096).every((byte) => byte >= 32 || (byte >= 9 && byte <= 13) || byte === 26);
}

function firstWords(head: Uint8Array): string {
  const text = new TextDecoder(head[0] === 0xff ? "utf-16le" : "utf-8").decode(head.subarray(0, 512));
  const line =
    text
      .replace("\ufeff", "")
      .trim()
      .split(/[\r\n]/)[0] ?? "";
  return line.length > 40 ? `${line.slice(0, 40)}...` : line;
}

function spells(head: Uint8Array, at: number, letters: string): boolean {
  return [...letters].every((letter, index) => head[at + index] === letter.charCodeAt(0));
}

function hasText(head: Uint8Array, part: string): boolean {
  return latin1(head).includes(part);
}

function latin1(head: Uint8Array): string {
  return new TextDecoder("latin1").decode(head.subarray(0, 4096));
}

function isMp4(head: Uint8Array): boolean {
  return spells(head, 4, "ftyp") || spells(head, 4, "moov");
}
