"""From a movie's file to arrival times with what Python has: the usual chain, and the best that can be assembled.

    python river.py MOVIE BOXES

BOXES: JSON, left, top, width, height of each crystal's. Prints JSON: wall_s of the runs of each and its peak memory. Each runs
in a process of its own.
"""
import json
import subprocess
import sys
import time

LAG = 20


def usual(path, boxes):
    import numpy as np
    from scipy import ndimage
    from skimage import filters, measure, registration
    from tifffile import imread

    stack = imread(path).astype(np.float64) - 100
    shifts = [
        registration.phase_cross_correlation(stack[0], frame, upsample_factor=20)[0] for frame in stack
    ]
    still = np.stack([ndimage.shift(f, s, order=3, mode="nearest") for f, s in zip(stack, shifts)])
    flat = ndimage.gaussian_filter(still[:20].mean(0), 60)
    still /= flat
    mask = still[:20].mean(0)
    mask = ndimage.gaussian_filter(mask, 2) > filters.threshold_otsu(mask)
    still /= np.median(still[:, ~mask][:, ::16], axis=1)[:, None, None]
    background = still - still[:20].mean(0)
    differential = still[LAG:] / still[:-LAG] - 1
    labels = measure.label(mask)
    found = 0
    for region in measure.regionprops(labels):
        if region.area < 500:
            continue
        box = background[(slice(None), *region.slice)]
        low, high = box[:20].mean(0), box[-20:].mean(0)
        level = ndimage.uniform_filter1d(box, 5, axis=0) > (low + high) / 2
        arrival = level.argmax(0).astype(float)
        arrival[~region.image] = np.nan
        for t in np.linspace(np.nanmin(arrival), np.nanmax(arrival), 12)[1:-1]:
            found += len(measure.find_contours(arrival, t))
    return found + differential.shape[0]


def best(path, boxes):
    import cv2
    import numpy as np
    import scipy.fft
    from tifffile import TiffFile

    cv2.setNumThreads(1)
    with TiffFile(path) as tif:
        page = tif.pages[0]
        frames, (height, width) = len(tif.pages), page.shape
        at = page.dataoffsets[0]
    stack = np.memmap(path, np.uint16, "r", at, (frames, height, width))
    side = min(256, height, width)
    # The corner that has least of the crystals.
    corners = [(0, 0), (0, width - side), (height - side, 0), (height - side, width - side)]
    covered = np.zeros((height, width))
    for left, top, w, h in boxes:
        covered[top : top + h, left : left + w] = 1
    y0, x0 = min(corners, key=lambda c: covered[c[0] : c[0] + side, c[1] : c[1] + side].sum())
    window = np.outer(np.hanning(side), np.hanning(side)).astype(np.float32)
    reference = np.conj(scipy.fft.rfft2((stack[0, y0 : y0 + side, x0 : x0 + side].astype(np.float32)) * window))
    ring = [np.empty((frames, h, w), np.float32) for _, _, w, h in boxes]
    for k in range(frames):
        carrier = stack[k, y0 : y0 + side, x0 : x0 + side].astype(np.float32)
        gain = carrier.mean()
        carrier -= gain
        cross = scipy.fft.rfft2(carrier * window) * reference
        cross /= np.abs(cross) + 1e-9
        peak = scipy.fft.irfft2(cross, (side, side))
        at = int(peak.argmax())
        y, x = divmod(at, side)

        def parabola(a, b, c):
            return 0.5 * (a - c) / (a - 2 * b + c)

        dy = y + parabola(peak[y - 1, x], peak[y, x], peak[(y + 1) % side, x])
        dx = x + parabola(peak[y, x - 1], peak[y, x], peak[y, (x + 1) % side])
        dy -= side if dy > side / 2 else 0
        dx -= side if dx > side / 2 else 0
        for (left, top, w, h), into in zip(boxes, ring):
            move = np.float32([[1, 0, left + dx], [0, 1, top + dy]])
            into[k] = cv2.warpAffine(stack[k], move, (w, h), flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP)
            into[k] *= 1000 / (gain - 100)
    found = 0
    n = np.arange(1, frames, dtype=np.float32)[:, None]
    for box in ring:
        # The step that leaves least: most of (sum before)^2 / n + (sum after)^2 / (N - n).
        courses = box.reshape(frames, -1)
        courses -= courses.mean(0)
        sums = np.cumsum(courses, 0)[:-1]
        found += int((sums * sums / (n * (frames - n))).argmax(0).sum())
    return found


if __name__ == "__main__":
    path, boxes = sys.argv[1], json.loads(sys.argv[2])
    if len(sys.argv) > 3:
        import resource

        start = time.perf_counter()
        globals()[sys.argv[3]](path, boxes)
        wall_s = time.perf_counter() - start
        print(json.dumps([wall_s, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6]))
    else:
        found = {}
        for name, runs in (("best", 3), ("usual", 1)):
            took = []
            for _ in range(runs):
                done = subprocess.run([sys.executable, __file__, path, sys.argv[2], name], capture_output=True, text=True)
                if done.returncode != 0:
                    print(done.stderr, file=sys.stderr)
                    break
                took.append(json.loads(done.stdout))
            if took:
                found[name] = {"wall_s": [t[0] for t in took], "peak_MB": max(t[1] for t in took)}
        print(json.dumps(found))
