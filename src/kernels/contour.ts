/** Lines of equal value. */
import { contours } from "d3-contour";

/**
 * Closed rings along which the image, taken as bilinear between pixel centres, equals the level; by marching squares.
 * (0, 0) is the centre of the first pixel; the first point is not repeated. Rings around high values and rings around
 * holes in them are both given and run in opposite senses. Values that are not finite, and all beyond the image, count
 * as infinitely low; along the image's border a ring lies at the edge of its pixels, at -0.5.
 */
export function isoContours(
  image: ArrayLike<number>,
  width: number,
  height: number,
  level: number,
): [number, number][][] {
  const draw = contours().size([width, height]);
  const { coordinates } = draw.contour(image as number[], level);
  return coordinates.flat().map((ring) => ring.slice(1).map(([x, y]): [number, number] => [x! - 0.5, y! - 0.5]));
}
