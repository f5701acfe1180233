import assert from "node:assert/strict";
import { makeLines } from "../../support/event_lines.ts";
import { eventually } from "../../support/eventually.ts";
import { Expectation } from "../../support/expectation.ts";
import { freePort } from "../../support/free_port.ts";
import { kcatProduce } from "../../support/kcat.ts";
import { MailServer } from "../../support/mail_server.ts";
import { serverTest } from "../../support/servers.ts";
import { openStack, recordsRead } from "../../support/stack.ts";
import { Program, runProgram } from "../../support/worker_process.ts";

const LOGIN = { username: "pipeline", password: "hunter2 " };

for (const isSecure of [false, true]) {
  const how = isSecure ? "TLS from the first byte" : "STARTTLS";
  serverTest(`alert sends one mail, over ${how}, with a login`, ["openssl"], async () => {
    await using server = await MailServer.start({ isSecure, login: LOGIN });
    const text = "worker failed\r\nBcc: everybody@example.org ü";
    const { code, stderr } = await runProgram(["alert", text], { env: server.env });
    assert.equal(code, 0, stderr);
    assert.match(
      stderr,
      /Sent to operators@example.org through localhost; the mail server answered: 250/,
    );
    const mail = await server.received(/worker failed Bcc: everybody@example.org ü$/);
    assert.equal(mail.isEncrypted, true);
    assert.equal(mail.user, "pipeline");
    assert.doesNotMatch(mail.raw.split("\r\n\r\n")[0]!, /^Bcc:/m);
    assert.match(mail.raw, /^To: operators@example.org\r$/m);
    assert.match(mail.text, /^What to do\r?\n {2}Find out why it was sent.\r?$/m);
    assert.match(mail.html, /<h4[^>]*>What to do<\/h4><div[^>]*>Find out why it was sent.<\/div>/);
  });
}

serverTest(
  "alert and doctor say what the mail server answered, without the password",
  ["openssl"],
  async () => {
    await using server = await MailServer.start({ login: LOGIN });
    const env = { ...server.env, SMTP_PASSWORD: "wrong" };
    for (const args of [["alert", "x"], ["doctor"]]) {
      const { code, stderr, stdout } = await runProgram(args, { env });
      assert.equal(code, 1);
      assert.match(stderr + stdout, /Check SMTP_HOST.*535 .*bad login/s);
      assert.doesNotMatch(stderr + stdout, /wrong"|hunter2/);
    }
    const unset = await runProgram(["alert", "x"]);
    assert.equal(unset.code, 1);
    assert.match(unset.stderr, /SMTP_HOST is not set/);
  },
);

serverTest(
  "doctor --mail sends a test mail and says what the server answered",
  ["openssl"],
  async () => {
    await using server = await MailServer.start();
    const env = { ...server.env, KAFKA_BROKERS: `127.0.0.1:${freePort()}` };
    const { stdout } = await runProgram(["doctor", "--mail"], { env });
    assert.match(stdout, /^ok {4}Test mail: the server answered: 250/m);
    await server.received(/This is a test mail/);
  },
);

serverTest(
  "start mails why it stops, with all that a person needs",
  ["kafka", "postgres", "openssl"],
  async () => {
    await using server = await MailServer.start();
    await using stack = await openStack();
    const env = { ...stack.env, ...server.env };
    assert.equal((await runProgram(["start", "--once"], { env })).code, 0);
    const { code } = await runProgram(["start"], { env: { ...env, WINDOW_SECONDS: "30" } });
    assert.equal(code, 1);
    const { text } = await server.received(/A worker has stopped and requires operator action/);
    assert.match(text, /WINDOW_SECONDS is 30, but was 60/);
    for (
      const name of ["What to do", "What the worker is doing", "Since", "Worker", "Last commit"]
    ) {
      assert.match(text, new RegExp(`^${name}\r?$`, "m"));
    }

    // Started again at once, as a supervisor does: the same cause is not mailed again.
    assert.equal((await runProgram(["start"], { env: { ...env, WINDOW_SECONDS: "30" } })).code, 1);
    assert.equal(server.mails.length, 1);
  },
);

serverTest("start and start --once mail what they cannot even begin for", ["openssl"], async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  for (
    const [args, settings, reason] of [
      [["start"], { HTTP_PORT: String(taken.addr.port) }, /Set HTTP_PORT/],
      [["start", "--once"], { KAFKA_SSL: "true", KAFKA_SSL_CA_FILE: "gone" }, /KAFKA_SSL_CA_FILE/],
    ] as const
  ) {
    await using server = await MailServer.start();
    const env = {
      ...server.env,
      ...settings,
      DATABASE_URL: `postgres://a@127.0.0.1:${freePort()}/b`,
    };
    assert.equal((await runProgram(args, { env })).code, 1);
    assert.match((await server.received(/A worker has stopped/)).text, reason);
  }
});

serverTest("start is not held up by a mail server that hangs", ["kafka", "postgres"], async () => {
  using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = silent.addr;
  await using stack = await openStack();
  const env = {
    ...stack.env,
    SMTP_HOST: "127.0.0.1",
    SMTP_PORT: String(port),
    ALERT_FROM: "a@example.org",
    ALERT_TO: "b@example.org",
  };
  assert.equal((await runProgram(["start", "--once"], { env })).code, 0);
  const accepted = silent.accept().then((connection) => ({ connection, at: performance.now() }));
  const { code } = await runProgram(["start"], { env: { ...env, WINDOW_SECONDS: "30" } });
  assert.equal(code, 1);
  const { connection, at } = await accepted;
  connection.close();
  const seconds = (performance.now() - at) / 1000;
  assert.ok(
    seconds > 3 && seconds < 8, // of the 5 s that it has for all of the mail, the claim comes before
    `${seconds} s: it waits for the last mail, but not for ever`,
  );
});

serverTest("start mails that many records are bad, and that another worker was killed", [
  "kafka",
  "postgres",
  "openssl",
], async () => {
  await using server = await MailServer.start();
  await using stack = await openStack();
  const { topic, database } = stack;
  // So many that a look between two commits does not mail yet.
  const env = { ...stack.env, ...server.env, ALERT_DEAD_LETTERS_PER_MINUTE: "100" };
  await using killed = await Program.start(["start"], { env });
  await killed.printed(/Reading 4 partitions/);
  killed.signal("SIGKILL");
  await killed.exitCode();

  await using worker = await Program.start(["start"], { env });
  const bad = Array.from({ length: 100 }, (_, n) => `bad ${n}`);
  await kcatProduce(topic, [...bad, ...makeLines(100, new Expectation())]);
  await eventually(async () => await recordsRead(database).catch(() => 0) === 200);
  const { text } = await server.received(/\d+ records of the last minute are not valid events/);
  assert.match(text, /not_json: 100/);
  await server.received(/A worker on .* died/);
  worker.signal("SIGTERM");
  assert.equal(await worker.exitCode(), 0, worker.stderr);
  const workers = await database.connection.query({ text: "select * from workers" });
  assert.deepEqual(workers, [], "the one that ended well has taken its entry back");
});
