/** What can go wrong, in two kinds: a wrong file and a wrong wish. Each says the value and the cure in one sentence. */

/** A file that cannot be read as what it claims to be: unreadable, malformed or not supported. */
export class FormatError extends Error {
  override readonly name = "FormatError";
  /** The file as the user named it. */
  readonly path?: string;
  /** Byte offset at which reading failed. */
  readonly offset?: number;
  constructor(message: string, fields: { path?: string; offset?: number; cause?: unknown } = {}) {
    super(oneLine(message), fields.cause === undefined ? undefined : { cause: fields.cause });
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
    super(oneLine(message), fields.cause === undefined ? undefined : { cause: fields.cause });
    this.parameter = fields.parameter;
    this.value = fields.value;
  }
}

/** Whether an error is one of ours, so that its message is meant for the user. */
export function isIonoscopeError(error: unknown): error is FormatError | ParameterError {
  return error instanceof FormatError || error instanceof ParameterError;
}

/** A message or warning as one line of printable text of bearable length: bytes of a damaged file may stand in it. */
export function oneLine(message: string): string {
  // oxlint-disable-next-line no-control-regex
  const text = message.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, " ");
  return text.length <= 2000 ? text : `${text.slice(0, 1500)} ... ${text.slice(-400)}`;
}
