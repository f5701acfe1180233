/** A real worker, attacked over its web server while it counts. */

import assert from "node:assert/strict";
import { makeLines } from "../../../support/event_lines.ts";
import { eventually } from "../../../support/eventually.ts";
import { assertBooksBalance, Expectation } from "../../../support/expectation.ts";
import { freePort } from "../../../support/free_port.ts";
import { run } from "../../../support/guarded_process.ts";
import { kcatProduce } from "../../../support/kcat.ts";
import { RawClient } from "../../../support/raw_client.ts";
import { serverTest } from "../../../support/servers.ts";
import { openStack, recordsRead } from "../../../support/stack.ts";
import { Program } from "../../../support/worker_process.ts";

const MAX_BYTES = 400 << 20;
const MAX_CONNECTIONS = 1_000;

/** How many connections a process has: those of its clients, and some to Kafka and PostgreSQL. */
async function openSockets(pid: number): Promise<number> {
  // Some may be closed while they are listed.
  const list = await run("sh", ["-c", `ls -l /proc/${pid}/fd 2>/dev/null || true`]);
  return list.match(/socket:/g)?.length ?? 0;
}

const CASES: readonly (readonly [name: string, openFiles: number | undefined, warnings: number])[] =
  [
    ["the connections that a worker takes", undefined, 0],
    ["the file descriptors that it has", 256, 1],
  ];

for (const [name, openFiles, warnings] of CASES) {
  serverTest(
    `half-sent requests, three times ${name}, end neither the worker nor its counting`,
    ["kafka", "postgres"],
    async () => {
      await using stack = await openStack();
      const { topic, database } = stack;
      await using worker = await Program.start(["start"], {
        env: { ...stack.env, HTTP_PORT: String(freePort()) },
        ...openFiles !== undefined && { openFiles },
      });
      const [, url] = await worker.printed(/Page on (http:[^ ]+\/),/);
      await worker.printed(/Reading 4 partitions/);
      const health = async () => await (await fetch(`${url}healthz`)).text();

      const flood: RawClient[] = [];
      const expected = new Expectation();
      for (let round = 1; round <= 10; round++) {
        for (let n = 0; n < 3 * (openFiles ?? MAX_CONNECTIONS) / 10; n++) {
          const client = await RawClient.connect(url!);
          flood.push(client);
          await client.send("GET / HTTP/1.1\nHost: localhost\nX: ").catch(() => {});
        }
        await kcatProduce(topic, makeLines(1_000, expected));
        assert.equal(await health(), "ok\n", "in the middle of it");
        const sockets = await openSockets(worker.pid);
        assert.ok(sockets < MAX_CONNECTIONS + 100, `${sockets} are open`);
      }
      await eventually(async () => await recordsRead(database) === 10_000);
      for (const client of flood) client[Symbol.dispose]();
      await kcatProduce(topic, makeLines(1_000, expected));
      await eventually(async () => await recordsRead(database) === 11_000);
      await expected.assertStored(database.connection);
      await assertBooksBalance(database.connection);

      assert.equal(await health(), "ok\n");
      const told = worker.stderr.match(/Cannot accept a connection/g) ?? [];
      assert.equal(told.length, warnings, worker.stderr);
      const peak = await run("grep", ["VmHWM", `/proc/${worker.pid}/status`]);
      assert.ok(Number(peak.match(/(\d+) kB/)![1]) * 1_024 < MAX_BYTES, peak);
      worker.signal("SIGTERM");
      assert.equal(await worker.exitCode(), 0, worker.stderr);
    },
  );
}
