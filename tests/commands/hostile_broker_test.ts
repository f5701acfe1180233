import assert from "node:assert/strict";
import { eventually } from "../support/eventually.ts";
import { Program, runProgram } from "../support/worker_process.ts";

/** What is no broker: it takes each request for one, and answers with nonsense. */
interface NoBroker extends Disposable {
  readonly address: string;
  /** How many requests it has answered. */
  readonly answers: number;
}

/** Lengths that no response has. For the last two as many bytes come. */
const LENGTHS = [-1, -(2 ** 31), 2 ** 31 - 1, 0, 3];

/** Answers as if each response had one of these lengths, in turn. */
function openNoBroker(lengths: readonly number[]): NoBroker {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  let answers = 0;
  const answer = async (connection: Deno.TcpConn) => {
    using _ = connection;
    const request = new Uint8Array(10_000);
    while (await connection.read(request) !== null) {
      const response = new Uint8Array(4 + 3);
      new DataView(response.buffer).setInt32(0, lengths[answers++ % lengths.length]!);
      await connection.write(response);
    }
  };
  (async () => {
    for await (const connection of listener) answer(connection).catch(() => {});
  })().catch(() => {});
  return {
    address: `127.0.0.1:${listener.addr.port}`,
    get answers() {
      return answers;
    },
    [Symbol.dispose]: () => listener.close(),
  };
}

/** What only an error that nobody has caught leaves behind, in our log or by the runtime. */
const UNCAUGHT = /"stack":|uncaught|unhandled|^\s+at /im;

Deno.test("doctor takes what sends responses of a length that none can have for no Kafka", async () => {
  for (const length of LENGTHS) {
    using server = openNoBroker([length]);
    const env = { KAFKA_BROKERS: server.address };
    const { code, stdout, stderr } = await runProgram(["doctor"], { env });
    assert.equal(code, 1, stderr);
    const told = `Cannot reach Kafka at .* a response cannot have ${length} bytes\\)$`;
    assert.match(stdout, new RegExp(`^FAIL {2}Kafka ${server.address}: ${told}`, "m"));
    assert.doesNotMatch(`${stdout}\n${stderr}`, UNCAUGHT);
  }
});

Deno.test("start waits for Kafka while responses have lengths that none can have, until it is stopped", async () => {
  using server = openNoBroker(LENGTHS);
  const env = { KAFKA_BROKERS: server.address, HTTP_PORT: "0" };
  await using worker = await Program.start(["start"], { env });
  await eventually(() => server.answers >= 3 * LENGTHS.length || UNCAUGHT.test(worker.stderr));
  assert.doesNotMatch(worker.stderr, UNCAUGHT);
  await worker.printed(/Waiting for Kafka, .* a response cannot have -?\d+ bytes/);
  worker.signal("SIGTERM");
  assert.equal(await worker.exitCode(), 0, worker.stderr);
  assert.match(worker.stderr, /Stopped: counted 0 events/);
  assert.doesNotMatch(worker.stderr, UNCAUGHT);
});
