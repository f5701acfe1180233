import assert from "node:assert/strict";
import { describe, OperatorError, UnavailableError } from "../../lib/core/failure.ts";

function chain(...messages: readonly string[]): Error | undefined {
  return messages.reduceRight<Error | undefined>(
    (cause, message) => new Error(message, { cause }),
    undefined,
  );
}

function selfCaused(): Error {
  const error = new Error("broken");
  error.cause = error;
  return error;
}

const DESCRIBED: readonly {
  readonly name: string;
  readonly error: unknown;
  readonly text: string;
}[] = [
  { name: "an error by its message", error: new Error("it broke"), text: "it broke" },
  {
    name: "causes after it",
    error: chain("outer", "middle", "root"),
    text: "outer (middle: root)",
  },
  {
    name: "no cause that an outer message holds already",
    error: chain("Cannot connect: it broke", "it broke", "root"),
    text: "Cannot connect: it broke (root)",
  },
  { name: "the same message once", error: chain("it broke", "it broke"), text: "it broke" },
  { name: "an error without a message by its name", error: new TypeError(), text: "TypeError" },
  {
    name: "a cause without a message by its name",
    error: new Error("outer", { cause: new RangeError() }),
    text: "outer (RangeError)",
  },
  { name: "our errors by their messages", error: new OperatorError("mend it"), text: "mend it" },
  { name: "our errors by their names", error: new UnavailableError(), text: "UnavailableError" },
  { name: "an error that causes itself", error: selfCaused(), text: "broken" },
  { name: "a string", error: "it broke", text: "it broke" },
  { name: "undefined", error: undefined, text: "undefined" },
  { name: "null", error: null, text: "null" },
  { name: "a number", error: 7, text: "7" },
];

for (const { name, error, text } of DESCRIBED) {
  Deno.test(`describe() tells ${name}`, () => assert.equal(describe(error), text));
}

Deno.test("describe() makes one line of messages with several", () => {
  const text = describe(chain("Cannot connect:\n  it broke", "at line 1\r\nat line 2"));
  assert.doesNotMatch(text, /[\r\n]/);
  for (const part of ["Cannot connect", "it broke", "at line 1", "at line 2"]) {
    assert.ok(text.includes(part), text);
  }
});
