/**
 * The files that an OME-XML document names, found again in the folder of the one that was opened.
 *
 * A plane of a set says in which file it lies, by UUID and by name. The document itself may stand in a companion file
 * (`BinaryOnly MetadataFile`), or in one file of the set. Names are stale once somebody renames a file, so a file is
 * also known by the UUID of its own document, and by what its new name has in common with the old.
 * Source: OME-TIFF specification (docs.openmicroscopy.org/ome-model), "Multi-file OME-TIFF".
 */
import { FormatError } from "../model/errors.js";
import { readBytes, type ByteSource, type FolderSource } from "./bytes.js";
import { isOmeXml, parseOmeXml, type OmeDocument, type OmePages } from "./ome-xml.js";
import { isTiff, readDirectory, tagTexts, tiffKind, wide, type TiffFile } from "./tiff-directory.js";

/** One file of a set as the document names it. */
export interface OmePart {
  readonly fileName: string | null;
  readonly uuid: string | null;
  /** Its name in the folder; null where it is not there. */
  readonly entry: string | null;
}

/** A document and the files that it speaks of. */
export interface OmeParts {
  readonly document: OmeDocument;
  /** In the order of the document; empty where it names no file. */
  readonly parts: readonly OmePart[];
  /** The file that was opened; null where the document names no file or only others. */
  readonly own: OmePart | null;
  readonly folder: FolderSource | null;
}

/** Files of a folder that are looked into for a UUID or a document. */
const maxLookedInto = 1024;
const maxDocumentBytes = 1 << 26;

/**
 * Finds the files of a document for a TIFF that holds it or points to it; `pages` is the number of its own pages.
 * What is stale, or was found in a companion file, is said in `warnings`.
 */
export async function findOmeParts(
  source: ByteSource,
  document: OmeDocument,
  pages: number,
  warnings: string[],
): Promise<OmeParts> {
  const folder = (await source.beside?.().catch(() => null)) ?? null;
  const whole = document.companion === null ? document : await companionOf(source, document, folder, warnings);
  const named = partsOf(whole);
  if (named.length === 0) return { document: whole, parts: [], own: null, folder };
  const ownName = baseName(source.name);
  const entries = folder?.entries ?? [ownName];
  const ownUuid = document.uuid;
  const found = new Map<OmePart, string>();
  const free = (): OmePart[] => named.filter((part) => !found.has(part));
  const taken = (entry: string): boolean => [...found.values()].includes(entry);

  const byUuid = ownUuid === null ? undefined : named.find(({ uuid }) => uuid === ownUuid);
  if (byUuid !== undefined) found.set(byUuid, ownName);
  matchNames(named, new Set(entries), found, (name) => name);
  const lower = new Map(entries.map((entry) => [entry.toLowerCase(), entry]));
  for (const part of free()) {
    const entry = part.fileName === null ? undefined : lower.get(baseName(part.fileName).toLowerCase());
    if (entry !== undefined && !taken(entry)) found.set(part, entry);
  }
  const stale = free().length > 0;
  if (folder !== null && free().some(({ uuid }) => uuid !== null)) {
    await matchUuids(folder, free(), (entry) => entry !== ownName && !taken(entry), found);
  }
  if (free().length > 0) matchRenamed(named, ownName, entries, found);
  // What is left over on both sides belongs together, if it is one.
  if (!taken(ownName)) {
    const left = free().filter((part) => pagesOf(whole, part) === null || pagesOf(whole, part)! <= pages);
    if (left.length === 1) found.set(left[0]!, ownName);
  }
  const parts = named.map((part): OmePart => ({ ...part, entry: found.get(part) ?? null }));
  const own = parts.find(({ entry }) => entry === ownName) ?? null;
  const renamed = parts.filter(
    ({ entry, fileName }) => entry !== null && fileName !== null && entry !== baseName(fileName),
  );
  if (stale && parts.length > 1 && renamed.length > 0) {
    const [one] = renamed;
    warnings.push(
      `its OME-XML names ${renamed.length === 1 ? "a file" : `${renamed.length} files`} that ${renamed.length === 1 ? "was" : "were"} renamed since: ` +
        `${one!.fileName} is taken to be ${one!.entry}.`,
    );
  }
  return { document: whole, parts, own, folder };
}

