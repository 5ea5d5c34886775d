/** What we write is what another implementation reads: tifffile, where Python has it. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { writeOmeTiff } from "../src/io/ome-tiff-write.js";
import type { Dtype } from "../src/model/movie.js";
import { samplesFor } from "./tiff-builder.js";

const python = process.env["IONOSCOPE_PYTHON"] ?? "python3";

function hasTifffile(): boolean {
  try {
    execFileSync(python, ["-c", "import tifffile"], { stdio: "ignore" });
    return true;
  } catch {
    console.warn(`${python} has no tifffile: the comparison with it is skipped. Set IONOSCOPE_PYTHON to one that has.`);
    return false;
  }
}

const script = `
import sys, json, hashlib, tifffile
from xml.etree import ElementTree
with tifffile.TiffFile(sys.argv[1]) as tif:
    data = tif.series[0].asarray()
    root = ElementTree.fromstring(tif.ome_metadata)
    ns = {"o": "http://www.openmicroscopy.org/Schemas/OME/2016-06"}
    pixels = root.find("o:Image/o:Pixels", ns)
    print(json.dumps({
        "axes": tif.series[0].axes, "shape": list(data.shape), "dtype": str(data.dtype), "pages": len(tif.pages),
        "sums": [float(frame.sum(dtype="float64")) for frame in data],
        "size": float(pixels.get("PhysicalSizeX")), "unit": pixels.get("PhysicalSizeXUnit"),
        "times": [float(plane.get("DeltaT")) for plane in pixels.findall("o:Plane", ns)],
        "start": root.findtext("o:Image/o:AcquisitionDate", None, ns)}))
`;

test.skipIf(!hasTifffile())("tifffile reads our OME-TIFF as it was written", async () => {
  const folder = mkdtempSync(path.join(tmpdir(), "ionoscope-"));
  try {
    const types: [Dtype, number, number][] = [
      ["uint8", 8, 1],
      ["int16", 16, 2],
      ["uint16", 16, 1],
      ["float32", 32, 3],
      ["float64", 64, 3],
    ];
    for (const [dtype, bits, format] of types) {
      const [width, height, count] = [13, 7, 5];
      const frames = Array.from({ length: count }, (_, frame) => {
        return samplesFor(bits, format, width * height).map((_value, at) => (at * (frame + 1)) % 113);
      });
      const time_s = [0, 5, 10.25, 30, 30.5];
      const file = path.join(folder, `${dtype}.ome.tif`);
      writeFileSync(file, "");
      const handle = await open(file, "r+");
      const sink = {
        write: async (bytes: Uint8Array, at: number) => void (await handle.write(bytes, 0, bytes.length, at)),
      };
      const start = "2024-05-17T14:09:11";
      await writeOmeTiff({
        width,
        height,
        dtype,
        pixelSize_um: 0.08,
        time_s,
        start,
        frameStamp: "middle",
        frames,
        sink,
      });
      await handle.close();
      const read: unknown = JSON.parse(execFileSync(python, ["-c", script, file], { encoding: "utf8" }));
      expect(read).toEqual({
        axes: "TYX",
        shape: [count, height, width],
        dtype,
        pages: count,
        sums: frames.map((frame) => [...frame].reduce((sum, value) => sum + value, 0)),
        size: 0.08,
        unit: "µm",
        times: time_s,
        start,
      });
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
