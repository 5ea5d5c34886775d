/** One seed for all drawn properties, so that a run can be repeated; IONOSCOPE_SEED=random draws anew, a number repeats. */
import { configureGlobal, readConfigureGlobal } from "fast-check";

const given = process.env["IONOSCOPE_SEED"] ?? "594522";
const { seed: _, ...rest } = readConfigureGlobal() ?? {};
configureGlobal(given === "random" ? rest : { ...rest, seed: Number(given) });
