/**
 * HDF5 files: their datasets listed, numbers and stretches of them read by position, never the file whole.
 *
 * Read by the HDF Group's library: every version of the format, contiguous and chunked storage, the filters gzip, shuffle,
 * fletcher32, szip, n-bit and scale-offset, and h5py's LZF (hdf5-lzf.ts). A file that was cut is read as far as it goes.
 */
import { FormatError } from "../model/errors.js";
import { readBytes, type ByteSource } from "./bytes.js";
import { lzf, lzfPipeline, lzfReader } from "./hdf5-lzf.js";
import { hdf5Begins, hdf5End, libraryReason, mountBytes, type LibraryFiles, type Mounted } from "./hdf5-mount.js";
import { sampleType, toNumbers, type SampleType, type StoredType } from "./hdf5-samples.js";

/** Datasets listed of one file; what lies beyond is left out with a warning. */
export const maxDatasets = 10_000;
/** A source that cannot read at once (a Blob in a browser) is read into memory up to this size. */
export const maxBlobBytes = 512 << 20;
/** Numbers read at once as a column or table. */
export const maxNumbers = 1 << 26;
const maxDepth = 16;
/** Damaged parts after which no more are looked for: the library keeps a file open for each error. */
const mostUnreadable = 100;

/** A dataset as its header tells it. */
export interface Hdf5Dataset {
  /** "/movie". */
  readonly path: string;
  readonly shape: readonly number[];
  /** Null where its elements are no plain numbers. */
  readonly type: SampleType | null;
  /** The type in a word: "uint16", "text", "compound". */
  readonly typeName: string;
  /** Bytes of an element. */
  readonly bytes: number;
  readonly stored: StoredType;
  /** Extents of a chunk; null where the data lie in one piece. */
  readonly chunks: readonly number[] | null;
  /** Names of other files that hold its data. */
  readonly elsewhere: readonly string[];
}

/** An opened file. Its functions throw FormatError with the path of the dataset and the library's reason. */
export interface Hdf5File {
  readonly name: string;
  readonly datasets: readonly Hdf5Dataset[];
  /** False where more than `maxDatasets` were there, or too many parts are damaged. */
  readonly listedAll: boolean;
  /** Why a part of the file could not be looked at, by its path: its header is damaged or lies past a cut. */
  readonly unreadable: ReadonlyMap<string, string>;
  /** Bytes that are missing at the end of a file that was cut; 0 for a whole one. */
  readonly missingBytes: number;
  /** Bytes that it has, with those missing. */
  readonly size: number;
  find(path: string): Hdf5Dataset | undefined;
  /** Names of filters that the dataset's chunks are packed by and that are not there to unpack them. */
  unreadFilters(dataset: Hdf5Dataset): string[];
  /** A block of elements, stored bytes with the lowest first; returns how many bytes of the file were read for it. */
  readBlock(dataset: Hdf5Dataset, offset: readonly number[], count: readonly number[], into: Uint8Array): number;
  /** All numbers of a dataset, up to `maxNumbers`. */
  numbers(dataset: Hdf5Dataset): Float64Array;
  /** All texts of a dataset, up to 1 MiB of them; [] where it holds none. */
  texts(dataset: Hdf5Dataset): string[];
  /** An attribute that is text or a few numbers; null where there is none. */
  attribute(path: string, name: string): string | readonly number[] | null;
  close(): void;
}

/** Whether a file's first bytes are those of HDF5, at its beginning or behind a user block (as MATLAB 7.3 writes). */
export function isHdf5(head: Uint8Array): boolean {
  return hdf5Begins(head) >= 0;
}

/**
 * Opens an HDF5 file. A file that was cut is opened too: `missingBytes` says so, and what lies beyond the cut throws.
 * Throws FormatError where the library cannot make sense of it.
 */
