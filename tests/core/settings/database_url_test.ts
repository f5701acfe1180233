import fc from "fast-check";
import assert from "node:assert/strict";
import { parseConfig } from "../../../lib/core/settings/config.ts";
import {
  databaseUrlProblem,
  parseDatabaseUrl,
  redacted,
  socketDirectory,
} from "../../../lib/core/settings/database_url.ts";

/** URLs, and what is shown of them. */
const SHOWN: Readonly<Record<string, string>> = {
  "postgres://admin:admin@localhost:5432/lottery_db": "admin@localhost:5432/lottery_db",
  "postgresql://u@db.example.org/counts?sslmode=require": "u@db.example.org/counts",
  "postgres://u:p%40ss%2F%23%3F%25@[::1]:5433/db": "u@[::1]:5433/db",
  "postgres://u:p@ss@host/db": "u@host/db",
  "postgres://lottery%40server:p@host/l%C3%B6tto": "lottery@server@host/lötto",
  "postgres:///lottery_db?host=/var/run/postgresql": "/var/run/postgresql/lottery_db",
  "postgres://u:p@/db?host=/var/run/postgresql&port=5433": "u@/var/run/postgresql:5433/db",
  "postgres://%2Fvar%2Frun%2Fpostgresql/db": "/var/run/postgresql/db",
  "postgres://u:p@%2Frun:5433/db": "u@/run:5433/db",
  "postgres://host/db?user=u&password=p": "u@host/db",
  "postgres://host/db&password=p": "host/db…", // a slip: it was to be a question mark
  "postgres://u%3Ap@host/db": "u…@host/db",
};

Deno.test("redacted() shows user, host or socket, port and database", () => {
  for (const [url, shown] of Object.entries(SHOWN)) {
    assert.equal(databaseUrlProblem(url), null, url);
    assert.equal(redacted(url), shown);
  }
});

Deno.test("a URL that a character of the password cuts short is refused with how to write it", () => {
  for (
    const url of [
      "postgres://admin:p#ss@host/db",
      "postgres://admin:p/ss@host/db",
      "postgres://admin:7/ss@host/db",
      "postgres://admin:p?ss@host/db",
      "postgres://admin:7?ss@host/db",
      "postgres://admin:p@s/s@host/db",
      "postgres://admin:100%@host/db",
      "postgres://admin:50%zz@host/db",
      "postgres://admin:%ff@host/db",
      "postgres://admin:p@host/db?password=p@ss",
      "postgres://admin:p@host/db#1",
    ]
  ) {
    const problem = databaseUrlProblem(url)!;
    assert.match(
      problem,
      /^must look like postgres:.* % as %25, # as %23, \/ as %2F, \? as %3F and @ as %40$/,
    );
    assert.equal(redacted(url), "the database of DATABASE_URL");
  }
});

Deno.test("a URL without a host is refused with how a Unix socket is named", () => {
  for (
    const url of ["postgres:///db", "postgres://u:p@/db", "postgres://host", "postgres://host/"]
  ) {
    assert.match(
      databaseUrlProblem(url)!,
      /or postgres:\/\/\/database\?host=\/var\/run\/postgresql/,
    );
  }
});

Deno.test("socketDirectory() is that of the parameter, or of the encoded host", () => {
  const directoryOf = (text: string) => socketDirectory(parseDatabaseUrl(text)!);
  assert.equal(directoryOf("postgres:///db?host=/var/run"), "/var/run");
  assert.equal(directoryOf("postgres://u:p@/db?host=%2Fvar%2Frun"), "/var/run");
  assert.equal(directoryOf("postgres://%2Fvar%2Frun/db"), "/var/run");
  assert.equal(directoryOf("postgres://%2fvar%2frun:5433/db"), "/var/run");
  assert.equal(directoryOf("postgres://host/db"), null);
  assert.equal(directoryOf("postgres://host/db?host=other"), null);
});

/** Any text with the characters that parsers of URLs look at; long enough to be found. */
const password = fc.array(
  fc.constantFrom(..."0123456789abcXYZ", ..."@:/?#%[]&=;,+$ \\|\t'\"", "%41", "%2F", "ö"),
  { minLength: 6, maxLength: 16 },
).map((parts) => parts.join(""));

const FORMS: readonly ((password: string) => string)[] = [
  (password) => `postgres://user:${password}@host/db`,
  (password) => `postgres://user:${password}@host:5432/db?sslmode=disable`,
  (password) => `postgres://user:7/${password}@host/db`,
  (password) => `postgres://user:7?${password}@host/db`,
  (password) => `postgres://user:7#${password}@host/db`,
  (password) => `postgres://user:${password}@/db?host=/var/run/postgresql`,
  (password) => `postgres://user:${password}@%2Fvar%2Frun/db`,
  (password) => `postgres://user:${password}@[::1]/db`,
  (password) => `postgresql://user:${password}@one,two:5432/db`,
  (password) => `postgres://:${password}@host/db`,
  (password) => `postgres://user:${encodeURIComponent(password)}@host/db`,
  (password) => `postgres://${encodeURIComponent(`user:${password}`)}@host/db`,
  (password) => `postgres:///db?host=/run&user=user&password=${password}`,
  (password) => `postgres://host/db&password=${encodeURIComponent(password)}`,
  (password) => `postgres://host/db;password=${password}`,
  (password) => `mysql://user:${password}@host/db`,
  (password) => `user:${password}@host/db`,
  (password) => `host=host user=user password=${password}`,
];

/** Every piece of it that is long enough not to stand there by chance. */
function pieces(password: string): string[] {
  const size = 4;
  return Array.from(
    { length: password.length - size + 1 },
    (_, at) => password.slice(at, at + size),
  );
}

Deno.test("no piece of a password is shown, whatever the password and the form of the URL", () => {
  fc.assert(
    fc.property(password, fc.constantFrom(...FORMS), (password, form) => {
      const url = form(password);
      const result = parseConfig({ DATABASE_URL: url, KAFKA_BROKERS: url, SMTP_HOST: url });
      const said = [
        redacted(url),
        ..."problems" in result ? result.problems.map(({ message }) => message) : [],
      ].join("\n");
      // What all messages hold anyway.
      const known = `${redacted("")}\n${databaseUrlProblem("postgres://%@")}\n${
        databaseUrlProblem("x")
      }`;
      const allowed = `${known}\n${
        databaseUrlProblem("postgres:///x")
      }\nuser…@host:5432/db @[::1]/db /var/run/postgresql`;
      for (const piece of pieces(password)) {
        if (!allowed.includes(piece)) assert.ok(!said.includes(piece), `${url}: ${said}`);
      }
    }),
    { numRuns: 5_000 },
  );
});
