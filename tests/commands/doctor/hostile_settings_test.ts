import assert from "node:assert/strict";
import { eventually } from "../../support/eventually.ts";
import { makeHostile } from "../../support/hostile_settings.ts";
import { createTopic } from "../../support/kafka.ts";
import { kcatProduce } from "../../support/kcat.ts";
import {
  allPublished,
  assertPublished,
  closeWindows,
  eventLine,
  eventLines,
  LAST_MS,
} from "../../support/published.ts";
import { assertRecounted } from "../../support/recount.ts";
import { createRole } from "../../support/role.ts";
import { serverTest } from "../../support/servers.ts";
import { openStack, recordsRead } from "../../support/stack.ts";
import { Program, runProgram } from "../../support/worker_process.ts";

for (const isolation of ["repeatable read", "serializable"]) {
  serverTest(
    `two first starts count, publish, audit and replay right although database and role set everything else, ${isolation} above all`,
    ["kafka", "postgres"],
    async () => {
      await using stack = await openStack({ partitions: 2 });
      const { topic, database } = stack;
      await using role = await createRole(database, "superuser");
      await using output = await createTopic({ partitions: 1 });
      await makeHostile(database, role, { default_transaction_isolation: isolation });
      const env = {
        ...stack.env,
        DATABASE_URL: role.url,
        KAFKA_OUTPUT_TOPIC: output.name,
        GRACE_SECONDS: "0",
        AGGREGATES_RETENTION_DAYS: "30",
        DEAD_LETTERS_RETENTION_DAYS: "30",
      };
      const lines = eventLines();
      const seconds = { lottery_name: "keno", event_type: "pay", timestamp: LAST_MS / 1000 - 600 };
      const [first, second] = await Promise.all(
        [0, 1].map(() => Program.start(["start"], { env })),
      ) as [Program, Program];
      await using _first = first;
      await using _second = second;
      await first.printed(/Reading 1 partition/);
      await second.printed(/Reading 1 partition/);
      await kcatProduce(topic, [...lines, JSON.stringify(seconds), "{bad"]);
      await closeWindows(topic);
      const repeated = lines.filter((_, n) => n % 7 < 5);
      for (let round = 0; round < 5; round++) {
        await kcatProduce(topic, repeated.filter((_, n) => n % 5 === round));
      }
      await kcatProduce(topic, [eventLine(LAST_MS - 540_000, "late", "pay")]);
      const sent = lines.length + 2 + 2 + repeated.length + 1;
      await eventually(async () => await recordsRead(database) === sent);
      await allPublished(database.connection, lines.length + 1);
      await assertRecounted(topic, database.connection);
      await assertPublished(database.connection, output);

      for (const command of ["audit", "status"]) {
        const { code, stdout, stderr } = await runProgram([command], { env });
        assert.equal(code, 0, `${command}: ${stdout}${stderr}`);
      }
      const read = await recordsRead(database);
      const replay = ["replay", "--reason", "timestamp_in_seconds", "--set", "timestamp=seconds"];
      const replayed = await runProgram(["dead-letters", ...replay], { env });
      assert.equal(replayed.code, 0, replayed.stdout + replayed.stderr);
      await allPublished(database.connection, lines.length + 2);
      await assertPublished(database.connection, output);
      const audit = await runProgram(["audit"], { env });
      assert.equal(audit.code, 0, audit.stdout + audit.stderr);
      assert.equal(await recordsRead(database), read);
      for (const worker of [first, second]) {
        worker.signal("SIGTERM");
        assert.equal(await worker.exitCode(), 0, worker.stderr);
        assert.doesNotMatch(worker.stderr, /Waiting for PostgreSQL|Cannot (publish|delete|make)/);
      }
    },
  );
}
