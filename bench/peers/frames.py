"""All frames of a TIFF, one after another, by tifffile. Prints JSON: times in ms of so many runs.

    python frames.py FILE RUNS
"""
import json
import sys
import time

import tifffile

times = []
for _ in range(int(sys.argv[2])):
    start = time.perf_counter()
    with tifffile.TiffFile(sys.argv[1]) as tif:
        for page in tif.pages:
            page.asarray()
    times.append(1e3 * (time.perf_counter() - start))
print(json.dumps(times))