export async function openHdf5(source: ByteSource): Promise<Hdf5File> {
  const { name } = source;
  const fault = (what: string, cause?: unknown): FormatError =>
    new FormatError(`${name}: ${what}`, { path: name, ...(cause === undefined ? {} : { cause }) });
  const head = await readBytes(source, 0, 1 << 16);
  const begins = hdf5Begins(head);
  if (begins < 0) throw fault("is no HDF5 file: its signature is missing.");
  const end = hdf5End(head, begins) ?? source.size;
  const missingBytes = Math.max(0, end - source.size);
  const readNow = source.readNow?.bind(source) ?? (await inMemory(source, fault));
  const library = await loadLibrary(fault);
  const mounted = mountBytes(library.files, { size: Math.max(end, source.size), readNow });
  const said = (where: string, error: unknown): FormatError => {
    if (error instanceof FormatError) return error;
    if (error instanceof WebAssembly.RuntimeError) broken = true;
    const cut = missingBytes === 0 ? "" : `; the file is cut off: ${missingBytes} bytes are missing at its end`;
    return fault(`${where} cannot be read (${libraryReason(error)})${cut}. Copy it again.`, error);
  };
  const attempt = <T>(where: string, work: () => T): T => {
    try {
      return work();
    } catch (error) {
      throw said(where, error);
    }
  };

  let file: number | bigint;
  try {
    file = openFile(library, mounted.path);
  } catch (error) {
    mounted.unmount();
    const reason = libraryReason(error);
    if (/already open for write|SWMR/i.test(reason)) {
      throw fault("was not closed by its writer. Wait for it to end, or run h5clear -s on a copy.", error);
    }
    throw said("its structure as HDF5", error);
  }
  const module = library.module;
  let listing: Listing;
  try {
    listing = attempt("its list of contents", () => listDatasets(module, file));
  } catch (error) {
    shut(library, file, mounted);
    throw error;
  }
  const byPath = new Map(listing.datasets.map((dataset) => [dataset.path, dataset]));
  const heap = <T>(bytes: number, work: (pointer: number) => T): T => {
    const pointer = module._malloc(Math.max(1, bytes));
    if (pointer === 0)
      throw fault(`asks for ${bytes} bytes at once, more than there are. Repack it in smaller chunks.`);
    try {
      return work(pointer);
    } finally {
      if (!broken) module._free(pointer);
    }
  };
  const readByLibrary: Hdf5File["readBlock"] = (dataset, offset, count, into) =>
    attempt(dataset.path, () => {
      const before = mounted.given();
      heap(into.length, (pointer) => {
        const strides = count.map(() => 1n);
        const status = module.get_dataset_data(
          file as bigint,
          dataset.path,
          count.map(BigInt),
          offset.map(BigInt),
          strides,
          BigInt(pointer),
        );
        if (status < 0) throw new Error(`status ${status}`);
        into.set(module.HEAPU8.subarray(pointer, pointer + into.length));
      });
      return mounted.given() - before;
    });
  const filtersOf = (dataset: Hdf5Dataset): readonly { readonly id: number; readonly name: string }[] =>
    attempt(dataset.path, () => module.get_dataset_filters(file as bigint, dataset.path));
  const packed = lzfReader({ filtersOf, readByLibrary, readNow, last: mounted.last, fault });
  const readBlock: Hdf5File["readBlock"] = (dataset, offset, count, into) =>
    packed(dataset, offset, count, into) ?? readByLibrary(dataset, offset, count, into);
  return {
    name,
    datasets: listing.datasets,
    listedAll: listing.all,
    unreadable: listing.unreadable,
    missingBytes,
    size: source.size + missingBytes,
    find: (path) => byPath.get(path.startsWith("/") ? path : `/${path}`),
    unreadFilters(dataset) {
      const filters = filtersOf(dataset);
      const byLzf = lzfPipeline(filters.map(({ id }) => id)) !== null;
      return filters
        .filter(({ id }) => !readFilters.has(id) && !(byLzf && id === lzf))
        .map(({ id, name: filter }) => `${knownFilters[id] ?? (filter || "unnamed")} (HDF5 filter ${id})`);
    },
    readBlock,
    numbers(dataset) {
      const count = dataset.shape.reduce((product, size) => product * size, 1);
      if (dataset.type === null) throw fault(`${dataset.path} holds ${dataset.typeName}, not numbers.`);
      if (count > maxNumbers) throw fault(`${dataset.path} holds ${count} numbers; up to ${maxNumbers} are read.`);
      const bytes = new Uint8Array(count * dataset.bytes);
      if (count > 0)
        readBlock(
          dataset,
          dataset.shape.map(() => 0),
          dataset.shape,
          bytes,
        );
      return toNumbers(bytes, dataset.type);
    },
    texts(dataset) {
      const count = dataset.shape.reduce((product, size) => product * size, 1);
      if (dataset.typeName !== "text" || count * dataset.bytes > 1 << 20) return [];
      const value = attempt(dataset.path, () => new library.hdf5.Dataset(file as bigint, dataset.path).value);
      return (Array.isArray(value) ? value : [value]).filter((text) => typeof text === "string");
    },
    attribute(path, attribute) {
      try {
        const known = module.get_attribute_metadata(file as bigint, path, attribute);
        if (known.size * known.total_size > 1 << 16) return null;
        const value = new library.hdf5.Attribute(file as bigint, path, attribute).json_value;
        if (typeof value === "string") return value;
        const numbers = [value].flat(2).map(Number);
        return numbers.some(Number.isNaN) ? null : numbers;
      } catch {
        return null;
      }
    },
    close: () => shut(library, file, mounted),
  };
}

type Hdf5Library = typeof import("h5wasm");
type Hdf5Module = Hdf5Library["Module"];

interface Library {
  readonly hdf5: Hdf5Library;
  readonly module: Hdf5Module;
  readonly files: LibraryFiles;
}

// One library serves a thread. A fault inside it leaves it in an unknown state.
let broken = false;

async function loadLibrary(fault: (what: string) => FormatError): Promise<Library> {
  if (broken) throw fault("the HDF5 library failed on an earlier file. Start ionoscope again to read this one.");
  const hdf5 = await import("h5wasm");
  const module = await hdf5.ready;
  module.activate_throwing_error_handler();
  return { hdf5, module, files: module.FS as unknown as LibraryFiles };
}

