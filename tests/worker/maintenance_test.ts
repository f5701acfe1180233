import assert from "node:assert/strict";
import { OperatorError, UnavailableError } from "../../lib/core/failure.ts";
import { configureLogs } from "../../lib/io/logs.ts";
import { Connection } from "../../lib/io/postgres/session/connection.ts";
import { StatementAbortedError } from "../../lib/io/postgres/session/errors.ts";
import { Terminal } from "../../lib/io/terminal.ts";
import { Maintenance } from "../../lib/worker/maintenance.ts";
import { eventually } from "../support/eventually.ts";

Deno.test("Maintenance logs what fails again and again once, unless the database is away", async () => {
  const lines: string[] = [];
  const terminal = new Terminal();
  terminal.writeLine = (line) => lines.push(line.slice("12:00:00 ".length));
  await configureLogs({ level: "info", format: "pretty", terminal });
  const failures = [
    new UnavailableError("away"),
    new StatementAbortedError("a statement timed out"),
    new StatementAbortedError("a statement timed out"),
    new UnavailableError("away"),
    new OperatorError("not allowed"),
    new RangeError("unreadable"),
  ];
  await using maintenance = new Maintenance({
    name: "tidy",
    intervalMs: 1,
    connection: new Connection("postgres://admin@127.0.0.1:1/never"),
    work: () => failures.length === 0 ? Promise.resolve() : Promise.reject(failures.shift()),
  });
  maintenance.begin();
  await eventually(() => failures.length === 0);
  assert.deepEqual(lines, [
    "ERROR Cannot tidy: a statement timed out",
    "ERROR Cannot tidy: not allowed",
    "ERROR Cannot tidy: unreadable",
  ]);
});
