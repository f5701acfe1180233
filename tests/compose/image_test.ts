import assert from "node:assert/strict";
import { readCompose } from "../support/compose.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/free_port.ts";
import { ImageFolder } from "../support/image_build.ts";
import { serverTest } from "../support/servers.ts";
import { openStack, recordsRead } from "../support/stack.ts";

serverTest(
  "what the image holds is enough to produce, count, be found healthy and stop, with nothing writable",
  ["kafka", "postgres"],
  async () => {
    const { worker, producer } = (await readCompose()).services;
    await using image = await ImageFolder.build(worker!.build!.dockerfile_inline);
    await using stack = await openStack();
    const port = String(freePort());
    const url = new URL(stack.database.url);
    const PGPASSWORD = url.password;
    url.password = ""; // the stack gives it apart
    const env = {
      ...worker!.environment,
      ...stack.env,
      DATABASE_URL: url.href,
      PGPASSWORD,
      HTTP_PORT: port,
      SMTP_HOST: "127.0.0.1",
    };

    // Some of its history, which has no bad events; then it continues with a topic in use.
    for (const args of [["--count=200"], ["--count=10", "--bad=1"]]) {
      const produced = await image.start([...producer!.command!, ...args], env).output();
      assert.equal(produced.code, 0, new TextDecoder().decode(produced.stderr));
    }

    await using running = asDisposable(image.start(worker!.command!, env));
    await eventually(async () => await recordsRead(stack.database) === 210);
    const [seen] = await stack.database.connection.query({
      text: `select
          (select sum(dead) > 0 from kafka_offsets) as has_bad,
          (select count(distinct window_start) > 3 from lottery_aggregates) as has_late`,
    });
    assert.deepEqual(seen, { has_bad: true, has_late: true });
    const page = await fetch(`http://127.0.0.1:${port}/`);
    assert.equal(page.status, 200);
    assert.match(await page.text(), /<!doctype html>/i);

    const [, ...health] = worker!.healthcheck!.test as readonly string[];
    const check = health.map((word) => word.replace("127.0.0.1:8000/", `127.0.0.1:${port}/`));
    assert.equal((await image.start(check).output()).code, 0);

    running.child.kill("SIGTERM");
    const { code, stderr } = await running.child.output();
    assert.equal(code, 0, new TextDecoder().decode(stderr));
    assert.notEqual((await image.start(check).output()).code, 0, "nobody is healthy any more");
  },
);

function asDisposable(child: Deno.ChildProcess) {
  return {
    child,
    [Symbol.asyncDispose]: async () => {
      try {
        child.kill("SIGKILL");
      } catch { /* it has ended */ }
      await child.status;
    },
  };
}
