/** An audit that finds a great many differences. */

import assert from "node:assert/strict";
import { countAll, eventsOf, hourAgo } from "../../support/audit_stand.ts";
import { kcatProduce } from "../../support/kcat.ts";
import { serverTest } from "../../support/servers.ts";
import { openStack } from "../../support/stack.ts";
import { runProgram } from "../../support/worker_process.ts";

const MANY = 150_000;

serverTest(
  "audit lists 150,000 wrong rows, and as many wrong dead letters, if that many are asked for",
  ["kafka", "postgres"],
  async () => {
    await using stack = await openStack({ partitions: 1 });
    const { topic, database: { connection }, env } = stack;
    const fromMs = hourAgo(2);
    await kcatProduce(topic, eventsOf("one", { fromMs, minutes: 1, perMinute: MANY }));
    await countAll(stack);
    await connection.query({
      text: `
        insert into lottery_aggregates
          (window_start, window_end, lottery_name, event_type, event_count)
        select window_start, window_end, 'extra ' || n, event_type, 1
        from (select * from lottery_aggregates order by window_start limit 1) as counted,
          generate_series(1, ${MANY}) as n`,
    });

    const audit = async (...args: string[]) => {
      const { code, stdout, stderr } = await runProgram(["audit", "--limit", "1000000", ...args], {
        env,
      });
      assert.equal(code, 1, stderr);
      assert.equal(stderr, "");
      return stdout;
    };
    const { verdict, row_differences } = JSON.parse(await audit("--json"));
    assert.equal(verdict, "wrong");
    assert.equal(row_differences.length, MANY);

    await connection.query({
      text: `
        insert into dead_letters (topic, partition, kafka_offset, reason, headers)
        select '${topic.name}', 0, n, 'not_json', '[]' from generate_series(0, ${MANY - 1}) as n`,
    });

    const lines = (await audit()).split("\n");
    const count = (pattern: RegExp) => lines.filter((line) => pattern.test(line)).length;
    assert.equal(count(/ extra \d+ +pay +1 +– +should not exist$/), MANY);
    assert.equal(count(/^ +0 +\d+ +not_json +should not exist$/), MANY);
    assert.equal(count(/see --limit/), 0);
    assert.equal(count(/^WRONG: /), 1);
  },
);
