import assert from "node:assert/strict";
import { eventually } from "../support/eventually.ts";
import { createTopic, openAdmin } from "../support/kafka.ts";
import { kcatProduce } from "../support/kcat.ts";
import { MailServer } from "../support/mail_server.ts";
import {
  allPublished,
  assertPublished,
  closeWindows,
  eventLine,
  eventLines,
  inTheMiddle,
  LAST_MS,
  publishing,
} from "../support/published.ts";
import { serverTest } from "../support/servers.ts";
import { openStack, recordsRead } from "../support/stack.ts";
import { Program, runProgram } from "../support/worker_process.ts";

serverTest(
  "start publishes each closed window, late events too, although it is killed in the middle",
  ["kafka", "postgres"],
  async () => {
    await using stack = await openStack({ partitions: 2 });
    await using output = await createTopic({ partitions: 3 });
    const env = { ...stack.env, KAFKA_OUTPUT_TOPIC: output.name, GRACE_SECONDS: "0" };
    const lines = eventLines();
    await kcatProduce(stack.topic, lines);
    await closeWindows(stack.topic);
    {
      await using worker = await Program.start(["start"], { env });
      await inTheMiddle(stack.database.connection);
      worker.signal("SIGKILL");
      await worker.exitCode();
      assert.ok((await publishing(stack.database.connection)).waiting > 0, "killed in the middle");
      // Late: for windows some of which are published already, and of a lottery that they lack.
      await kcatProduce(stack.topic, [
        ...lines.filter((_, n) => n % 7 === 0),
        eventLine(LAST_MS - 540_000, "late", "pay"),
      ]);
    }
    await using worker = await Program.start(["start"], { env });
    const [, url] = await worker.printed(/Page on (http:[^ ]+\/),/);
    const sent = lines.length + 2 + Math.ceil(lines.length / 7) + 1;
    await eventually(async () => await recordsRead(stack.database) === sent);
    await allPublished(stack.database.connection, lines.length + 1);
    await assertPublished(stack.database.connection, output);
    assert.match(
      await (await fetch(`${url}metrics`)).text(),
      /^lottery_published_total [1-9]\d*$/m,
    );
  },
);

serverTest(
  "start counts on while it cannot publish, says so once, and publishes later",
  ["kafka", "postgres", "openssl"],
  async () => {
    await using stack = await openStack({ partitions: 2 });
    const name = `output-${crypto.randomUUID()}`;
    await using mails = await MailServer.start();
    const env = {
      ...{ ...stack.env, ...mails.env, ALERT_AFTER_SECONDS: "1" },
      ...{ KAFKA_OUTPUT_TOPIC: name, GRACE_SECONDS: "0" },
    };
    await using worker = await Program.start(["start"], { env });
    await worker.printed(
      /Cannot publish to .*; counting continues, and publishing is retried: The topic .* does not exist. Create it, or set KAFKA_OUTPUT_TOPIC/,
    );
    await mails.received(/Closed windows are not published to output-/);
    await kcatProduce(stack.topic, eventLines().slice(0, 100));
    await closeWindows(stack.topic);
    await eventually(async () => await recordsRead(stack.database) === 102);
    const failing = await runProgram(["status"], { env });
    assert.equal(failing.code, 1);
    assert.match(failing.stdout, /^Published to output-[^ ]+: none yet$/m);
    assert.match(failing.stdout, /^- The topic .* does not exist.* set KAFKA_OUTPUT_TOPIC to/m);

    await using admin = await openAdmin(stack.topic.brokers);
    await admin.createTopics({ topics: [{ topic: name, numPartitions: 1 }] });
    await worker.printed(/Publishing to .* again after \d+ s/);
    await allPublished(stack.database.connection, 100);
    await assertPublished(stack.database.connection, { ...stack.topic, name });
    assert.equal(worker.stderr.match(/Cannot publish/g)!.length, 1);
    const { code, stdout } = await runProgram(["status"], { env });
    assert.equal(code, 0, stdout);
    assert.match(stdout, /^Published to output-[^ ]+: up to [^,]+Z$/m);
    worker.signal("SIGTERM");
    assert.equal(await worker.exitCode(), 0, worker.stderr);
  },
);
