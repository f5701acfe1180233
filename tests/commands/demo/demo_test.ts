import assert from "node:assert/strict";
import { join } from "node:path";
import { openDemoLog } from "../../../lib/commands/demo/log.ts";
import { OperatorError } from "../../../lib/core/failure.ts";
import { GeneratedLog } from "../../../lib/core/simulation/generated_log.ts";
import { EventParser } from "../../../lib/core/windowing/event.ts";
import { EmbeddedPostgres } from "../../../lib/io/pglite.ts";
import { Connection } from "../../../lib/io/postgres/session/connection.ts";
import { makeLines } from "../../support/event_lines.ts";
import { eventually } from "../../support/eventually.ts";
import { assertBooksBalance, Expectation } from "../../support/expectation.ts";
import { temporaryDirectory } from "../../support/temporary_directory.ts";
import { Program, runProgram } from "../../support/worker_process.ts";

/** Nothing of the demo may need what the machine has: the settings point nowhere. */
const env = { KAFKA_BROKERS: "127.0.0.1:1", DATABASE_URL: "postgres://nobody@127.0.0.1:1/nothing" };

async function metric(url: string, name: string): Promise<number> {
  const text = await (await fetch(`${url}metrics`)).text();
  return Number(text.match(new RegExp(`^${name} (.+)$`, "m"))?.[1] ?? NaN);
}

async function pageUrl(program: Program): Promise<string> {
  return (await program.printed(/Page on (http:[^ ]+\/),/))[1]!;
}

async function withStored(dataDir: string, look: (connection: Connection) => Promise<void>) {
  await using database = await EmbeddedPostgres.open(join(dataDir, "postgres"));
  await using connection = new Connection(database.url);
  await look(connection);
}

Deno.test("demo shows counts on its page and in its metrics, with nothing installed", async () => {
  await using program = await Program.start(["demo"], { env: { ...env, LOG_FORMAT: "" } });
  const url = await pageUrl(program);
  await eventually(async () => await metric(url, "lottery_events_total") > 0);
  await eventually(async () => {
    // It begins days ago.
    const from = new Date(Date.now() - 8 * 86_400_000).toISOString();
    const counts = await (await fetch(`${url}api/aggregates?lottery=mega_draw&from=${from}`))
      .json();
    return counts.aggregates.length > 0;
  });
  assert.equal((await fetch(`${url}healthz`)).status, 200);
  assert.equal((await fetch(`${url}readyz`)).status, 200);
  program.signal("SIGINT");
  assert.equal(await program.exitCode(), 0, program.stderr);

  // Where nobody looks it writes JSON lines, and nothing of a status.
  const lines = program.stderr.trimEnd().split("\n").map((line) => JSON.parse(line));
  for (const { level, message } of lines) {
    assert.equal(level, "info");
    assert.doesNotMatch(message, /\/s · |last commit/);
  }
  assert.match(
    lines.at(-1).message,
    /^Stopped: counted [\d,]+ events and kept [\d,]+ dead letters? in /,
  );
  assert.ok(!`${program.stderr}${program.stdout}`.includes("\x1b"));
  assert.equal(program.stdout, "");
});

Deno.test("demo knows its worker and its rate, and no partition ends before what is stored", async () => {
  await using program = await Program.start(["demo"], { env });
  const url = await pageUrl(program);
  const status = async () => (await (await fetch(`${url}api/status`)).json()).all_workers;
  await eventually(async () => {
    const all = await status();
    return all.workers === 1 && all.events_per_second !== null && all.lag_records !== null;
  });
  for (let looks = 0; looks < 20; looks++) {
    for (const { stored_offset, end_offset } of (await status()).partitions) {
      assert.ok(end_offset >= stored_offset, `${end_offset} < ${stored_offset}`);
    }
  }
});