/** Whether a stretch of pages lies in a file of the set; one that names no file lies in each. */
export function liesIn(part: OmePart | null): (pages: OmePages) => boolean {
  if (part === null) return () => true;
  return ({ fileName, uuid }) =>
    (fileName === null && uuid === null) || (uuid === null ? fileName === part.fileName : uuid === part.uuid);
}

/** The files that a document names, each once. */
export function partsOf(document: OmeDocument): OmePart[] {
  const parts = new Map<string, OmePart>();
  for (const image of document.images) {
    for (const { fileName, uuid } of image.pages) {
      const key = uuid ?? fileName;
      if (key === null) continue;
      const before = parts.get(key);
      if (before === undefined || before.fileName === null) parts.set(key, { fileName, uuid, entry: null });
    }
  }
  return [...parts.values()];
}

/** A name without the folders before it, of either kind of slash. */
export function baseName(name: string): string {
  return name.split(/[\\/]/).at(-1) ?? name;
}

/** Pages that a file must have to hold what it is said to hold; null where the document leaves it open. */
function pagesOf(document: OmeDocument, part: OmePart): number | null {
  let most = 0;
  for (const image of document.images) {
    for (const pages of image.pages.filter(liesIn(part))) {
      if (pages.page === null) return null;
      most = Math.max(most, pages.page + (pages.count ?? 1));
    }
  }
  return most;
}

function matchNames(
  parts: readonly OmePart[],
  entries: ReadonlySet<string>,
  found: Map<OmePart, string>,
  change: (name: string) => string | null,
): void {
  const taken = new Set(found.values());
  for (const part of parts) {
    if (found.has(part) || part.fileName === null) continue;
    const entry = change(baseName(part.fileName));
    if (entry === null || !entries.has(entry) || taken.has(entry)) continue;
    found.set(part, entry);
    taken.add(entry);
  }
}

async function matchUuids(
  folder: FolderSource,
  parts: readonly OmePart[],
  free: (entry: string) => boolean,
  found: Map<OmePart, string>,
): Promise<void> {
  const wanted = new Map(parts.flatMap((part) => (part.uuid === null ? [] : [[part.uuid, part] as const])));
  for (const entry of folder.entries.filter((name) => /\.tiff?$/i.test(name) && free(name)).slice(0, maxLookedInto)) {
    if (wanted.size === 0) return;
    const text = await using(folder, entry, omeTextOf);
    const uuid = text === null ? null : uuidOf(text);
    const part = uuid === null ? undefined : wanted.get(uuid);
    if (part === undefined) continue;
    found.set(part, entry);
    wanted.delete(uuid!);
  }
}

/**
 * Files renamed together keep what tells them apart: a_1.tif, a_2.tif become b_1.tif, b_2.tif. The opened one, or any
 * that is known already, shows what the common part was changed to.
 */
function matchRenamed(
  parts: readonly OmePart[],
  ownName: string,
  entries: readonly string[],
  found: Map<OmePart, string>,
): void {
  const names = parts.flatMap(({ fileName }) => (fileName === null ? [] : [baseName(fileName)]));
  if (names.length < 2) return;
  const before = commonStart(names);
  const behind = commonEnd(names.map((name) => name.slice(before.length)));
  const middle = (name: string): string => name.slice(before.length, name.length - behind.length);
  const known = parts.filter((part) => found.has(part) && part.fileName !== null);
  const guesses = (known.length > 0 ? known : parts).flatMap((part): [name: string, entry: string][] => {
    return part.fileName === null ? [] : [[baseName(part.fileName), found.get(part) ?? ownName]];
  });
  // The longest middle first: _11 ends with 1 as well.
  guesses.sort(([a], [b]) => b.length - a.length);
  for (const [name, entry] of guesses) {
    const core = middle(name);
    const tail = `${core}${behind}`;
    if (entry.endsWith(tail) && entry !== name) {
      const start = entry.slice(0, entry.length - tail.length);
      const digits = /\d$/.test(start) && /^\d/.test(core);
      if (!digits) return matchNames(parts, new Set(entries), found, (old) => `${start}${middle(old)}${behind}`);
    }
    if (entry.startsWith(`${before}${core}`) && core !== "" && entry !== name) {
      const end = entry.slice(before.length + core.length);
      if (!/^\d/.test(end)) return matchNames(parts, new Set(entries), found, (old) => `${before}${middle(old)}${end}`);
    }
  }
}

