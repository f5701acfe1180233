import assert from "node:assert/strict";
import { causes, isPassing, OperatorError, UnavailableError } from "../../lib/core/failure.ts";

/** An error with what a driver puts on it. */
function driverError(fields: Readonly<Record<string, unknown>>, cause?: unknown): Error {
  return Object.assign(new Error("it failed", { cause }), fields);
}

function cyclic(inner: Error): Error {
  const outer = new Error("outer", { cause: inner });
  inner.cause = outer;
  return outer;
}

const away = () => new UnavailableError("away");
const mendIt = (cause?: Error) => new OperatorError("mend it", { cause });

const JUDGED: readonly {
  readonly name: string;
  readonly error: unknown;
  readonly passes: boolean;
}[] = [
  { name: "an UnavailableError", error: away(), passes: true },
  { name: "an OperatorError", error: mendIt(), passes: false },
  { name: "any other error", error: new TypeError("x is not a function"), passes: false },
  { name: "a RangeError", error: new RangeError("corrupt"), passes: false },
  { name: "undefined", error: undefined, passes: false },
  { name: "null", error: null, passes: false },
  { name: "a string", error: "ECONNREFUSED", passes: false },
  { name: "an object that is no error", error: { code: "ECONNREFUSED" }, passes: false },
  {
    name: "a driver's error that nobody has translated",
    error: driverError({ code: "ECONNREFUSED", type: "system", retriable: true }),
    passes: false,
  },
  {
    name: "a passing cause, two errors deep",
    error: new Error("outer", { cause: new Error("middle", { cause: away() }) }),
    passes: true,
  },
  {
    name: "a lasting cause, two errors deep",
    error: new Error("outer", { cause: new Error("middle", { cause: mendIt() }) }),
    passes: false,
  },
  { name: "an OperatorError around a passing cause", error: mendIt(away()), passes: false },
  {
    name: "an OperatorError inside an error that says nothing",
    error: new Error("outer", { cause: mendIt(away()) }),
    passes: false,
  },
  {
    name: "an UnavailableError around a driver's error",
    error: new UnavailableError("away", { cause: driverError({ code: "28P01" }) }),
    passes: true,
  },
  {
    name: "an UnavailableError around an OperatorError",
    error: new UnavailableError("away", { cause: mendIt() }),
    passes: true,
  },
  { name: "a passing cyclic cause", error: cyclic(away()), passes: true },
  { name: "a cyclic cause that says nothing", error: cyclic(new Error("inner")), passes: false },
  {
    name: "a cause that is no error",
    error: new Error("o", { cause: "ETIMEDOUT" }),
    passes: false,
  },
];

for (const { name, error, passes } of JUDGED) {
  Deno.test(`isPassing() ${passes ? "waits for" : "leaves to an operator"} ${name}`, () => {
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
