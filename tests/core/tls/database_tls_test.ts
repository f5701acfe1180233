import assert from "node:assert/strict";
import { type DatabaseTls, parseDatabaseTls } from "../../../lib/core/tls/database_tls.ts";

const NOTHING: DatabaseTls = {
  verifiesAuthority: false,
  verifiesHost: false,
  rootFile: undefined,
  client: undefined,
};
const AUTHORITY = { ...NOTHING, verifiesAuthority: true, rootFile: "/ca.pem" };

/** As https://www.postgresql.org/docs/current/libpq-ssl.html has them. */
const MEANINGS: Readonly<Record<string, DatabaseTls | null>> = {
  "": null,
  "?application_name=x": null,
  "?sslmode=disable": null,
  "?sslmode=disable&sslrootcert=/ca.pem": null,
  "?sslmode=verify-full&host=/var/run/postgresql": null, // as for libpq: it is no network
  "?sslmode=require": NOTHING,
  "?sslmode=require&sslrootcert=/ca.pem": AUTHORITY,
  "?sslmode=verify-ca&sslrootcert=/ca.pem": AUTHORITY,
  "?sslmode=verify-full&sslrootcert=/ca.pem": { ...AUTHORITY, verifiesHost: true },
  "?sslmode=verify-full": { ...NOTHING, verifiesAuthority: true, verifiesHost: true },
  "?sslmode=verify-full&sslrootcert=system": {
    ...NOTHING,
    verifiesAuthority: true,
    verifiesHost: true,
  },
  "?sslmode=require&sslrootcert=system": {
    ...NOTHING,
    verifiesAuthority: true,
    verifiesHost: true,
  },
  "?sslmode=require&sslcert=/c.pem&sslkey=/k.pem": {
    ...NOTHING,
    client: { certFile: "/c.pem", keyFile: "/k.pem" },
  },
  "?sslrootcert=%2Ftmp%2Fa+b%20c.pem&sslmode=verify-ca": {
    ...AUTHORITY,
    rootFile: "/tmp/a b c.pem",
  },
};

for (const [parameters, tls] of Object.entries(MEANINGS)) {
  Deno.test(`parseDatabaseTls() understands "${parameters}" as libpq does`, () => {
    assert.deepEqual(parseDatabaseTls(`postgres://a:b@db/lottery_db${parameters}`), { tls });
  });
}

const PROBLEMS: Readonly<Record<string, RegExp>> = {
  "sslmode=prefer": /disable, require, verify-ca or verify-full/,
  "sslmode=no-verify": /disable, require, verify-ca or verify-full/,
  "sslmode=verify-ca": /sslrootcert/,
  "sslmode=verify-ca&sslrootcert=system": /sslrootcert/,
  "sslrootcert=/ca.pem": /sslmode/,
  "sslcert=/c.pem": /sslmode/,
  "sslmode=require&sslcert=/c.pem": /sslkey/,
  "sslmode=require&sslkey=/k.pem": /sslcert/,
};

for (const [parameters, problem] of Object.entries(PROBLEMS)) {
  Deno.test(`parseDatabaseTls() does not accept "${parameters}"`, () => {
    const parsed = parseDatabaseTls(`postgres://a:b@db/lottery_db?${parameters}`);
    assert.match("problem" in parsed ? parsed.problem : "", problem);
  });
}
