import assert from "node:assert/strict";
import { eventually } from "../support/eventually.ts";
import { faultTest } from "../support/fault_stand.ts";
import { MailServer } from "../support/mail_server.ts";
import { readiness } from "../support/worker_endpoints.ts";

faultTest(
  "commits that are fenced again and again though nothing moves: told once, not ready, and stopped after a minute",
  {},
  async (stand) => {
    await using mails = await MailServer.start();
    await using worker = await stand.startWorker({ ...stand.env(), ...mails.env });
    const [, url] = await worker.printed(/Page on (http:[^ ]+\/),/);
    await stand.produce(2_000);
    await stand.caughtUp();
    const { connection } = stand.database;
    await connection.query({
      text: `
        create function refuse() returns trigger language plpgsql as $$
        begin raise exception 'refused by nobody' using errcode = 'LE001'; end $$;
        create trigger refuse before insert on lottery_aggregates
          for each statement execute function refuse()`,
    });
    await stand.produce(2_000);
    await worker.printed(/PostgreSQL refuses every commit although no other worker has committed/);
    await eventually(async () => await readiness(url!) === 503);
    await mails.received(/refuses every commit/);
    assert.equal(await worker.exitCode(), 1, worker.stderr);
    assert.match(worker.stderr, /Cannot continue: .*Check for a trigger.*refused by nobody/);
    assert.equal(worker.stderr.match(/"message":"PostgreSQL refuses every commit/g)?.length, 1);

    await connection.query({ text: "drop trigger refuse on lottery_aggregates" });
    await using _next = await stand.startWorker();
    await stand.assertExact();
  },
);
