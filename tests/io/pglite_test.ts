import assert from "node:assert/strict";
import { EmbeddedPostgres } from "../../lib/io/pglite.ts";
import { Connection } from "../../lib/io/postgres/session/connection.ts";

const CONNECTIONS = 5;
const QUERIES = 20;

Deno.test("EmbeddedPostgres gives each connection its own answers, whatever others do at the same time", async () => {
  await using database = await EmbeddedPostgres.open();
  const ask = async (connection: Connection, id: number, turn: number) => {
    const rows = await connection.query({
      text: `select $1::integer * ${id} as product, $2::text as name`,
      values: [turn, `${id} ${turn}`],
    });
    assert.deepEqual(rows, [{ product: turn * id, name: `${id} ${turn}` }]);
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, async (_, id) => {
    let connection = new Connection(database.url);
    for (let turn = 0; turn < QUERIES; turn++) {
      if (id > 1) await ask(connection, id, turn);
      else {
        await connection.transaction(async () => {
          await connection.query({ text: "declare numbers cursor for select 7 as number" });
          await ask(connection, id, turn);
          assert.deepEqual(await connection.query({ text: "fetch 5 from numbers" }), [
            { number: 7 },
          ]);
        });
      }
      if (turn % 10 === id) {
        await connection[Symbol.asyncDispose]();
        connection = new Connection(database.url);
      }
    }
    await connection[Symbol.asyncDispose]();
  }));
});

Deno.test("EmbeddedPostgres ends the transaction of a connection that is closed", async () => {
  await using database = await EmbeddedPostgres.open();
  await using other = new Connection(database.url);
  await other.query({ text: "create table numbers (number integer)" });
  const connection = new Connection(database.url);
  await connection.query({ text: "begin" });
  await connection.query({ text: "insert into numbers values ($1)", values: [1] });
  const waiting = other.query({
    text: "select number from numbers where number = $1",
    values: [1],
  });
  await connection[Symbol.asyncDispose]();
  assert.deepEqual(await waiting, []);
});

/** Asks for a session, and begins a query that it does not finish. */
async function beginQuery({ hostname, port }: URL): Promise<Deno.TcpConn> {
  const text = (...texts: string[]) => new TextEncoder().encode(texts.join("\0") + "\0");
  const withLength = (body: Uint8Array) => {
    const message = new Uint8Array(4 + body.length);
    new DataView(message.buffer).setUint32(0, message.length);
    message.set(body, 4);
    return message;
  };
  const startup = withLength(
    new Uint8Array([0, 3, 0, 0, ...text("user", "postgres", "database", "postgres", "")]),
  );
  const parse = withLength(new Uint8Array([...text("", "select 1 / 0"), 0, 0]));
  const connection = await Deno.connect({ hostname, port: Number(port) });
  await connection.write(startup);
  await connection.read(new Uint8Array(4_096)); // it is ready
  await connection.write(new Uint8Array(["P".charCodeAt(0), ...parse]));
  return connection;
}

Deno.test("EmbeddedPostgres answers others when a connection is closed within a query", async () => {
  await using database = await EmbeddedPostgres.open();
  await using other = new Connection(database.url);
  for (let turn = 0; turn < 20; turn++) {
    const connection = await beginQuery(new URL(database.url));
    const answers = [
      other.query({ text: "select $1::integer as turn", values: [turn] }),
      other.query({ text: `select ${turn} as turn` }),
    ];
    connection.close();
    assert.deepEqual(await Promise.all(answers), [[{ turn }], [{ turn }]]);
  }
});