function commonStart(names: readonly string[]): string {
  let length = 0;
  while (names.every((name) => length < name.length && name[length] === names[0]![length])) length++;
  return names[0]!.slice(0, length);
}

function commonEnd(names: readonly string[]): string {
  const turned = names.map((name) => [...name].reverse().join(""));
  return [...commonStart(turned)].reverse().join("");
}

/** The document that a stub points to: the named file beside it, else a companion that knows the stub's UUID or name. */
async function companionOf(
  source: ByteSource,
  stub: OmeDocument,
  folder: FolderSource | null,
  warnings: string[],
): Promise<OmeDocument> {
  if (folder === null || stub.companion === null) return stub;
  const named = baseName(stub.companion);
  const read = async (entry: string): Promise<OmeDocument | null> => {
    const text = await using(folder, entry, omeTextOf);
    if (text === null) return null;
    const document = parseOmeXml(text, entry);
    return document.images.length > 0 ? document : null;
  };
  if (folder.entries.includes(named)) {
    const document = await read(named);
    if (document !== null) return document;
  }
  const own = baseName(source.name);
  const likely = folder.entries.filter((entry) => /\.ome$|\.ome\.xml$/i.test(entry) && entry !== named);
  for (const entry of likely.slice(0, maxLookedInto)) {
    const document = await read(entry).catch((error: unknown) => {
      if (error instanceof FormatError) return null;
      throw error;
    });
    if (document === null) continue;
    const knows = partsOf(document).some(({ fileName, uuid }) => {
      return (uuid !== null && uuid === stub.uuid) || (fileName !== null && baseName(fileName) === own);
    });
    if (!knows && !(document.uuid !== null && document.uuid === stub.companionUuid)) continue;
    warnings.push(`its metadata is said to be in ${named}, which is not there; ${entry} speaks of it and is used.`);
    return document;
  }
  return stub;
}

async function using<T>(folder: FolderSource, entry: string, work: (source: ByteSource) => Promise<T>): Promise<T> {
  const source = await folder.open(entry);
  try {
    return await work(source);
  } finally {
    await source.close();
  }
}

/** The OME-XML of a file, which is a TIFF or the document itself; null where it has none. */
export async function omeTextOf(source: ByteSource): Promise<string | null> {
  const head = await readBytes(source, 0, 16);
  if (!isTiff(head)) {
    if (source.size > maxDocumentBytes) return null;
    const text = new TextDecoder().decode(await readBytes(source, 0, source.size));
    return isOmeXml(text) ? text : null;
  }
  const kind = tiffKind(head);
  if (kind === null || head.length < (kind.big ? 16 : 8)) return null;
  const file: TiffFile = { source, ...kind };
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const directory = await readDirectory(file, kind.big ? wide(view, 8, file) : view.getUint32(4, kind.littleEndian));
  if (directory === null || typeof directory === "string") return null;
  const texts = await tagTexts(file, directory, 270);
  return texts.find((text) => text !== null && isOmeXml(text)) ?? null;
}

function uuidOf(text: string): string | null {
  const root = /<(?:[\w.-]+:)?OME\s([^>]*)>/.exec(text.slice(0, 8192));
  return root === null ? null : (/(?:^|\s)UUID\s*=\s*["']([^"']*)["']/.exec(root[1]!)?.[1] ?? null);
}
