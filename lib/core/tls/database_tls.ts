/**
 * TLS to PostgreSQL, as a connection URL asks for it. The parameters mean what they mean
 * to libpq and all its tools, which differs from what the driver would make of them.
 * @module
 */

import { parseDatabaseUrl, socketDirectory } from "../settings/database_url.ts";

/** How a server has to prove its identity. */
export interface DatabaseTls {
  /** Whether its certificate has to be by a trusted authority. */
  readonly verifiesAuthority: boolean;
  /** Whether its certificate has to be for the host of the URL. */
  readonly verifiesHost: boolean;
  /** File with the authorities to trust; `undefined`: the system's. */
  readonly rootFile: string | undefined;
  /** Files with our certificate and its key. */
  readonly client: { readonly certFile: string; readonly keyFile: string } | undefined;
}

export const TLS_PARAMETERS: readonly string[] = ["sslmode", "sslrootcert", "sslcert", "sslkey"];

/** The value of `sslrootcert` for the system's authorities. */
const SYSTEM = "system";

/**
 * What the URL asks for: `tls`, null for none of it; or what is wrong with its parameters.
 * @see https://www.postgresql.org/docs/current/libpq-ssl.html
 */
export function parseDatabaseTls(
  url: string,
): { readonly tls: DatabaseTls | null } | { readonly problem: string } {
  const parsed = parseDatabaseUrl(url)!;
  const [mode, rootcert, certFile, keyFile] = TLS_PARAMETERS.map((name) =>
    parsed.searchParams.get(name) ?? undefined
  );
  if (!mode) {
    const named = rootcert ?? certFile ?? keyFile;
    return named ? { problem: "needs sslmode beside its other ssl parameters" } : { tls: null };
  }
  if (mode === "disable" || socketDirectory(parsed) !== null) return { tls: null }; // no network to protect
  // `allow` and `prefer` take a connection without TLS, so they protect from nothing.
  if (!/^(require|verify-ca|verify-full)$/.test(mode)) {
    return { problem: "must set sslmode to disable, require, verify-ca or verify-full" };
  }
  if ((certFile === undefined) !== (keyFile === undefined)) {
    return { problem: "must set both sslcert and sslkey, or neither" };
  }
  const rootFile = rootcert === SYSTEM ? undefined : rootcert;
  // Anyone can get a certificate by a public authority, for another name.
  if (mode === "verify-ca" && !rootFile) {
    return { problem: "must set sslrootcert to a file for sslmode=verify-ca, or use verify-full" };
  }
  return {
    tls: {
      verifiesAuthority: mode !== "require" || rootcert !== undefined,
      verifiesHost: mode === "verify-full" || rootcert === SYSTEM,
      rootFile,
      client: certFile && keyFile ? { certFile, keyFile } : undefined,
    },
  };
}
