"""Shifts of a movie's first frames by others' registration, single-threaded.

    python registration.py MOVIE BLACK FRAMES

Prints JSON: for each method wall_s and x_px, y_px, where the scene lies in each frame.
"""
import json
import sys
import time

import numpy as np
from tifffile import TiffFile

path, black, count = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
with TiffFile(path) as tif:
    stack = np.stack([tif.pages[k].asarray() for k in range(min(count, len(tif.pages)))]).astype(np.float32) - black
found = {}


def taken(name, shift):
    start = time.perf_counter()
    shifts = [shift(frame) for frame in stack]
    found[name] = {
        "wall_s": time.perf_counter() - start,
        "x_px": [float(x) for x, _ in shifts],
        "y_px": [float(y) for _, y in shifts],
    }


try:
    from skimage.registration import phase_cross_correlation

    def skimages(normalization):
        def shift(frame):
            y, x = phase_cross_correlation(stack[0], frame, upsample_factor=20, normalization=normalization)[0]
            return -x, -y

        return shift

    taken("skimage phase_cross_correlation", skimages("phase"))
    taken("the same, not normalised", skimages(None))
except ImportError as error:
    print(error, file=sys.stderr)
try:
    import cv2

    cv2.setNumThreads(1)
    window = cv2.createHanningWindow(stack.shape[:0:-1], cv2.CV_32F)
    taken("OpenCV phaseCorrelate", lambda frame: cv2.phaseCorrelate(stack[0], frame, window)[0])
except ImportError as error:
    print(error, file=sys.stderr)
print(json.dumps(found))
