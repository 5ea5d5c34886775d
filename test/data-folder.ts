/** Where the real sample files stand, if they stand on this machine. */
import { existsSync } from "node:fs";
import path from "node:path";

const root = path.resolve(import.meta.dirname, "..");
const wanted = path.resolve(root, process.env["IONOSCOPE_DATA"] ?? path.join("..", "shared", "data"));

/** The folder of real files, or null where there is none: tests over it are then skipped and say so. */
export const dataFolder: string | null = existsSync(path.join(wanted, "README.md")) ? wanted : null;

if (dataFolder === null) {
  console.warn(
    `Real sample files are not at ${wanted}: tests over them are skipped. Set IONOSCOPE_DATA to the folder.`,
  );
}