Deno.test("demo --data-dir counts every generated event once, although it is killed", async () => {
  const dataDir = await Deno.makeTempDir();
  try {
    for (let round = 1; round <= 3; round++) {
      await using program = await Program.start(["demo", "--data-dir", dataDir], { env });
      const url = await pageUrl(program);
      await eventually(async () => await metric(url, "lottery_events_total") > 100);
      program.signal("SIGKILL");
      await program.exitCode();
    }
    const generated = new GeneratedLog(
      JSON.parse(await Deno.readTextFile(join(dataDir, "generator.json"))),
    );
    const parser = new EventParser({ maxFutureMs: 300_000 });
    const encoder = new TextEncoder();
    await withStored(dataDir, async (connection) => {
      const offsets = await connection.query<{ partition: number; next_offset: number }>({
        text: "select partition, next_offset from kafka_offsets",
      });
      assert.equal(offsets.length, 4);
      // A slow machine has not begun with every partition when it is killed.
      assert.ok(offsets.some(({ next_offset }) => next_offset > 0));
      const expected = new Expectation();
      for (const { partition, next_offset } of offsets) {
        for (let n = partition; n < next_offset * 4; n += 4) {
          const { value, timestampMs: recordTimestampMs } = generated.record(n);
          const bytes = typeof value === "string"
            ? encoder.encode(value)
            : value ?? new Uint8Array();
          const start = value === null ? -1 : 0;
          const parsed = parser.parse(bytes, { start, end: bytes.length, recordTimestampMs });
          if (typeof parsed === "string") expected.addDead(parsed);
          else expected.add(parsed.lotteryName, parsed.eventType, parsed.timestampMs);
        }
      }
      await expected.assertStored(connection);
      await assertBooksBalance(connection);
    });
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
});

Deno.test("demo says why it cannot go on with the events of a directory", async () => {
  await using directory = await temporaryDirectory();
  const dataDir = directory.path;
  const state = { seed: 1, rate: 200, startMs: 1, lotteries: 12, badShare: 0, lateShare: 0 };
  const past = { days: 8, share: 0.1 };
  const current = { ...state, version: 3, begunMs: 1, past, speed: 60 };
  const cases: readonly (readonly [file: string, message: RegExp])[] = [
    [JSON.stringify(state), /another version of this program generated them/],
    [JSON.stringify({ ...current, version: 2 }), /another version of this program generated them/],
    [JSON.stringify({ ...current, speed: "fast" }), /Remove the directory to start over/],
    ["{", /Remove the directory to start over/],
    [JSON.stringify(current), /at another speed: it was started with --speed 60/],
  ];
  for (const [file, message] of cases) {
    await Deno.writeTextFile(join(dataDir, "generator.json"), file);
    const options = { dataDir, speed: 1 };
    await assert.rejects(openDemoLog(options), (error) => {
      assert.ok(error instanceof OperatorError);
      assert.match(error.message, message);
      return true;
    });
  }
  assert.equal((await openDemoLog({ dataDir, speed: undefined })).speed, 60);
});

Deno.test("demo --file counts a file, and goes on with the lines that were added", async () => {
  const dataDir = await Deno.makeTempDir();
  const file = join(dataDir, "events.ndjson");
  const expected = new Expectation();
  const append = async (count: number) => {
    // A line has no time of its own, and is never missing.
    const lines = makeLines(count, expected, { without: ["tombstone", "timestamp_in_future"] });
    for (const line of lines) {
      const bytes = typeof line === "string" ? new TextEncoder().encode(line) : line;
      await Deno.writeFile(file, bytes, { append: true });
      await Deno.writeTextFile(file, "\n", { append: true });
    }
    return lines.length;
  };
  const count = async (records: number) => {
    await using program = await Program.start(["demo", "--file", file, "--data-dir", dataDir], {
      env,
    });
    const url = await pageUrl(program);
    await eventually(async () => await metric(url, "lottery_events_total") >= records * 0.9);
    program.signal("SIGTERM");
    assert.equal(await program.exitCode(), 0, program.stderr);
  };
  try {
    await count(await append(2_000));
    await count(await append(500));
    await withStored(dataDir, async (connection) => {
      await expected.assertStored(connection);
      await assertBooksBalance(connection);
    });

    // Another file is another log.
    await Deno.writeTextFile(file, `${JSON.stringify({ other: "file" })}\n`);
    const { code, stderr } = await runProgram(["demo", "--file", file, "--data-dir", dataDir], {
      env,
    });
    assert.equal(code, 1);
    assert.match(stderr, /other settings/);
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
});

Deno.test("demo audits itself, also when nothing has come since its last run", async () => {
  await using directory = await temporaryDirectory();
  const file = join(directory.path, "events.ndjson");
  const timestamp = Date.now();
  const event = { lottery_name: "mega_draw", event_type: "pay", timestamp };
  await Deno.writeTextFile(file, `${JSON.stringify(event)}\n`.repeat(1_000) + "no event\n");
  const audited = async (before: string | null): Promise<string> => {
    const args = ["demo", "--file", file, "--data-dir", join(directory.path, "data")];
    await using program = await Program.start(args, { env });
    const url = await pageUrl(program);
    const audit = await eventually(async () => {
      const { audit } = await (await fetch(`${url}api/status`)).json();
      return audit !== null && audit.at !== before && audit;
    });
    const { verdict, records, rows, wrong } = audit;
    // A window, its hour, and the dead letter.
    assert.deepEqual({ verdict, records, rows, wrong }, {
      ...{ verdict: "agrees", records: 1_001, rows: 3, wrong: 0 },
    });
    program.signal("SIGTERM");
    assert.equal(await program.exitCode(), 0, program.stderr);
    return audit.at;
  };
  await audited(await audited(null));
});

Deno.test("demo --file - counts standard input", async () => {
  await using program = await Program.start(["demo", "--file", "-"], { env, stdin: "piped" });
  const writer = program.stdin.getWriter();
  const lines = makeLines(1_000, new Expectation()).filter((line) => typeof line === "string");
  await writer.write(new TextEncoder().encode(lines.join("\n")));
  await writer.close();
  const url = await pageUrl(program);
  await eventually(async () => await metric(url, "lottery_events_total") === 990);
  program.signal("SIGTERM");
  assert.equal(await program.exitCode(), 0, program.stderr);
});

Deno.test("demo says why it cannot read its file", async () => {
  const missing = await runProgram(["demo", "--file", "/not/there.ndjson"], { env });
  assert.equal(missing.code, 1);
  assert.match(
    missing.stderr,
    /Cannot read the file \/not\/there.ndjson. Check the path given with --file/,
  );
  await using directory = await temporaryDirectory();
  const notAgain = await runProgram(["demo", "--file", "-", "--data-dir", directory.path], { env });
  assert.equal(notAgain.code, 1);
  assert.match(notAgain.stderr, /standard input, which cannot be read again/);
});
