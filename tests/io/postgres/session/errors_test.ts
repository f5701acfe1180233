import assert from "node:assert/strict";
import { isPassing, OperatorError, UnavailableError } from "../../../../lib/core/failure.ts";
import {
  endsSession,
  explainStatementError,
  sqlStateOf,
  StatementAbortedError,
} from "../../../../lib/io/postgres/session/errors.ts";
import { refusal } from "../../../../lib/io/postgres/session/refusals.ts";

const WHERE = "admin@localhost:5432/lottery_db";

/** An error with what the driver puts on it. */
function driverError(fields: Readonly<Record<string, unknown>>, cause?: unknown): Error {
  return Object.assign(new Error("it failed", { cause }), fields);
}

/** An error of the database. */
function databaseError(code: unknown, cause?: unknown): Error {
  return driverError({ code, severity: "ERROR" }, cause);
}

const refused = () => driverError({ code: "ECONNREFUSED" });

function cyclic(fields: Readonly<Record<string, unknown>>): Error {
  const inner = driverError(fields);
  const outer = new Error("outer", { cause: inner });
  inner.cause = outer;
  return outer;
}

/** What each of the two that translate makes of an error. */
const TRANSLATORS: Readonly<Record<string, (error: unknown) => unknown>> = {
  "explainStatementError()": (error) =>
    explainStatementError(error, { where: WHERE, readOnly: null }),
  "refusal()": (error) => refusal(error, WHERE),
};

const SOCKET_CODES = [
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
  "ENOENT", // of the file of a Unix socket
];

const PASSING_STATES = [
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
];

const LASTING_STATES = [
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
];

const JUDGED: readonly {
  readonly name: string;
  readonly error: unknown;
  readonly passes: boolean;
}[] = [
  ...SOCKET_CODES.map((code) => ({
    name: `socket code ${code}`,
    error: driverError({ code }),
    passes: true,
  })),
  ...["EACCES", "EADDRINUSE", "EPERM", "CERT_HAS_EXPIRED"].map((code) => ({
    name: `socket code ${code}`,
    error: driverError({ code }),
    passes: false,
  })),
  ...PASSING_STATES.map((code) => ({
    name: `SQLSTATE ${code}`,
    error: databaseError(code),
    passes: true,
  })),
  ...LASTING_STATES.map((code) => ({
    name: `SQLSTATE ${code}`,
    error: databaseError(code),
    passes: false,
  })),
  ...["", "08", "080060", "x08006", "econnrefused"].flatMap((code) =>
    [driverError({ code }), databaseError(code)].map((error) => ({
      name: `code "${code}" ${"severity" in error ? "of the database" : ""}`,
      error,
      passes: false,
    }))
  ),
  { name: "a number as code", error: databaseError(40001), passes: false },
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
    error: new Error("outer", { cause: new Error("middle", { cause: databaseError("28P01") }) }),
    passes: false,
  },
  {
    name: "a lasting SQLSTATE around a passing cause",
    error: databaseError("28P01", refused()),
    passes: false,
  },
  { name: "a passing cyclic cause", error: cyclic({ code: "ECONNRESET" }), passes: true },
  { name: "a cyclic cause that says nothing", error: cyclic({}), passes: false },
  {
    name: "a cause that is no error",
    error: new Error("o", { cause: "ETIMEDOUT" }),
    passes: false,
  },
  { name: "any other error", error: new RangeError("corrupt"), passes: false },
];

for (const [translator, translate] of Object.entries(TRANSLATORS)) {
  for (const { name, error, passes } of JUDGED) {
    Deno.test(`${translator} ${passes ? "waits for" : "leaves to an operator"} ${name}`, () => {
      const translated = translate(error);
      assert.equal(isPassing(translated), passes);
      assert.equal(sqlStateOf(translated), sqlStateOf(error));
    });
  }
}

Deno.test("refusal() leaves an error that is translated already as it is", () => {
  for (const Failure of [OperatorError, UnavailableError]) {
    const error = new Failure("as it is", { cause: refused() });
    assert.equal(refusal(error, WHERE), error);
  }
});

for (const code of ["42P01", "42703", "42883"]) {
  Deno.test(`explainStatementError() says for SQLSTATE ${code} to run \`migrate\``, () => {
    const translated = explainStatementError(databaseError(code), { where: WHERE, readOnly: null });
    assert.ok(translated instanceof OperatorError);
    assert.match(translated.message, /Run `migrate`/);
  });
}

for (const code of ["40P01", "53100", "55P03", "57014"]) {
  Deno.test(`a statement that fails with SQLSTATE ${code} leaves its session as it is`, () => {
    const error = databaseError(code);
    assert.equal(endsSession(error), false);
    const translated = explainStatementError(error, { where: WHERE, readOnly: null });
    assert.ok(translated instanceof StatementAbortedError);
    assert.equal(translated.message, `it failed (SQLSTATE ${code})`);
  });
}

for (const code of ["08006", "57P01", "57P04", "25P03", "25006"]) {
  Deno.test(`a statement that fails with SQLSTATE ${code} needs another session`, () => {
    assert.equal(endsSession(databaseError(code)), true);
  });
}

Deno.test("explainStatementError() tells why a session is read-only, if that is known", () => {
  const explained = (readOnly: string | null) =>
    (explainStatementError(databaseError("25006"), { where: WHERE, readOnly }) as Error).message;
  assert.equal(explained("it is a standby"), "it is a standby");
  assert.equal(explained(null), `PostgreSQL at ${WHERE} is read-only`);
});
