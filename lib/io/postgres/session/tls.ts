/**
 * TLS options of the driver, and what its errors about TLS mean.
 * @module
 */

import type { ConnectionOptions } from "node:tls";
import { OperatorError } from "../../../core/failure.ts";
import { parseDatabaseUrl } from "../../../core/settings/database_url.ts";
import { type CertificateProblem, certificateProblem } from "../../../core/tls/certificate.ts";
import { parseDatabaseTls, TLS_PARAMETERS } from "../../../core/tls/database_tls.ts";
import { type NamedFile, readKeyPair, readPem } from "../../pem.ts";

/** What is wrong with a certificate, and where to fix it. */
const CERTIFICATES: Readonly<Record<CertificateProblem, string>> = {
  untrusted:
    "its certificate is not signed by a trusted authority. Set sslrootcert of DATABASE_URL to the certificate of that authority",
  expired:
    "its certificate is expired or not valid yet. Renew it on the server, or correct the clock of this machine",
  "other name":
    "its certificate is for another host. Set the host of DATABASE_URL to a name in the certificate, or sslmode to verify-ca",
  "client refused": "it rejects our certificate. Check sslcert and sslkey of DATABASE_URL",
};

/**
 * Moves TLS from the URL, which the driver would interpret differently, into the driver's options.
 * @throws {OperatorError} if a file that the URL names cannot be read.
 */
export async function driverTls(
  url: string,
): Promise<{ readonly connectionString: string; readonly ssl?: ConnectionOptions | false }> {
  const parsed = parseDatabaseTls(url);
  if ("problem" in parsed) throw new OperatorError(`DATABASE_URL ${parsed.problem}`);
  const bare = parseDatabaseUrl(url)!;
  const isNamed = bare.searchParams.has("sslmode");
  for (const name of TLS_PARAMETERS) bare.searchParams.delete(name);
  const connectionString = bare.href;
  if (!parsed.tls) return { connectionString, ...isNamed && { ssl: false } };
  const { verifiesAuthority, verifiesHost, rootFile, client } = parsed.tls;
  return {
    connectionString,
    ssl: {
      rejectUnauthorized: verifiesAuthority,
      ...!verifiesHost && { checkServerIdentity: () => undefined },
      ...rootFile && { ca: await readPem(named("sslrootcert", rootFile)) },
      ...client && await readKeyPair(
        named("sslcert", client.certFile),
        named("sslkey", client.keyFile),
      ),
    },
  };
}

function named(parameter: string, path: string): NamedFile {
  return { name: `${parameter} of DATABASE_URL`, path };
}

/** What to change, if the error is one of TLS; else null. */
export function tlsProblem(error: unknown, where: string): string | null {
  const problem = certificateProblem(error);
  const text = problem
    ? CERTIFICATES[problem]
    : error instanceof Error && /server does not support SSL/.test(error.message)
    ? "the server does not support it. Enable ssl on the server, or set sslmode of DATABASE_URL to disable"
    : null;
  return text && `Cannot connect to PostgreSQL at ${where} over TLS: ${text}`;
}
