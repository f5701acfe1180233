import assert from "node:assert/strict";
import { deadLettersLimit, lotterySearch } from "../../../lib/io/http/parameters.ts";
import { RequestError } from "../../../lib/io/http/responses.ts";

const parameters = (text: string) => new URLSearchParams(text);

const REFUSED: readonly (readonly [name: string, parse: () => unknown, reason: RegExp])[] = [
  [
    "an unknown parameter",
    () => lotterySearch(parameters("text=x")),
    /Unknown parameter "text"\. Supported: search\./,
  ],
  ["a parameter twice", () => lotterySearch(parameters("search=x&search=y")), /only once/],
  ["no limit", () => deadLettersLimit(parameters("limit=0")), /from 1 to 100/],
  ["a limit that is too high", () => deadLettersLimit(parameters("limit=101")), /from 1 to 100/],
  ["a limit that is no number", () => deadLettersLimit(parameters("limit=1e1")), /from 1 to 100/],
  [
    "a part of a name that no lottery can have",
    () => lotterySearch(parameters("search=%00")),
    /search must be/,
  ],
];

for (const [name, parse, reason] of REFUSED) {
  Deno.test(`${name} is refused with the reason`, () => {
    assert.throws(parse, (error) => {
      assert.ok(error instanceof RequestError);
      assert.match(error.message, reason);
      return error.status === 400;
    });
  });
}

Deno.test("deadLettersLimit() is 20 by default", () => {
  assert.equal(deadLettersLimit(parameters("")), 20);
  assert.equal(deadLettersLimit(parameters("limit=100")), 100);
});
