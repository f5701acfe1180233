/**
 * PostgreSQL as others secure theirs: TLS, client certificates, and rules about who may come.
 * @module
 */

import { join } from "node:path";
import { Authority, type Certificate, type IssueOptions } from "./certificates.ts";
import { Postgres } from "./postgres.ts";
import { sharedServer } from "./shared_server.ts";

/** URLs of servers that take no connection without TLS (but to the database `postgres`), and files. */
export interface SecuredPostgres {
  /** As the superuser, who logs in by password. */
  readonly url: string;
  /** Its certificate ended yesterday. */
  readonly expiredUrl: string;
  /** Its certificate is for another host. */
  readonly otherHostUrl: string;
  /** A server that offers no TLS. */
  readonly openUrl: string;
  readonly caFile: string;
  /** An authority that has issued nothing here. */
  readonly otherCaFile: string;
  /** Of the user `counter`, who logs in by certificate alone. */
  readonly client: Certificate;
  /** By the other authority. */
  readonly otherClient: Certificate;
}

const RULES = `
hostnossl postgres admin all scram-sha-256
hostssl all banned all reject
hostssl all counter all cert
hostssl all admin all scram-sha-256
`;

/** The run's secured servers. */
export async function securedPostgres(): Promise<SecuredPostgres> {
  return JSON.parse(await sharedServer("secured-postgres", start));
}

/** A server with its data in `directory`, and a certificate by the authority. */
export async function startSecuredPostgres(
  directory: string,
  authority: Authority,
  options?: IssueOptions,
): Promise<Postgres> {
  // The server's own files: it accepts no key that belongs to somebody else.
  const { certFile, keyFile } = await authority.issue("server", { ...options, directory });
  const [caFile, rulesFile] = [join(directory, "authority.pem"), join(directory, "pg_hba.conf")];
  await Deno.copyFile(authority.file, caFile);
  await Deno.writeTextFile(rulesFile, RULES);
  return await Postgres.start(directory, {
    settings: {
      ssl: "on",
      ssl_cert_file: certFile,
      ssl_key_file: keyFile,
      ssl_ca_file: caFile,
      hba_file: rulesFile,
    },
  });
}

async function start(directory: string): Promise<string> {
  const authority = await Authority.create(directory);
  const other = await Authority.create(directory, "other-authority");
  const startServer = async (name: string, options?: IssueOptions): Promise<string> => {
    await Deno.mkdir(join(directory, name));
    return (await startSecuredPostgres(join(directory, name), authority, options)).url;
  };
  const open = join(directory, "open");
  await Deno.mkdir(open);
  const answer: SecuredPostgres = {
    url: await startServer("secured"),
    expiredUrl: await startServer("expired", { isExpired: true }),
    otherHostUrl: await startServer("elsewhere", { names: "DNS:elsewhere.example.org" }),
    openUrl: (await Postgres.start(open)).url,
    caFile: authority.file,
    otherCaFile: other.file,
    client: await authority.issue("counter"),
    otherClient: await other.issue("other-counter"),
  };
  return JSON.stringify(answer);
}
