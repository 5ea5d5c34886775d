import { expect, test } from "vitest";
import { domainDraw } from "./accuracy/domains.js";

test("the domains of a twin with a drift, flicker and uneven pixels are as many as order made, their walls where it left them", async () => {
  const three = await domainDraw(1002);
  expect(three).toMatchObject({ count: 3, found: 3 });
  for (const error of three.errors_deg) expect(Math.abs(error)).toBeLessThan(3);
  expect(three.threefold_p!).toBeLessThan(0.05);
});
