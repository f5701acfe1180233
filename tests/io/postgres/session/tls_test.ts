import assert from "node:assert/strict";
import { isPassing, OperatorError, UnavailableError } from "../../../../lib/core/failure.ts";
import { Connection } from "../../../../lib/io/postgres/session/connection.ts";
import { makeLines } from "../../../support/event_lines.ts";
import { Expectation } from "../../../support/expectation.ts";
import { createTopic } from "../../../support/kafka.ts";
import { kcatProduce } from "../../../support/kcat.ts";
import { createDatabase } from "../../../support/postgres.ts";
import { type SecuredPostgres, securedPostgres } from "../../../support/secured_postgres.ts";
import { serverTest } from "../../../support/servers.ts";
import { runProgram } from "../../../support/worker_process.ts";

type Url = (server: SecuredPostgres) => string;

/** The URL with another user, host or database, and with these parameters. */
function changed(
  base: string,
  parameters: Readonly<Record<string, string>>,
  parts: Partial<Pick<URL, "username" | "password" | "hostname" | "pathname">> = {},
): string {
  const url = Object.assign(new URL(base), parts);
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return url.href;
}

const asCounter = { username: "counter", password: "" };

const ACCEPTED: Readonly<Record<string, Url>> = {
  "require, whatever the certificate": ({ expiredUrl }) =>
    changed(expiredUrl, { sslmode: "require" }),
  "require with an authority": ({ url, caFile }) =>
    changed(url, { sslmode: "require", sslrootcert: caFile }),
  "verify-ca, whatever the host": ({ otherHostUrl, caFile }) =>
    changed(otherHostUrl, { sslmode: "verify-ca", sslrootcert: caFile }),
  "verify-full of an address": ({ url, caFile }) =>
    changed(url, { sslmode: "verify-full", sslrootcert: caFile }),
  "verify-full of a name": ({ url, caFile }) =>
    changed(url, { sslmode: "verify-full", sslrootcert: caFile }, { hostname: "localhost" }),
  "verify-full with a client certificate": ({ url, caFile, client }) =>
    changed(url, {
      sslmode: "verify-full",
      sslrootcert: caFile,
      sslcert: client.certFile,
      sslkey: client.keyFile,
    }, asCounter),
};

for (const [name, urlOf] of Object.entries(ACCEPTED)) {
  serverTest(`Connection encrypts with sslmode ${name}`, ["initdb", "openssl"], async () => {
    const server = await securedPostgres();
    await makeCounter(server);
    await using connection = new Connection(urlOf(server));
    const [row] = await connection.query<{ ssl: boolean }>({
      text: "select ssl from pg_stat_ssl where pid = pg_backend_pid()",
    });
    assert.equal(row!.ssl, true);
  });
}

async function makeCounter({ url }: SecuredPostgres): Promise<void> {
  await using connection = new Connection(url);
  await connection.query({ text: "create role counter login" })
    .catch((error) => assert.equal(error.code, "42710")); // it is there already
}

interface Refusal {
  readonly name: string;
  readonly url: Url;
  readonly message: RegExp;
}

const UNTRUSTED = /not signed by a trusted authority. Set sslrootcert of DATABASE_URL/;
const NOT_LET_IN = /does not allow this user to connect this way. Check its pg_hba.conf/;

