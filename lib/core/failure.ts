/**
 * The two kinds of failure: one that passes by itself is retried, one that requires an operator
 * stops the program with a sentence that says what to do. Whoever owns a driver translates its
 * errors into these.
 * @module
 */

/** A failure that an operator has to fix. Its message is meant for them and names what to change. */
export class OperatorError extends Error {
  override readonly name = "OperatorError";
}

/** An outside system does not answer, or not now. It is expected back, whatever the reason says. */
export class UnavailableError extends Error {
  override readonly name = "UnavailableError";
}

/**
 * True for a failure that passes by itself, decided by the first error of the `cause` chain that
 * is of either kind. Anything unknown requires an operator.
 */
export function isPassing(error: unknown): boolean {
  const known = causes(error).find((link) =>
    link instanceof OperatorError || link instanceof UnavailableError
  );
  return known instanceof UnavailableError;
}

/** The error, its cause, the cause of that, and so on: outermost first, each once. */
export function causes(error: unknown): Error[] {
  const chain: Error[] = [];
  for (
    let link = error;
    link instanceof Error && !chain.includes(link);
    link = link.cause
  ) chain.push(link);
  return chain;
}

/** One line about an error, with its causes in brackets, without repeating what an outer message holds. */
export function describe(error: unknown): string {
  const messages: string[] = [];
  for (const link of causes(error)) {
    const text = wordsOf(link).replace(/\s*[\r\n]+\s*/g, " ");
    if (!messages.some((outer) => outer.includes(text))) messages.push(text);
  }
  const [first = String(error), ...reasons] = messages;
  return reasons.length === 0 ? first : `${first} (${reasons.join(": ")})`;
}

/** An error without a message is known by its parts, its code or its name. */
function wordsOf(error: Error): string {
  if (error.message) return error.message;
  if (error instanceof AggregateError) return error.errors.map((part) => describe(part)).join(", ");
  return "code" in error && typeof error.code === "string" ? error.code : error.name;
}
