import assert from "node:assert/strict";
import { causes, isPassing, OperatorError, UnavailableError } from "../../lib/core/failure.ts";

/** An error with what a driver puts on it. */
function driverError(fields: Readonly<Record<string, unknown>>, cause?: unknown): Error {
  return Object.assign(new Error("it failed", { cause }), fields);
}

const refused = () => driverError({ code: "ECONNREFUSED" });
const badPassword = () => driverError({ code: "28P01" });

function cyclic(fields: Readonly<Record<string, unknown>>): Error {
  const inner = driverError(fields);
  const outer = new Error("outer", { cause: inner });
  inner.cause = outer;
  return outer;
}

const PASSING_CODES: Readonly<Record<string, readonly string[]>> = {
  "socket code": [
    "ECONNREFUSED",
    "ECONNRESET",
    "ECONNABORTED",
    "EPIPE",
    "ETIMEDOUT",
    "EHOSTUNREACH",
    "ENETUNREACH",
    "ENOTFOUND",
    "EAI_AGAIN",
    "EMFILE",
    "ENFILE",
  ],
  SQLSTATE: [
    "08000",
    "08006",
    "08P01",
    "40001",
    "40P01",
    "53100",
    "53200",
    "53300",
    "55P03",
    "57014",
    "57P01",
    "57P03",
    "58030",
    "25006",
  ],
};

const LASTING_CODES: Readonly<Record<string, readonly string[]>> = {
  "socket code": ["EACCES", "EADDRINUSE", "ENOENT", "EPERM", "CERT_HAS_EXPIRED"],
  SQLSTATE: [
    "28P01",
    "28000",
    "3D000",
    "42P01",
    "42703",
    "42501",
    "22021",
    "22P02",
    "23505",
    "23514",
    "25P02",
    "55000",
    "0A000",
    "P0001",
    "LE001",
    "XX000",
  ],
  "other code": ["", "08", "080060", "x08006", "econnrefused"],
};

for (const [kind, codes] of Object.entries(PASSING_CODES)) {
  for (const code of codes) {
    Deno.test(`isPassing() waits for ${kind} ${code} to pass`, () => {
      assert.equal(isPassing(driverError({ code })), true);
    });
  }
}

for (const [kind, codes] of Object.entries(LASTING_CODES)) {
  for (const code of codes) {
    Deno.test(`isPassing() leaves ${kind} "${code}" to a person`, () => {
      assert.equal(isPassing(driverError({ code })), false);
    });
  }
}

const JUDGED: readonly {
  readonly name: string;
  readonly error: unknown;
  readonly passes: boolean;
}[] = [
  { name: "an UnavailableError", error: new UnavailableError("away"), passes: true },
  { name: "an OperatorError", error: new OperatorError("mend it"), passes: false },
  { name: "any other error", error: new TypeError("x is not a function"), passes: false },
  { name: "a RangeError", error: new RangeError("corrupt"), passes: false },
  { name: "undefined", error: undefined, passes: false },
  { name: "null", error: null, passes: false },
  { name: "a string", error: "ECONNREFUSED", passes: false },
  { name: "an object that is no error", error: { code: "ECONNREFUSED" }, passes: false },
  { name: "a number as code", error: driverError({ code: 40001 }), passes: false },

  {
    name: "kafkajs's connection error",
    error: driverError({ name: "KafkaJSConnectionError", retriable: true, broker: "one:9092" }),
    passes: true,
  },
  {
    name: "kafkajs's request timeout",
    error: driverError({ name: "KafkaJSRequestTimeoutError", retriable: true }),
    passes: true,
  },
  {
    name: "kafkajs's missing coordinator",
    error: driverError({ name: "KafkaJSGroupCoordinatorNotFound", retriable: true }),
    passes: true,
  },
  {
    name: "a protocol error that kafkajs would retry",
    error: driverError({
      name: "KafkaJSProtocolError",
      type: "NOT_LEADER_FOR_PARTITION",
      code: 6,
      retriable: true,
    }),
    passes: true,
  },
  {
    name: "a protocol error that kafkajs would not retry",
    error: driverError({
      name: "KafkaJSProtocolError",
      type: "TOPIC_AUTHORIZATION_FAILED",
      code: 29,
      retriable: false,
    }),
    passes: false,
  },
  {
    name: "kafkajs's refused log-in",
    error: driverError({ name: "KafkaJSSASLAuthenticationError", retriable: false }),
    passes: false,
  },
  {
    name: "kafkajs's exceeded retries of a connection",
    error: driverError(
      { name: "KafkaJSNumberOfRetriesExceeded", retriable: false, retryCount: 5 },
      driverError({ name: "KafkaJSConnectionError", retriable: true }),
    ),
    passes: true,
  },
  {
    name: "kafkajs's exceeded retries of a forbidden request",
    error: driverError(
      { name: "KafkaJSNumberOfRetriesExceeded", retriable: false },
      driverError({ type: "GROUP_AUTHORIZATION_FAILED", retriable: false }),
    ),
    passes: false,
  },
  {
    name: "a type without a word on retries",
    error: driverError({ type: "system" }),
    passes: false,
  },
  {
    name: "a socket failure of several addresses",
    error: Object.assign(new AggregateError([refused(), refused()]), { code: "ECONNREFUSED" }),
    passes: true,
  },

  {
    name: "a passing cause, two errors deep",
    error: new Error("outer", { cause: new Error("middle", { cause: refused() }) }),
    passes: true,
  },
  {
    name: "a lasting cause, two errors deep",
    error: new Error("outer", { cause: new Error("middle", { cause: badPassword() }) }),
    passes: false,
  },
  {
    name: "an OperatorError around a passing cause",
    error: new OperatorError("mend it", { cause: refused() }),
    passes: false,
  },
  {
    name: "an OperatorError inside an error that says nothing",
    error: new Error("outer", { cause: new OperatorError("mend it", { cause: refused() }) }),
    passes: false,
  },
  {
    name: "an UnavailableError around a lasting cause",
    error: new UnavailableError("away", { cause: badPassword() }),
    passes: true,
  },
  {
    name: "an UnavailableError around an OperatorError",
    error: new UnavailableError("away", { cause: new OperatorError("mend it") }),
    passes: true,
  },
  {
    name: "a lasting SQLSTATE around a passing cause",
    error: driverError({ code: "28P01" }, refused()),
    passes: false,
  },
  { name: "a passing cyclic cause", error: cyclic({ code: "ECONNRESET" }), passes: true },
  { name: "a cyclic cause that says nothing", error: cyclic({}), passes: false },
  {
    name: "a cause that is no error",
    error: new Error("o", { cause: "ETIMEDOUT" }),
    passes: false,
  },
];

for (const { name, error, passes } of JUDGED) {
  Deno.test(`isPassing() ${passes ? "waits for" : "leaves to a person"} ${name}`, () => {
    assert.equal(isPassing(error), passes);
  });
}

Deno.test("causes() lists an error and its causes, outermost first, each once", () => {
  const inner = new Error("inner");
  const outer = new Error("outer", { cause: inner });
  assert.deepEqual(causes(outer), [outer, inner]);
  inner.cause = outer;
  assert.deepEqual(causes(outer), [outer, inner]);
  inner.cause = inner;
  assert.deepEqual(causes(outer), [outer, inner]);
  assert.deepEqual(causes("no error"), []);
});
