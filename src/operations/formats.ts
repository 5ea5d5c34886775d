/** What is read and written, and what is not: the words of `ionoscope formats`, of the manual and of the guide. */

/** One format. */
export interface Format {
  /** As `inspect` names it. */
  readonly name: string;
  readonly holds: "movie" | "cycling" | "outlines" | "pack";
  /** Usual endings; a file is told by its content, never by its name. */
  readonly files: string;
  readonly reads: string;
  /** Null where it is not written. */
  readonly writes: string | null;
  /** Null where nothing of it is known to be refused. */
  readonly refuses: string | null;
}

const movies: readonly Omit<Format, "holds">[] = [
  {
    name: "tiff",
    files: ".tif .tiff",
    reads:
      "classic and BigTIFF in both byte orders; 1 to 32 bits unsigned or signed, packed 10, 12 and 14 bits, float 16, 32 and 64; uncompressed, LZW (also before 1992), Deflate, PackBits and ZSTD; predictors 2 and 3; strips and tiles, planes together or apart, both fill orders; cut and growing files",
    writes: null,
    refuses:
      "JPEG, JPEG 2000, LERC, LZMA, WebP and fax compression, complex and 64-bit integer samples, MetaMorph stacks; colour in an analysis",
  },
  {
    name: "ome-tiff",
    files: ".ome.tif .companion.ome",
    reads:
      "DeltaT or TimeIncrement and PhysicalSize in any unit; sets over several files, companion files, stale names, missing planes",
    writes: "convert: BigTIFF above 4 GiB, uncompressed, DeltaT for each plane",
    refuses: "OME-XML with its pixels inside",
  },
  {
    name: "imagej-tiff",
    files: ".tif",
    reads: "hyperstacks with interval and unit, stacks above 4 GiB in one directory",
    writes: null,
    refuses: null,
  },
  {
    name: "micro-manager",
    files: "_MMStack*.ome.tif",
    reads: "index map, ElapsedTime-ms of each image, split and unclosed files, positions and channels by name",
    writes: null,
    refuses: null,
  },
  {
    name: "ndtiff",
    files: "folder with NDTiff.index",
    reads: "versions 2 and 3, times of each image, any axes, cut or lost index, missing files",
    writes: null,
    refuses: "compressed pixels",
  },
  {
    name: "ome-zarr",
    files: ".zarr .ome.zarr",
    reads:
      "0.1 to 0.5, Zarr v2 and v3, shards with their checksums, blosc, zstd, lz4, gzip and zlib; missing chunks are reported",
    writes: "convert: 0.5, chunks of whole frames, exact frame times beside the standard's",
    refuses: "plates (name one field's image), 64-bit integers, other filters",
  },
  { name: "zarr", files: ".zarr", reads: "a bare array, without scale and times", writes: null, refuses: null },
  {
    name: "hdf5",
    files: ".h5 .hdf5",
    reads:
      "stacks /movie with /camera_timing, or any one three-dimensional dataset (--dataset where there are several); gzip, LZF, shuffle, fletcher32, szip, scale-offset",
    writes: null,
    refuses: "blosc and other filters from plug-ins",
  },
  {
    name: "tdms",
    files: ".tdms",
    reads: "LabVIEW camera streams img/cam1 and group/0, interleaved and big-endian segments, incomplete ends",
    writes: null,
    refuses: "DAQmx raw data",
  },
  {
    name: "npy",
    files: ".npy",
    reads: "two or three axes, both byte orders and memory orders",
    writes: null,
    refuses: "objects, records, complex and 64-bit integer samples",
  },
  { name: "png", files: ".png", reads: "one frame of 8 or 16 bits", writes: null, refuses: "colour in an analysis" },
  {
    name: "folder",
    files: "folder",
    reads:
      "one TIFF or PNG a frame, in natural order of their names; times, channels and scale of Micro-Manager's metadata.txt",
    writes: null,
    refuses: "frames that differ in size or type",
  },
];

