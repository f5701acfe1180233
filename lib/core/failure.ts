/**
 * Failures are of two kinds: what passes by itself is retried, what needs a
 * person stops the program with a sentence that says what to do.
 * @module
 */

/** A failure that a person has to mend. Its message is meant for that person and names the setting to change. */
export class OperatorError extends Error {
  override readonly name = "OperatorError";
}

/** An outside system that does not answer. It is expected back, whatever the reason says. */
export class UnavailableError extends Error {
  override readonly name = "UnavailableError";
}

/** Codes of sockets and name lookups while the other side is away or coming back, or descriptors are short. */
const PASSING_SOCKET_CODES = new Set([
  "EAI_AGAIN",
  "ECONNABORTED",
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTUNREACH",
  "EMFILE",
  "ENETUNREACH",
  "ENFILE",
  "ENOTFOUND",
  "EPIPE",
  "ETIMEDOUT",
]);

/**
 * SQLSTATEs that pass: 08 connection, 40 rollback (deadlock, serialization), 53 out of
 * resources, 55P03 lock timeout, 57 shutdown and cancelled (but not 57P04, a dropped
 * database), 58 disk trouble, 25006 read-only (during a failover).
 * @see https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const PASSING_SQLSTATE = /^(08|40|53|58)...$|^57(014|P0[1235])$|^55P03$|^25006$/;

/** Errors of the Kafka client that say nothing but "not now". */
const PASSING_KAFKA_NAMES = new Set([
  "KafkaJSBrokerNotFound",
  "KafkaJSConnectionClosedError",
  "KafkaJSConnectionError",
  "KafkaJSGroupCoordinatorNotFound",
  "KafkaJSLockTimeout",
  "KafkaJSMetadataNotLoaded",
  "KafkaJSNoBrokerAvailableError",
  "KafkaJSRequestTimeoutError",
  "KafkaJSStaleTopicMetadataAssignment",
  "KafkaJSTimeout",
  "KafkaJSTopicMetadataNotLoaded",
]);

/** What drivers put on their errors. */
interface DriverError extends Error {
  readonly code?: unknown;
  readonly retriable?: unknown;
  readonly type?: unknown;
}

/**
 * True for a failure that passes by itself, judged by the first error of the
 * `cause` chain that says anything. Whatever is unknown needs a person.
 */
export function isPassing(error: unknown): boolean {
  for (const link of causes(error)) {
    if (link instanceof OperatorError) return false;
    if (link instanceof UnavailableError) return true;
    const { code, name, retriable, type } = link as DriverError;
    if (typeof code === "string" && PASSING_SOCKET_CODES.has(code)) return true;
    if (typeof code === "string" && /^[0-9A-Z]{5}$/.test(code)) return PASSING_SQLSTATE.test(code);
    if (PASSING_KAFKA_NAMES.has(name)) return true;
    if (typeof type === "string" && typeof retriable === "boolean") return retriable;
  }
  return false;
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

/** What an error says; one that has nothing to say itself is known by its parts, its code or its name. */
function wordsOf(error: Error): string {
  if (error.message) return error.message;
  if (error instanceof AggregateError) return error.errors.map((part) => describe(part)).join(", ");
  const { code } = error as DriverError;
  return typeof code === "string" ? code : error.name;
}