const REFUSALS: readonly Refusal[] = [
  {
    name: "a server that offers no TLS",
    url: ({ openUrl }) => changed(openUrl, { sslmode: "require" }),
    message:
      /over TLS: the server does not support it. Enable ssl on the server, or set sslmode of DATABASE_URL to/,
  },
  {
    name: "verify-full and another authority",
    url: ({ url, otherCaFile }) =>
      changed(url, { sslmode: "verify-full", sslrootcert: otherCaFile }),
    message: UNTRUSTED,
  },
  {
    name: "verify-ca and another authority",
    url: ({ url, otherCaFile }) => changed(url, { sslmode: "verify-ca", sslrootcert: otherCaFile }),
    message: UNTRUSTED,
  },
  {
    name: "require and another authority",
    url: ({ url, otherCaFile }) => changed(url, { sslmode: "require", sslrootcert: otherCaFile }),
    message: UNTRUSTED,
  },
  {
    name: "verify-full and an authority of which the system knows nothing",
    url: ({ url }) => changed(url, { sslmode: "verify-full" }),
    message: UNTRUSTED,
  },
  {
    name: "verify-full and a certificate for another host",
    url: ({ otherHostUrl, caFile }) =>
      changed(otherHostUrl, { sslmode: "verify-full", sslrootcert: caFile }),
    message: /certificate is for another host. Set the host of DATABASE_URL/,
  },
  {
    name: "verify-ca and an expired certificate",
    url: ({ expiredUrl, caFile }) =>
      changed(expiredUrl, { sslmode: "verify-ca", sslrootcert: caFile }),
    message: /certificate is expired or not valid yet/,
  },
  {
    name: "a client certificate by another authority",
    url: ({ url, otherClient: { certFile, keyFile } }) =>
      changed(url, { sslmode: "require", sslcert: certFile, sslkey: keyFile }, asCounter),
    message: /rejects our certificate. Check sslcert and sslkey of DATABASE_URL/,
  },
  {
    name: "no client certificate where one is wanted",
    url: ({ url }) => changed(url, { sslmode: "require" }, asCounter),
    message: NOT_LET_IN,
  },
  {
    name: "a user whom pg_hba.conf rejects",
    url: ({ url }) => changed(url, { sslmode: "require" }, { username: "banned" }),
    message: NOT_LET_IN,
  },
  {
    name: "no TLS where pg_hba.conf wants it",
    url: ({ url }) => changed(url, { sslmode: "disable" }, { pathname: "/template1" }),
    message: NOT_LET_IN,
  },
  {
    name: "a wrong password",
    url: ({ url }) => changed(url, { sslmode: "require" }, { password: "hunter2" }),
    message: /it rejects the user or password. Check DATABASE_URL/,
  },
  {
    name: "a file that is not there",
    url: ({ url }) => changed(url, { sslmode: "verify-full", sslrootcert: "/not/there.pem" }),
    message: /Cannot read the file that sslrootcert of DATABASE_URL names: \/not\/there.pem/,
  },
  {
    name: "a key that belongs to another certificate",
    url: ({ url, client, otherClient }) =>
      changed(url, {
        sslmode: "require",
        sslcert: client.certFile,
        sslkey: otherClient.keyFile,
      }),
    message:
      /sslcert of DATABASE_URL and sslkey of DATABASE_URL name: the key does not belong to the cert/,
  },
];

for (const { name, url, message } of REFUSALS) {
  serverTest(`Connection needs a person because of ${name}`, ["initdb", "openssl"], async () => {
    await assertRefused(url(await securedPostgres()), message);
  });
}

async function assertRefused(url: string, message: RegExp): Promise<void> {
  await using connection = new Connection(url);
  await assert.rejects(connection.query({ text: "select 1" }), (error: Error) => {
    assert.ok(error instanceof OperatorError && !isPassing(error), String(error));
    assert.match(error.message, message);
    assert.doesNotMatch(error.message, /hunter2|admin:admin/);
    return true;
  });
}

for (
  const [name, answer] of Object.entries({
    "says nothing and hangs up": "",
    "agrees to TLS and hangs up": "S",
    "agrees to TLS and talks of something else": "Sorry, not now",
    "answers with an error": "EFATAL",
  })
) {
  Deno.test(`Connection waits for a server that ${name}, as one that is just starting`, async () => {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const answering = (async () => {
      using client = await listener.accept();
      await client.read(new Uint8Array(8));
      await client.write(new TextEncoder().encode(answer));
    })();
    await using connection = new Connection(
      `postgres://admin:admin@127.0.0.1:${listener.addr.port}/lottery_db?sslmode=verify-full`,
    );
    await assert.rejects(
      connection.query({ text: "select 1" }),
      (error) => error instanceof UnavailableError && isPassing(error),
    );
    await answering;
  });
}

serverTest("start counts into a server that it verifies, and doctor says what keeps it from that", [
  "kafka",
  "initdb",
  "openssl",
], async () => {
  const { url, caFile, otherCaFile } = await securedPostgres();
  const verified = { sslmode: "verify-full", sslrootcert: caFile };
  await using database = await createDatabase(changed(url, verified));
  await using topic = await createTopic();
  const expected = new Expectation();
  await kcatProduce(topic, makeLines(2_000, expected));
  const env = {
    KAFKA_BROKERS: topic.brokers,
    KAFKA_TOPIC: topic.name,
    KAFKA_GROUP_ID: topic.config.groupId,
    DATABASE_URL: database.url,
  };
  const { code, stderr } = await runProgram(["start", "--once"], { env });
  assert.equal(code, 0, stderr);
  await expected.assertStored(database.connection);

  const wrong = changed(database.url, { sslrootcert: otherCaFile });
  for (const command of ["doctor", "start"]) {
    const refused = await runProgram([command], { env: { ...env, DATABASE_URL: wrong } });
    assert.equal(refused.code, 1);
    assert.match(refused.stdout + refused.stderr, UNTRUSTED);
    assert.doesNotMatch(refused.stdout + refused.stderr, /admin:admin/);
  }
});
