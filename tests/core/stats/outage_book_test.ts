import assert from "node:assert/strict";
import { OutageBook } from "../../../lib/core/stats/outage_book.ts";

const at = (nowMs: number, part = "one", error: unknown = "away") => ({ part, error, nowMs });

Deno.test("OutageBook begins an outage with the first failure, and counts the others", () => {
  const book = new OutageBook();
  assert.equal(book.failed("Kafka", at(5)), true);
  assert.equal(book.failed("Kafka", at(6, "one", "still away")), false);
  assert.deepEqual(book.get("Kafka"), {
    system: "Kafka",
    sinceMs: 5,
    tries: 2,
    error: "still away",
  });
  assert.equal(book.get("PostgreSQL"), null);
});

Deno.test("OutageBook ends an outage when all parts that failed have answered", () => {
  const book = new OutageBook();
  book.failed("Kafka", at(5, "group"));
  book.failed("Kafka", at(7, "source"));
  assert.equal(book.answered("Kafka", "source"), null);
  assert.equal(book.answered("Kafka", "source"), null);
  assert.deepEqual(book.answered("Kafka", "group"), {
    system: "Kafka",
    sinceMs: 5,
    tries: 2,
    error: "away",
  });
  assert.equal(book.get("Kafka"), null);
});

Deno.test("OutageBook takes an answer of a system that was not away for none", () => {
  assert.equal(new OutageBook().answered("Kafka", "group"), null);
});
