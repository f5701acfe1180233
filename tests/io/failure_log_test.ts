import assert from "node:assert/strict";
import { OperatorError, UnavailableError } from "../../lib/core/failure.ts";
import { FailureLog } from "../../lib/io/failure_log.ts";
import { configureLogs } from "../../lib/io/logs.ts";
import { Terminal } from "../../lib/io/terminal.ts";

Deno.test("FailureLog logs each failure that requires an operator once, until it is over", async () => {
  const lines: string[] = [];
  const terminal = new Terminal();
  terminal.writeLine = (line) => lines.push(line.slice("12:00:00 ".length));
  await configureLogs({ level: "info", format: "pretty", terminal });
  const failureLog = new FailureLog("Cannot check: {reason}");
  const failures = [
    new OperatorError("not allowed"),
    new UnavailableError("away"),
    new OperatorError("not allowed"),
    new RangeError("unreadable"),
  ];
  for (const failure of failures) failureLog.failed(failure);
  failureLog.succeeded();
  failureLog.failed(new RangeError("unreadable"));
  assert.deepEqual(lines, [
    "ERROR Cannot check: not allowed",
    "ERROR Cannot check: unreadable",
    "ERROR Cannot check: unreadable",
  ]);
});
