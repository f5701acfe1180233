import assert from "node:assert/strict";
import { isPassing, OperatorError, UnavailableError } from "../../lib/core/failure.ts";
import { FailureLog } from "../../lib/io/failure_log.ts";
import { configureLogs } from "../../lib/io/logs.ts";
import { StatementAbortedError } from "../../lib/io/postgres/session/errors.ts";
import { Terminal } from "../../lib/io/terminal.ts";

Deno.test("FailureLog logs each failure once until it is over, unless the system is away", async () => {
  const lines: string[] = [];
  const terminal = new Terminal();
  terminal.writeLine = (line) => lines.push(line.slice("12:00:00 ".length));
  await configureLogs({ level: "info", format: "pretty", terminal });
  const failureLog = new FailureLog("Cannot check: {reason}", {
    isSilent: (error) => isPassing(error) && !(error instanceof StatementAbortedError),
  });
  const failures = [
    new UnavailableError("away"),
    new StatementAbortedError("a statement timed out"),
    new StatementAbortedError("a statement timed out"),
    new UnavailableError("away"),
    new OperatorError("not allowed"),
    new OperatorError("not allowed"),
    new RangeError("unreadable"),
  ];
  for (const failure of failures) failureLog.failed(failure);
  failureLog.succeeded();
  failureLog.failed(new RangeError("unreadable"));
  new FailureLog("Silent: {reason}").failed(new StatementAbortedError("a statement timed out"));
  assert.deepEqual(lines, [
    "ERROR Cannot check: a statement timed out",
    "ERROR Cannot check: not allowed",
    "ERROR Cannot check: unreadable",
    "ERROR Cannot check: unreadable",
  ]);
});
