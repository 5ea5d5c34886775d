/**
 * The planes of an OME-XML document, scanned apart from the rest: `Plane` and `TiffData`, one each for every image,
 * are nearly all of a long recording's document, and a tree of them would take seconds and hundreds of megabytes.
 *
 *     <TiffData IFD="4" FirstC="0" FirstZ="0" FirstT="4" PlaneCount="1"><UUID FileName="a.ome.tif">urn:uuid:...</UUID></TiffData>
 *     <Plane TheC="0" TheZ="0" TheT="4" DeltaT="20.0" DeltaTUnit="ms"/>
 */

const planeNames = ["TheC", "TheZ", "TheT", "DeltaT", "DeltaTUnit"] as const;
const pageNames = ["IFD", "FirstC", "FirstZ", "FirstT", "PlaneCount"] as const;

/** Attributes of a `Plane` that are used, as written. */
export type PlaneElement = Readonly<Partial<Record<(typeof planeNames)[number], string>>>;

/** Attributes of a `TiffData` that are used, as written, and the name and content of the UUID inside. */
export interface PageElement extends Readonly<Partial<Record<(typeof pageNames)[number], string>>> {
  readonly fileName: string | null;
  readonly uuid: string | null;
}

/** The elements of one `Pixels`, in their order. */
export interface PlaneElements {
  readonly planes: PlaneElement[];
  readonly pages: PageElement[];
}

/** Attribute that is given to each `Pixels` of the rest: its number in `elements`. */
export const pixelsNumber = "numberOfPixels";

/** Elements that are taken at most; a document with more is left with them. */
const maxElements = 4_000_000;

/**
 * Takes the planes out of a document: what is left of its text, and the elements of each `Pixels` by its number.
 * Goes once through the text; comments are dropped, a document with CDATA is left whole, and so is all behind the
 * four millionth element.
 */
export function takePlanes(text: string): { readonly rest: string; readonly elements: readonly PlaneElements[] } {
  const bare = withoutComments(text);
  const elements: PlaneElements[] = [];
  const kept: string[] = [];
  const tag = /<(?:[\w.-]+:)?(Pixels|TiffData|Plane)(?=[\s/>])/g;
  const whole = intern();
  const leftWhole = bare.includes("<![CDATA[");
  let from = 0;
  let taken = 0;
  for (let match = tag.exec(bare); match !== null; match = tag.exec(bare)) {
    const name = match[1]!;
    const inside = elements.at(-1);
    if (name === "Pixels") {
      kept.push(bare.slice(from, tag.lastIndex), ` ${pixelsNumber}="${elements.length}"`);
      from = tag.lastIndex;
      elements.push({ planes: [], pages: [] });
      continue;
    }
    if (inside === undefined || leftWhole) continue;
    if (++taken > maxElements) break;
    const end = endOfTag(bare, tag.lastIndex);
    if (end < 0) break;
    let after = end + 1;
    let content = "";
    if (bare[end - 1] !== "/") {
      const prefix = bare.slice(match.index + 1, tag.lastIndex);
      const close = bare.indexOf(`</${prefix}`, after);
      const closed = close < 0 ? -1 : bare.indexOf(">", close);
      if (closed < 0) break;
      content = bare.slice(after, close);
      after = closed + 1;
    }
    if (name === "Plane") {
      const [TheC, TheZ, TheT, DeltaT, DeltaTUnit] = valuesOf(bare.slice(tag.lastIndex, end), planeNames);
      inside.planes.push({ TheC, TheZ, TheT, DeltaT, DeltaTUnit });
    } else {
      const [IFD, FirstC, FirstZ, FirstT, PlaneCount] = valuesOf(bare.slice(tag.lastIndex, end), pageNames);
      inside.pages.push({ IFD, FirstC, FirstZ, FirstT, PlaneCount, ...uuidOf(content, whole) });
    }
    kept.push(bare.slice(from, match.index));
    from = after;
    tag.lastIndex = after;
  }
  kept.push(bare.slice(from));
  return { rest: kept.join(""), elements };
}

function withoutComments(text: string): string {
  const kept: string[] = [];
  let from = 0;
  for (let start = text.indexOf("<!--"); start >= 0; start = text.indexOf("<!--", from)) {
    const end = text.indexOf("-->", start + 4);
    if (end < 0) break;
    kept.push(text.slice(from, start));
    from = end + 3;
  }
  return from === 0 ? text : kept.join("") + text.slice(from);
}

/** Where the tag ends that has begun before: its ">", not one in quotes. */
function endOfTag(text: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    const letter = text.charCodeAt(at);
    if (letter === 0x3e) return at;
    if (letter !== 0x22 && letter !== 0x27) continue;
    at = text.indexOf(text[at]!, at + 1);
    if (at < 0) return -1;
  }
  return -1;
}

/** Values of the attributes wanted, of those in the inside of a tag; undefined where one is absent. */
function valuesOf(tag: string, wanted: readonly string[]): (string | undefined)[] {
  const values: (string | undefined)[] = wanted.map(() => undefined);
  for (let at = 0; ;) {
    const sign = tag.indexOf("=", at);
    if (sign < 0) break;
    const name = tag.slice(at, sign).trim();
    let open = sign + 1;
    while (open < tag.length && tag.charCodeAt(open) !== 0x22 && tag.charCodeAt(open) !== 0x27) open++;
    const close = open < tag.length ? tag.indexOf(tag[open]!, open + 1) : -1;
    if (close < 0) break;
    const index = wanted.indexOf(name);
    if (index >= 0) values[index] = tag.slice(open + 1, close);
    at = close + 1;
  }
  return values;
}

function uuidOf(content: string, whole: (part: string) => string): { fileName: string | null; uuid: string | null } {
  const match = /<(?:[\w.-]+:)?UUID([^>]*)>([^<]*)</.exec(content);
  const alone = match ?? /<(?:[\w.-]+:)?UUID([^>]*)\/>/.exec(content);
  if (alone === null) return { fileName: null, uuid: null };
  const uuid = (match?.[2] ?? "").trim();
  const [name] = valuesOf(alone[1]!, ["FileName"]);
  return { fileName: name === undefined ? null : whole(name), uuid: uuid === "" ? null : whole(uuid) };
}

/** Copies of parts of a long text, one of each, so that the text itself need not be kept. */
function intern(): (part: string) => string {
  const known = new Map<string, string>();
  return (part) => {
    // Engines copy short parts; a longer one holds on to the whole text.
    if (part.length < 13) return part;
    const found = known.get(part);
    if (found !== undefined) return found;
    const copy = [...part].join("");
    if (known.size < 65_536) known.set(copy, copy);
    return copy;
  };
}
