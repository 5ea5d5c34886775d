import { expect, test } from "vitest";
import { movingFront, planeFront, withNoise } from "../../test/moving-front.js";
import { boundaryProfile } from "./boundary-profile.js";
import { pixelCourses } from "./pixel-courses.js";

test("a passing that falls between frames tells nothing of the boundary's look, and spoils nothing", () => {
  const speed = 0.02;
  const made = movingFront({ semi_um: [1.5, 1.2], ...planeFront(speed, 40), line: 0.5, seed: 3 });
  const { psf_um } = made;
  const courses = pixelCourses(withNoise(made.clean, 0.004, 3), made.mask, { psf_um, blur_um: 0 })!;
  const arrival_s = Float32Array.from(courses.pixels, (at) => made.passing_s[at]!);
  const deep = Array.from(courses.pixels.keys()).filter((i) => made.depth_um[courses.pixels[i]!]! > 3 * psf_um);
  const chosen = deep.filter((_, k) => k % 3 === 0);
  const flat = new Float32Array(arrival_s.length);
  const width_s = flat.map(() => psf_um / speed);
  const look = (): ReturnType<typeof boundaryProfile> =>
    boundaryProfile(courses, arrival_s, { width_s, skew: flat, bend: flat }, { chosen, shared: 1 }, null);
  const whole = look()!;
  expect(whole.shape.line).toBeGreaterThan(0.2);
  for (const i of chosen.slice(0, 3)) width_s[i] = 0.45;
  const sparse = look()!;
  expect(sparse.offsetSd).toBeGreaterThan(0);
  expect(sparse.offsetSd).toBeLessThan(0.5);
  expect(Math.abs(sparse.shape.line - whole.shape.line)).toBeLessThan(0.05);
});
