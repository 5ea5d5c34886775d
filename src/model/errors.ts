/** What can go wrong, in two kinds: a wrong file and a wrong wish. Each says the value and the cure in one sentence. */

/** A file that cannot be read as what it claims to be: unreadable, malformed or not supported. */
export class FormatError extends Error {
  override readonly name = "FormatError";
  /** The file as the user named it. */
  readonly path?: string;
  /** Byte offset at which reading failed. */
  readonly offset?: number;
  constructor(message: string, fields: { path?: string; offset?: number; cause?: unknown } = {}) {
    super(message, fields.cause === undefined ? undefined : { cause: fields.cause });
    if (fields.path !== undefined) this.path = fields.path;
    if (fields.offset !== undefined) this.offset = fields.offset;
  }
}

/** A wish that cannot be met: a missing or impossible parameter. */
export class ParameterError extends Error {
  override readonly name = "ParameterError";
  /** The parameter, spelled as in a recipe: `lag_s`. */
  readonly parameter: string;
  readonly value: unknown;
  constructor(message: string, fields: { parameter: string; value: unknown; cause?: unknown }) {
    super(message, fields.cause === undefined ? undefined : { cause: fields.cause });
    this.parameter = fields.parameter;
    this.value = fields.value;
  }
}

/** Whether an error is one of ours, so that its message is meant for the user. */
export function isIonoscopeError(error: unknown): error is FormatError | ParameterError {
  return error instanceof FormatError || error instanceof ParameterError;
}
