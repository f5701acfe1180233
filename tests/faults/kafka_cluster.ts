import assert from "node:assert/strict";
import { makeLines } from "../support/event_lines.ts";
import { eventually } from "../support/eventually.ts";
import { Expectation } from "../support/expectation.ts";
import { faultTest } from "../support/fault_stand.ts";
import { kcatProduce } from "../support/kcat.ts";
import { MailServer } from "../support/mail_server.ts";
import { Program, runProgram } from "../support/worker_process.ts";

/** Within so long every worker has to tell of a partition without a leader. */
const TOLD_MS = 75_000;

async function pageOf(worker: Program): Promise<string> {
  return (await worker.printed(/Page on (http:[^ ]+\/),/))[1]!;
}

/** Resolves when the worker of this page tells everywhere that partition 1, without a leader, is not counted. */
async function tells(page: string): Promise<void> {
  const said = new Set<string>();
  await eventually(async () => {
    const response = await fetch(`${page}readyz`);
    const text = await response.text();
    said.add(text);
    assert.equal(response.status, 503);
    assert.match(text, /^partition 1 is not counted.*: no leader.* on broker 2, which is down/m);
  }, { timeoutMs: TOLD_MS });
  assert.doesNotMatch([...said].join("\n"), /PostgreSQL does not answer/);
  const metrics = await (await fetch(`${page}metrics`)).text();
  assert.match(metrics, /^lottery_uncounted_partitions 1$/m);
  const { all_workers } = await (await fetch(`${page}api/status`)).json();
  const uncounted: { partition: number; reason: string }[] = all_workers.uncounted_partitions;
  assert.deepEqual(uncounted.map((each) => [each.partition, each.reason]), [[1, "no_leader"]]);
}

faultTest(
  "a frozen broker of three, the first that is named, stops no worker and no command; nor does one that is killed",
  { ownsCluster: true },
  async (stand) => {
    const [first, second] = stand.cluster!.brokers;
    await using worker = await stand.startWorker();
    await stand.produce(5_000);
    await stand.progress();

    first!.freeze();
    await stand.produce(5_000);
    await stand.caughtUp();
    await using late = await stand.startWorker();
    for (
      const args of [
        ["status"],
        ["doctor"],
        ["produce", "--count", "100", "--rate", "max", "--yes"],
        ["start", "--once"],
        ["audit"],
      ]
    ) {
      const { code, stdout, stderr } = await runProgram(args, { env: stand.env() });
      assert.equal(code, 0, `${args.join(" ")}: ${stdout}${stderr}`);
    }
    await stand.assertExact();

    // A broker that was frozen takes itself for the leader that it was, for some tenths of a second.
    await stand.whileProducing(async () => {
      first!.thaw();
      await stand.cluster!.complete();
    });
    await stand.assertExact();

    second!.kill();
    await stand.produce(5_000);
    await stand.assertExact();
    await second!.restart();
    await stand.produce(5_000);
    await stand.assertExact();
    for (const each of [worker, late]) {
      each.signal("SIGTERM");
      assert.equal(await each.exitCode(), 0, each.stderr);
    }
  },
);

faultTest(
  "a partition without a leader: the others are counted, everything says which it is, and it is counted once it is back",
  { ownsCluster: true, replicas: [[1], [2], [3]] },
  async (stand) => {
    const broker = stand.cluster!.brokers[1]!;
    await using mails = await MailServer.start();
    const env = { ...stand.env(), ...mails.env };
    await using worker = await stand.startWorker(env);
    const page = await pageOf(worker);
    const readiness = async () => (await (await fetch(`${page}readyz`)).text()).trim();
    await stand.produce(5_000);
    await stand.caughtUp();
    assert.equal(await readiness(), "ok");

    broker.kill();
    const before = await stand.recordsRead();
    const lines = makeLines(1_000, new Expectation());
    for (const partition of [0, 2]) await kcatProduce(stand.topic, lines, { partition });
    const isRead = async () => await stand.recordsRead() === before + 2_000;
    await eventually(isRead, { timeoutMs: 60_000 });
    await eventually(async () => /^not reading partition 1: no leader/.test(await readiness()));
    await worker.printed(/Cannot read partition 1: no leader.* on broker 2, which is down/);

    // One that starts now counts what it can, too. Only one of them was given the partition; both tell.
    await using late = await Program.start(["start"], { env });
    const latePage = await pageOf(late);
    await Promise.all([
      tells(page),
      tells(latePage),
      (async () => {
        await late.printed(/Reading \d+ partition|No partition assigned/);
        await kcatProduce(stand.topic, lines, { partition: 0 });
        await eventually(async () => await stand.recordsRead() === before + 3_000, {
          timeoutMs: 60_000,
        });
      })(),
    ]);
    const mail = await mails.received(/Some partitions are not being counted/);
    assert.match(mail.text.replaceAll(/\s+/g, " "), /partition 1 is not counted.*: no leader/);
    for (const [args, code] of [["status", 1], ["doctor", 1], ["audit", 4]] as const) {
      const result = await runProgram([args], { env: stand.env() });
      assert.equal(result.code, code, result.stderr);
      assert.match(result.stdout + result.stderr, /partition 1.*no leader/);
    }
    const once = await runProgram(["start", "--once"], { env: stand.env() });
    assert.equal(once.code, 1);
    assert.match(once.stderr, /Cannot read all of .*: partition 1: no leader/);

    await broker.restart();
    await stand.produce(5_000);
    await stand.assertExact();
    await eventually(async () => await readiness() === "ok");
    assert.doesNotMatch(late.stderr, /PostgreSQL does not answer|Waiting for PostgreSQL/);
    await eventually(() =>
      /All assigned partitions can be read again/.test(worker.stderr + late.stderr)
    );
  },
);
