/** A Gaussian seen through a window: what a pixel makes of a point, and an exposure of a moving line. */

// Gauss-Legendre nodes and weights on -1 ... 1, four points.
const NODES = [-0.8611363115940526, -0.3399810435848563, 0.3399810435848563, 0.8611363115940526];
const WEIGHTS = [0.1739274225687269, 0.3260725774312731, 0.3260725774312731, 0.1739274225687269];

/**
 * Mean of exp(-u^2 / 2 sigma^2) over the window of the given width about `centre`; all in one unit of length.
 * Error below 1e-6: four points in every stretch of two sigma.
 */
export function windowedGaussian(centre: number, width: number, sigma: number): number {
  const panels = Math.max(1, Math.ceil(width / (2 * sigma)));
  const half = width / (2 * panels);
  let sum = 0;
  for (let panel = 0; panel < panels; panel++) {
    const middle = centre + (2 * panel + 1 - panels) * half;
    for (let node = 0; node < 4; node++) {
      const u = (middle + NODES[node]! * half) / sigma;
      sum += WEIGHTS[node]! * Math.exp(-0.5 * u * u);
    }
  }
  return sum / panels;
}
