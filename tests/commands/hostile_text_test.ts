import assert from "node:assert/strict";
import { runProgram } from "../support/worker_process.ts";

/** A mail server whose greeting clears the screen and renames the window. */
function hostileMailServer(): { readonly port: number } & Disposable {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  (async () => {
    for await (const connection of listener) {
      const greeting = "554 no\x1b[2J\x1b]0;renamed\x07\u009b31m\u202e service\r\n";
      await connection.write(new TextEncoder().encode(greeting));
      connection.close();
    }
  })().catch(() => {});
  return { port: listener.addr.port, [Symbol.dispose]: () => listener.close() };
}

Deno.test("nothing that a mail server says moves a terminal's cursor", async () => {
  using server = hostileMailServer();
  const env = {
    SMTP_HOST: "127.0.0.1",
    SMTP_PORT: String(server.port),
    ALERT_FROM: "a@b.example",
    ALERT_TO: "c@d.example",
    LOG_FORMAT: "pretty",
    LOG_LEVEL: "debug",
  };
  const { code, stderr } = await runProgram(["alert", "it broke"], { env });
  assert.equal(code, 1);
  assert.match(stderr, /554 no\\u\{1b\}\[2J/);
  assert.doesNotMatch(stderr.replaceAll("\n", ""), /[\p{Cc}\p{Cf}]/u);

  const doctor = await runProgram(["doctor"], { env });
  assert.match(doctor.stdout, /^FAIL {2}SMTP: .*554 no\\u\{1b\}\[2J/m);
  assert.doesNotMatch(doctor.stdout.replaceAll("\n", ""), /[\p{Cc}\p{Cf}]/u);
});
