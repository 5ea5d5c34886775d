"""What customary methods say of one movie.

    python peers.py            versions of what is found, as JSON; status 1 where a needed package is missing
    python peers.py FOLDER     reads task.json and movie.npy there, prints the answers as JSON

The task names its kind: "registration" (frames, height, width), "arrival" (the same, of one crystal, with time_s and mask.npy)
or "outlines" (height, width). Needs numpy, scipy and scikit-image; sep where it is there.
"""

import json
import sys
from pathlib import Path

import numpy as np
import scipy
import skimage
from scipy import ndimage
from skimage.registration import phase_cross_correlation

try:
    import sep
except ImportError:
    sep = None

UPSAMPLE = 20


def registration(folder, task):
    movie = np.load(folder / "movie.npy").astype(np.float64) - task["blackLevel"]

    def against(reference, frame, normalization):
        shift, _, _ = phase_cross_correlation(
            reference, frame, upsample_factor=UPSAMPLE, normalization=normalization
        )
        return -shift[::-1]

    first = movie[0]
    phase = [against(first, frame, "phase") for frame in movie]
    plain = [against(first, frame, None) for frame in movie]
    steps = [against(before, after, None) for before, after in zip(movie, movie[1:])]
    chained = np.vstack([np.zeros(2), np.cumsum(steps, axis=0)])
    name = f"phase_cross_correlation of scikit-image, upsample {UPSAMPLE}"
    return {
        f"{name}, normalization \"phase\" (the default)": np.asarray(phase).tolist(),
        f"{name}, normalization None": np.asarray(plain).tolist(),
        f"{name}, normalization None, frame to frame and summed": chained.tolist(),
    }


def arrival(folder, task):
    movie = np.load(folder / "movie.npy").astype(np.float64)
    mask = np.load(folder / "mask.npy") > 0
    time_s = np.asarray(task["time_s"])
    smooth = ndimage.gaussian_filter(movie, (0, 1, 1))
    course = smooth[:, mask]
    ends = 8
    half = 0.5 * (course[:ends].mean(axis=0) + course[-ends:].mean(axis=0))
    above = course >= half
    after = np.argmax(above, axis=0)
    pixels = np.arange(course.shape[1])
    low, high = course[np.maximum(after - 1, 0), pixels], course[after, pixels]
    with np.errstate(divide="ignore", invalid="ignore"):
        part = (half - low) / (high - low)
    half_s = time_s[np.maximum(after - 1, 0)] + part * (time_s[after] - time_s[np.maximum(after - 1, 0)])
    half_s[(after == 0) | ~np.isfinite(half_s)] = np.nan
    lag = task["lag_frames"]
    ratio = course[lag:] / course[:-lag]
    best = np.argmax(ratio, axis=0)
    argmax_s = 0.5 * (time_s[best] + time_s[best + lag])

    def whole(values):
        return [None if np.isnan(value) else float(value) for value in values]

    return {
        "half level, frames blurred by 1 px": whole(half_s),
        f"argmax of the differential image over {lag} frames, frames blurred by 1 px": whole(argmax_s),
    }


def outlines(folder, task):
    image = np.load(folder / "movie.npy").astype(np.float64)
    least_px = int(round((1 / task["pixelSize_um"]) ** 2))
    found = {}
    if sep is not None:
        background = sep.Background(image, bw=64, bh=64)
        _, labels = sep.extract(image - background, 1.5, err=background.globalrms, segmentation_map=True)
        found["sep (SExtractor), mesh 64 px, 1.5 sigma"] = labels
        background = sep.Background(image, bw=60, bh=60)
        _, labels = sep.extract(
            image - background, 6, err=background.globalrms, minarea=least_px, deblend_cont=0.3, segmentation_map=True
        )
        found["sep (SExtractor), mesh 60 px, 6 sigma, deblending 0.3, 1 um^2 at least"] = labels
    level = np.median(image)
    sigma = 1.4826 * np.median(np.abs(image - level))
    found["connected components above median + 3 robust sigma"] = ndimage.label(image > level + 3 * sigma)[0]
    otsu = skimage.filters.threshold_otsu(ndimage.gaussian_filter(image, 1))
    found["connected components above Otsu's threshold, blurred by 1 px"] = ndimage.label(
        ndimage.gaussian_filter(image, 1) > otsu
    )[0]
    files = {}
    for at, (name, labels) in enumerate(found.items()):
        sizes = np.bincount(labels.ravel())
        kept = ndimage.binary_fill_holes((sizes >= least_px)[labels] & (labels > 0))
        files[name] = f"labels-{at}.raw"
        np.where(kept & (labels == 0), ndimage.maximum_filter(labels, 5), labels * kept).astype("<i4").tofile(
            folder / files[name]
        )
    return files


def main():
    if len(sys.argv) < 2:
        versions = {"numpy": np.__version__, "scipy": scipy.__version__, "scikit-image": skimage.__version__}
        print(json.dumps({**versions, "sep": None if sep is None else sep.__version__}))
        return
    folder = Path(sys.argv[1])
    task = json.loads((folder / "task.json").read_text())
    print(json.dumps({"registration": registration, "arrival": arrival, "outlines": outlines}[task["kind"]](folder, task)))


main()
