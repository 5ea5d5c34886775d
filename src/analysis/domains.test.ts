import { expect, test } from "vitest";
import { domainStack, type DomainPicture, type DrawnDomains } from "../../test/domain-stack.js";
import type { Domains } from "../model/domains.js";
import type { FrontMap, Transition } from "../model/experiment.js";
import { frontsCollided } from "./domains-collision.js";
import { measureDomains, relateDomains } from "./domains.js";

const coarse: DomainPicture = { pixelSize_um: 0.12, speckle: 0.03, spots: 1 };
const small: DomainPicture = { ...coarse, wall: 0.05, order: 0.03 };

function measured(drawn: DrawnDomains, given: Partial<Transition> = {}): Domains {
  const transition = {
    id: 0,
    particle: 0,
    direction: "delithiation" as const,
    ...drawn.window,
    closed: true,
    ...given,
  };
  return measureDomains(drawn.stack, {
    transition,
    mask: drawn.mask,
    origin_px: [7, 5],
    outline_px: drawn.outline_px,
    front: null,
    psf_um: 0.118,
    least_contrast: 0.02,
  });
}

/** By how much a direction misses the nearest of some others. */
function miss(angle_deg: number, known_deg: readonly number[], turn = 360): number {
  return Math.min(
    ...known_deg.map((known) => Math.abs(angle_deg - known - turn * Math.round((angle_deg - known) / turn))),
  );
}

test("three domains are three, their walls within three degrees, with a meeting point and three-fold order", () => {
  for (const seed of [11]) {
    const drawn = domainStack(seed, { ...small, domains: 3 });
    const found = measured(drawn);
    expect(found.count).toBe(3);
    expect(found.wall_angles_deg).toHaveLength(3);
    for (const known of drawn.angles_deg) expect(miss(known, found.wall_angles_deg)).toBeLessThan(3);
    for (const sd of found.wall_angles_sd_deg) expect(sd).toBeLessThan(3);
    expect(found.threefold.p!).toBeLessThan(0.05);
    expect(found.meetings).toHaveLength(1);
    expect(Math.abs(found.meetings[0]!.x_px.value - drawn.meeting_px![0] - 7)).toBeLessThan(2);
    expect(Math.abs(found.meetings[0]!.y_px.value - drawn.meeting_px![1] - 5)).toBeLessThan(2);
  }
});

test("one line from rim to rim makes two domains, told by one direction up to a half turn", () => {
  const drawn = domainStack(21, { ...small, domains: 2 });
  const found = measured(drawn);
  expect(found.count).toBe(2);
  expect(found.walls[0]!.meeting).toBeNull();
  expect(miss(found.wall_angles_deg[0]!, drawn.angles_deg, 180)).toBeLessThan(3);
  expect(found.threefold.p).toBe(1);
});

test("order without walls is one domain, whatever the face's speckle and its spots", () => {
  for (const seed of [31, 32]) {
    const found = measured(domainStack(seed, { ...coarse, domains: 1, spots: 2 }));
    expect(found.count).toBe(1);
    expect(found.walls).toHaveLength(0);
    expect(found.wall_angles_deg).toHaveLength(0);
  }
});

test("what noise hides, what the movie cuts off and what did not change is not told", () => {
  const noisy = measured(domainStack(41, { ...small, domains: 3, wall: 0.02, noise: 0.1 }));
  expect(noisy.count).toBeNull();
  expect(noisy.because).toContain("hidden");
  expect(measured(domainStack(42, { ...small, domains: 3 }), { closed: false }).count).toBeNull();
  const inert = measured(domainStack(43, { domains: 1, order: 0, spots: 0, pixelSize_um: 0.11 }));
  expect(inert.count).toBeNull();
  expect(inert.because).toContain("nothing shows");
  const drawn = domainStack(44, small);
  const short = measured(drawn, { start_s: drawn.stack.time_s[1]! });
  expect(short).toMatchObject({ count: null, noise: null, faintest_wall: null });
});

test("disordering shows the same walls dark, and its total contrast is that of ordering with its sign turned", () => {
  const there = domainStack(51, { ...small, domains: 3 });
  const back = domainStack(51, { ...small, domains: 3, disordering: true, noise: 0.006 });
  const ordering = measured(there);
  const own = { ...measured(back, { direction: "lithiation" }), transition: 1 };
  expect(own.count).toBe(3);
  for (const { contrast } of [...ordering.walls, ...own.walls]) expect(contrast.value).toBeGreaterThan(0);
  const of = (id: number, direction: Transition["direction"]): Transition =>
    ({ id, particle: 0, direction, start_s: 100 * id }) as Transition;
  const [first, second] = relateDomains([ordering, own], [of(0, "delithiation"), of(1, "lithiation")], {
    psf_um: 0.118,
    pixelSize_um: 0.12,
  });
  expect(first!.reversibility!.transition).toBe(1);
  expect(first!.reversibility!.correlation!.value).toBeGreaterThan(0.9);
  expect(Math.abs(first!.reversibility!.turned_deg!.value)).toBeLessThan(3);
  expect(second!.reversibility!.transition).toBe(0);
  expect(second!.repeats).toEqual([]);
});

test("fronts from two places collide where no wall is left, and a single front collides with none", () => {
  const [width, height] = [60, 40];
  const mask = Uint8Array.from({ length: width * height }, (_, at) =>
    ((at % width) - 30) ** 2 / 26 ** 2 + (Math.floor(at / width) - 20) ** 2 / 17 ** 2 < 1 ? 1 : 0,
  );
  const from = (places: readonly number[]): FrontMap =>
    ({
      width,
      height,
      pixelSize_um: 0.1,
      mask,
      covered: 1,
      arrival_s: Float32Array.from(mask, (one, at) =>
        one === 0
          ? NaN
          : Math.min(...places.map((x) => Math.hypot((at % width) - x, Math.floor(at / width) - 20) / 0.7)),
      ),
      sd_s: Float32Array.from(mask, (one) => (one === 0 ? NaN : 0.5)),
    }) as unknown as FrontMap;
  const none = new Uint8Array(width * height);
  expect(frontsCollided(from([4]), none, 1.2)).toBe(false);
  expect(frontsCollided(from([4, 56]), none, 1.2)).toBe(true);
  const wall = none.map((_, at) => (Math.abs((at % width) - 30) <= 4 ? 1 : 0));
  expect(frontsCollided(from([4, 56]), wall, 1.2)).toBe(false);
});
