/** Parameters checked by their schema; what is wrong becomes one sentence. */
import type { z } from "zod";
import { ParameterError } from "../model/errors.js";

/** Parses by a schema; what is wrong becomes one sentence with the parameter, its value and what is wanted. */
export function parseParams<Schema extends z.ZodType>(schema: Schema, value: unknown, prefix: string): z.infer<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = plainest(result.error.issues[0]!);
  const path = [prefix, ...issue.path].filter((part) => part !== "").join(".");
  if (issue.code === "unrecognized_keys") {
    const key = [prefix, ...issue.path, issue.keys[0]].filter((part) => part !== "").join(".");
    throw new ParameterError(`${key} is not a parameter. See ionoscope --help for those there are.`, {
      parameter: key,
      value: undefined,
    });
  }
  const given = issue.path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown> | undefined)?.[key], value);
  const wanted = issue.message.replace(/^Invalid (input|option): /, "").replace(/^expected/, "Expected");
  throw new ParameterError(`${path} is ${JSON.stringify(given) ?? "missing"}. ${wanted}.`, {
    parameter: path,
    value: given,
  });
}

/** Of a value that may be one of several things: what is wrong with it as that thing to which it comes nearest. */
function plainest(issue: z.core.$ZodIssue): z.core.$ZodIssue {
  if (issue.code !== "invalid_union" || issue.errors.length === 0) return issue;
  const inner = issue.errors.map((issues) => plainest(issues[0]!));
  // An object that is of the right kind goes wrong deeper within.
  const deepest = inner.reduce((best, next) => (depth(next) > depth(best) ? next : best));
  const told = depth(deepest) > 0 ? deepest : inner.find(({ code }) => code !== "invalid_type");
  if (told !== undefined) return { ...told, path: [...issue.path, ...told.path] };
  const kinds = inner.flatMap((one) => (one.code === "invalid_type" ? [one.expected] : []));
  return { ...issue, message: `Invalid input: expected ${[...new Set(kinds)].join(" or ")}` };
}

function depth(issue: z.core.$ZodIssue): number {
  return issue.path.length + (issue.code === "unrecognized_keys" ? 1 : 0);
}