const records: readonly Omit<Format, "holds">[] = [
  {
    name: "biologic-mpr",
    files: ".mpr",
    reads: "EC-Lab and BT-Lab of all versions, settings and programme, derived current and cycles, cut files",
    writes: null,
    refuses: "columns of unknown width (named)",
  },
  {
    name: "biologic-mpt",
    files: ".mpt .txt",
    reads: "every column alias, decimal comma, split exports",
    writes: null,
    refuses: null,
  },
  {
    name: "biologic-mps",
    files: ".mps",
    reads: "told as settings and programme, no record",
    writes: null,
    refuses: null,
  },
  {
    name: "gamry-dta",
    files: ".dta",
    reads: "all experiments with time and potential; a folder of a sequence in the order of its times",
    writes: null,
    refuses: null,
  },
  {
    name: "neware-nda",
    files: ".nda",
    reads: "versions 5 to 9, 11 to 20, 22 to 29, 129 and 130",
    writes: null,
    refuses: "unknown current ranges, other versions",
  },
  {
    name: "neware-ndax",
    files: ".ndax",
    reads: "streams of versions 2, 4, 5, 11 to 14, 16 and 17; cut archives up to the cut",
    writes: null,
    refuses: null,
  },
  {
    name: "arbin-res",
    files: ".res",
    reads: "the channel's table in the order of its points, cut files up to the cut",
    writes: null,
    refuses: "several tests in one file, Access 97",
  },
  {
    name: "arbin-xlsx",
    files: ".xlsx",
    reads: "channel sheets over several sheets; other sheets with columns that are known",
    writes: null,
    refuses: "encrypted workbooks, .xls",
  },
  {
    name: "csv",
    files: ".csv .txt .001 ...",
    reads:
      "Arbin, Maccor, Landt, Basytec, Novonix, PEC, Neware (flat and layered) and any table with named columns for time and potential; units from their heads",
    writes: null,
    refuses: "tables without column names",
  },
  {
    name: "bdf-csv",
    files: ".bdf.csv",
    reads: "Battery Data Format, heads for people and for machines",
    writes: "convert",
    refuses: null,
  },
  {
    name: "bdf-parquet",
    files: ".bdf.parquet",
    reads: "Battery Data Format and other tables with known columns",
    writes: "convert",
    refuses: "encrypted tables",
  },
  {
    name: "hdf5",
    files: ".h5",
    reads: "/potentiostat_value once its rows are named (--potentiostat-rows), tables of pandas with named columns",
    writes: null,
    refuses: null,
  },
  { name: "matlab", files: ".mat", reads: "told by its variables, no record", writes: null, refuses: null },
];

const outlines: readonly Omit<Format, "holds">[] = [
  { name: "geojson", files: ".geojson", reads: "polygons in px", writes: "analyse, convert", refuses: null },
  {
    name: "imagej-roi",
    files: ".roi .zip",
    reads: "Fiji regions with an area, alone or as a set",
    writes: "analyse, convert",
    refuses: "lines and points",
  },
  {
    name: "label-image",
    files: ".tif .png .npy",
    reads: "any image of whole numbers of the movie's size",
    writes: "convert",
    refuses: null,
  },
];

const packs: readonly Omit<Format, "holds">[] = [
  { name: "gzip", files: ".gz", reads: "around one file, to 2 GiB unpacked", writes: null, refuses: "tar archives" },
  {
    name: "zip",
    files: ".zip",
    reads: "around one file, to 2 GiB unpacked",
    writes: null,
    refuses: "several files, encryption",
  },
];

/** All formats, movies first. */
export const formats: readonly Format[] = [
  ...movies.map((format) => ({ ...format, holds: "movie" as const })),
  ...records.map((format) => ({ ...format, holds: "cycling" as const })),
  ...outlines.map((format) => ({ ...format, holds: "outlines" as const })),
  ...packs.map((format) => ({ ...format, holds: "pack" as const })),
];
