import assert from "node:assert/strict";
import { OperatorError, UnavailableError } from "../../lib/core/failure.ts";
import { FailureLog } from "../../lib/io/failure_log.ts";
import { configureLogs } from "../../lib/io/logs.ts";
import { Terminal } from "../../lib/io/terminal.ts";

Deno.test("FailureLog says each failure that needs a person once, until it is over", async () => {
  const lines: string[] = [];
  const terminal = new Terminal();
  terminal.writeLine = (line) => lines.push(line.slice("12:00:00 ".length));
  await configureLogs({ level: "info", format: "pretty", terminal });
  const complaint = new FailureLog("Cannot look: {reason}");
  const failures = [
    new OperatorError("not allowed"),
    new UnavailableError("away"),
    new OperatorError("not allowed"),
    new RangeError("unreadable"),
  ];
  for (const failure of failures) complaint.failed(failure);
  complaint.succeeded();
  complaint.failed(new RangeError("unreadable"));
  assert.deepEqual(lines, [
    "ERROR Cannot look: not allowed",
    "ERROR Cannot look: unreadable",
    "ERROR Cannot look: unreadable",
  ]);
});
