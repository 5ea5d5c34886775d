/** Where an experiment comes from: files of a microscope and a cycler, or the twin. */
import { z } from "zod";

const skippedStretch = z.object({
  first: z.number().int().nonnegative().describe("First frame left out."),
  last: z.number().int().nonnegative().describe("Last frame left out."),
  because: z.string().min(1).describe("The reason, kept in the recipe and the report."),
});

/** Parameters of the source `files`. */
export const filesParams = z.strictObject({
  movie: z
    .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
    .describe(
      "The movie: a file, a folder with one frame a file, a dataset's folder, or several that follow each other.",
    ),
  cycling: z.array(z.string().min(1)).default([]).describe("The cycler's files, in any order."),
  position: z
    .union([z.number().int().nonnegative(), z.string().min(1)])
    .nullable()
    .default(null)
    .describe("Stage position to take where the movie has several: its number from 0, or its name."),
  channel: z
    .union([z.number().int().nonnegative(), z.string().min(1)])
    .nullable()
    .default(null)
    .describe("Channel to take where the movie has several: its number from 0, or its name."),
  slice: z
    .number()
    .int()
    .nonnegative()
    .nullable()
    .default(null)
    .describe("Focus plane to take where the movie has several, from 0."),
  dataset: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe("Path of the movie inside an HDF5 file that holds several datasets: /entry/data."),
  potentiostatRows: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe("Meaning of the unlabelled rows of a recorder's table: time_s,potential_V,current_mA; empty for no use."),
  pixelSize_um: z
    .number()
    .positive()
    .nullable()
    .default(null)
    .describe("Size of a pixel in the sample; asked for where the file has none, and overrides it where it has one."),
  interval_s: z
    .number()
    .positive()
    .nullable()
    .default(null)
    .describe("Time between frames; asked for where the file has no frame times, and overrides them where it has."),
  blackLevel: z
    .union([z.number().nonnegative(), z.string().min(1)])
    .nullable()
    .default(null)
    .describe("Camera counts without light: a number, or the file of a dark frame. Without it contrasts are marked."),
  frameStamp: z
    .enum(["start", "middle", "end", "unknown"])
    .nullable()
    .default(null)
    .describe("What a frame's time stamp means, where the file does not say."),
  exposure_s: z
    .number()
    .nonnegative()
    .nullable()
    .default(null)
    .describe("Length of the exposure or burst; needed to move a start or end stamp to the middle."),
  from_s: z.number().nullable().default(null).describe("Leave out frames before this time of the movie."),
  to_s: z.number().nullable().default(null).describe("Leave out frames after this time of the movie."),
  roi: z
    .tuple([z.number().nonnegative(), z.number().nonnegative(), z.number().positive(), z.number().positive()])
    .nullable()
    .default(null)
    .describe("Region x,y,width,height in px within which particles and still ground are sought."),
  skip: z.array(skippedStretch).default([]).describe("Frames to leave out, each stretch with its reason."),
  offset_s: z
    .number()
    .nullable()
    .default(null)
    .describe("Movie time minus cycler time, where the files do not share a clock."),
  imaged: z.enum(["working", "counter"]).default("working").describe("Which electrode of the cell is imaged."),
  role: z
    .enum(["cathode", "anode", "unknown"])
    .default("cathode")
    .describe("What the imaged electrode is in its cell."),
  currentSign: z
    .enum(["anodic-positive", "cathodic-positive"])
    .default("anodic-positive")
    .describe("The sign that the cycler gives to oxidation at its working electrode."),
  active_mass_mg: z.number().positive().nullable().default(null).describe("Active mass of the imaged electrode."),
  nominal_mAh_g: z.number().positive().default(155).describe("Capacity that 1C passes in an hour, per active mass."),
  nominal_mAh: z
    .number()
    .positive()
    .nullable()
    .default(null)
    .describe("Capacity of the cell that 1C passes in an hour; instead of the active mass."),
});

/** Parameters of the source `twin`. */
export const twinParams = z.strictObject({
  scenario: z.string().min(1).default("paper-cycle").describe("Name of a scenario, or a JSON file with one."),
  seed: z.number().int().nonnegative().nullable().default(null).describe("Seed of noise and speckle."),
});

export type FilesParams = z.infer<typeof filesParams>;
/** The movies of a source, in the order given. */
export function moviesOf(params: Pick<FilesParams, "movie">): readonly string[] {
  return typeof params.movie === "string" ? [params.movie] : params.movie;
}
export type TwinParams = z.infer<typeof twinParams>;

/** The sources by name, with their words. */
export const sources = [
  { name: "files", summary: "A movie and a cycler's record from files.", params: filesParams },
  { name: "twin", summary: "A synthetic experiment whose answer is known.", params: twinParams },
] as const;
