/**
 * A role of one test.
 * @module
 */

import type { TestDatabase } from "./postgres.ts";

/** A role that logs in; dropped, with all that it owns, when it is disposed. */
export interface TestRole extends AsyncDisposable {
  readonly name: string;
  /** URL of the test's database, as this role. */
  readonly url: string;
}

/** @param attributes as those of `create role`, such as `superuser`. */
export async function createRole(
  { connection, url }: TestDatabase,
  attributes = "",
): Promise<TestRole> {
  const name = `test_${crypto.randomUUID().replaceAll("-", "")}`;
  await connection.query({ text: `create role ${name} login password 'secret' ${attributes}` });
  return {
    name,
    url: Object.assign(new URL(url), { username: name, password: "secret" }).href,
    [Symbol.asyncDispose]: async () => {
      await connection.query({ text: `drop owned by ${name} cascade` });
      await connection.query({ text: `drop role ${name}` });
    },
  };
}

/** Name of the database that a URL leads to. */
export function databaseName(url: string): string {
  return new URL(url).pathname.slice(1);
}
