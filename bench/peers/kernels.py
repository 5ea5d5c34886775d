"""The same kernels by numpy, scipy and OpenCV, single-threaded. Prints JSON: for each the times in ms of so many runs.

    python kernels.py RUNS
"""
import json
import sys
import time

import numpy as np

RUNS = int(sys.argv[1])
LEAST_MS = 2.0
rng = np.random.default_rng(1)


def timed(work):
    start = time.perf_counter()
    while time.perf_counter() - start < 0.04:
        work()
    start = time.perf_counter()
    work()
    repeats = 1 + int(LEAST_MS / max(1e-3, 1e3 * (time.perf_counter() - start)))
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        for _ in range(repeats):
            work()
        times.append(1e3 * (time.perf_counter() - start) / repeats)
    return times


def of(package, add):
    try:
        add()
    except ImportError as error:
        print(f"{package}: {error}", file=sys.stderr)


found = {}
for side in (256, 512):
    words = rng.integers(5000, 7000, (side, side)).astype(np.uint16)
    before = rng.integers(5000, 7000, (side, side)).astype(np.uint16)
    image = words.astype(np.float32)
    doubles = words.astype(np.float64)
    for work in ("transform", "light", "differential", "spline", "blur", "stencil"):
        found[f"{work} {side}"] = {}

    def numpys():
        def differential():
            b = before.astype(np.float32) - 100
            return (words.astype(np.float32) - 100 - b) / b

        box = 0.5 + 0.3 * rng.random((side, side))

        def laplacian(a):
            p = np.pad(a, 1, mode="edge")
            return p[1:-1, 2:] + p[1:-1, :-2] + p[2:, 1:-1] + p[:-2, 1:-1] - 4 * a

        def stencil():
            mu = 200 * box * (1 - box) * (1 - 2 * box) - 600 * laplacian(box)
            return 1.0 * box + 1e-9 * laplacian(mu)

        found[f"transform {side}"]["numpy rfft2"] = timed(lambda: np.fft.rfft2(image))
        found[f"light {side}"]["numpy"] = timed(lambda: words.astype(np.float32) - np.float32(100))
        found[f"differential {side}"]["numpy"] = timed(differential)
        found[f"stencil {side}"]["numpy"] = timed(stencil)

    def scipys():
        import scipy.fft
        from scipy import ndimage

        found[f"transform {side}"]["scipy rfft2"] = timed(lambda: scipy.fft.rfft2(image, workers=1))
        found[f"spline {side}"]["scipy ndimage.shift"] = timed(
            lambda: ndimage.shift(image, (0.3, 0.7), order=3, mode="mirror")
        )
        found[f"blur {side}"]["scipy gaussian_filter"] = timed(lambda: ndimage.gaussian_filter(doubles, 3, truncate=2))

    def opencvs():
        import cv2

        cv2.setNumThreads(1)
        move = np.float32([[1, 0, 0.3], [0, 1, 0.7]])
        found[f"spline {side}"]["OpenCV warpAffine, cubic"] = timed(
            lambda: cv2.warpAffine(image, move, (side, side), flags=cv2.INTER_CUBIC)
        )
        found[f"blur {side}"]["OpenCV GaussianBlur"] = timed(lambda: cv2.GaussianBlur(doubles, (13, 13), 3))
        found[f"transform {side}"]["OpenCV dft"] = timed(lambda: cv2.dft(image))

    of("numpy", numpys)
    of("scipy", scipys)
    of("OpenCV", opencvs)
print(json.dumps(found))