function openFile({ module }: Library, path: string): bigint {
  try {
    return module.open(path, module.H5F_ACC_RDONLY, false, -1, -1);
  } catch (error) {
    if (!/SWMR|already open for write/i.test(String(error))) throw error;
    return module.open(path, module.H5F_ACC_SWMR_READ, false, -1, -1);
  }
}

function shut({ module }: Library, file: number | bigint, mounted: Mounted): void {
  if (broken) return;
  try {
    module.close_file(file as bigint);
  } catch {
    // What a failed read left open stays with the library; the source is closed by its owner.
  }
  mounted.unmount();
}

async function inMemory(
  source: ByteSource,
  fault: (what: string) => FormatError,
): Promise<(offset: number, into: Uint8Array) => number> {
  if (source.size > maxBlobBytes) {
    const size = `${Math.ceil(source.size / 2 ** 20)} MiB`;
    throw fault(
      `is ${size} of HDF5; up to ${maxBlobBytes / 2 ** 20} MiB are read here. Give its path to ionoscope itself.`,
    );
  }
  const bytes = await readBytes(source, 0, source.size);
  return (offset, into) => {
    const part = bytes.subarray(Math.min(offset, bytes.length), offset + into.length);
    into.set(part);
    return part.length;
  };
}

const readFilters = new Set([1, 2, 3, 4, 5, 6]);
const knownFilters: Readonly<Record<number, string>> = {
  307: "bzip2",
  32000: "LZF",
  32001: "Blosc",
  32004: "LZ4",
  32008: "bitshuffle",
  32013: "ZFP",
  32015: "Zstandard",
  32019: "JPEG",
  32026: "Blosc2",
};

interface Listing {
  readonly datasets: Hdf5Dataset[];
  readonly all: boolean;
  readonly unreadable: ReadonlyMap<string, string>;
}

/** Every dataset below the root; links to other files are passed over. */
function listDatasets(module: Hdf5Module, file: number | bigint): Listing {
  const datasets: Hdf5Dataset[] = [];
  const unreadable = new Map<string, string>();
  let objects = 0;
  const look = (path: string, work: () => boolean): boolean => {
    try {
      return work();
    } catch (error) {
      if (path === "/" || error instanceof WebAssembly.RuntimeError) throw error;
      unreadable.set(path, libraryReason(error));
      return unreadable.size < mostUnreadable;
    }
  };
  // An object may have several paths, and a group may hold one above it: each is looked at once, by its address.
  const seen = new Set<string>();
  const isNew = (path: string): boolean => {
    const address = module.create_object_reference(file as bigint, path).join(".");
    return !seen.has(address) && seen.add(address).size > 0;
  };
  isNew("/");
  const walk = (group: string, depth: number): boolean => {
    for (const name of module.get_names(file as bigint, group, false)) {
      if (++objects > maxDatasets) return false;
      // PyTables keeps its indices so.
      if (name.startsWith("_i_")) continue;
      const path = group === "/" ? `/${name}` : `${group}/${name}`;
      const goOn = look(path, () => {
        const kind = module.get_type(file as bigint, path);
        if ((kind !== module.H5G_DATASET && kind !== module.H5G_GROUP) || !isNew(path)) return true;
        if (kind === module.H5G_DATASET) datasets.push(describe(module, file, path));
        return kind !== module.H5G_GROUP || depth === maxDepth || walk(path, depth + 1);
      });
      if (!goOn) return false;
    }
    return true;
  };
  const all = look("/", () => walk("/", 0));
  return { datasets, all, unreadable };
}

function describe(module: Hdf5Module, file: number | bigint, path: string): Hdf5Dataset {
  const told = module.get_dataset_metadata(file as bigint, path);
  const stored = told as StoredType & typeof told;
  const { type, typeName } = sampleType(stored);
  return {
    path,
    shape: told.shape ?? [0],
    type,
    typeName,
    bytes: told.size,
    stored,
    chunks: told.chunks,
    elsewhere: (told.virtual_sources ?? []).map(({ file_name }) => file_name).filter((name) => name !== "."),
  };
}

/** The datasets of a file in words: "/movie 16 x 192 x 192 uint16, /x 3 float32 and 4 more"; "no dataset". */
export function datasetsInWords(file: Pick<Hdf5File, "datasets" | "unreadable">, most = 12): string {
  const words = file.datasets.slice(0, most).map(inWords);
  const more = file.datasets.length - words.length;
  const listed = words.length === 0 ? "no dataset" : words.join(", ") + (more > 0 ? ` and ${more} more` : "");
  const [path, reason] = [...file.unreadable][0] ?? [];
  return path === undefined ? listed : `${listed}; ${path} cannot be read (${reason})`;
}

/** A dataset in words: "/movie 16 x 192 x 192 uint16". */
export function inWords({ path, shape, typeName }: Hdf5Dataset): string {
  return `${path} ${shape.join(" x ") || "scalar"} ${typeName}`;
}
