/**
 * Which failures of a TLS connection are about a certificate. Only these require an
 * operator: a server that is stopping or starting causes all the others too.
 * @module
 */

import { causes } from "../failure.ts";

/** What is wrong with the server's certificate; or that the server refuses ours. */
export type CertificateProblem = "untrusted" | "expired" | "other name" | "client refused";

const PROBLEMS: readonly { readonly problem: CertificateProblem; readonly codes: RegExp }[] = [
  { problem: "expired", codes: /^CERT_(HAS_EXPIRED|NOT_YET_VALID)$/ },
  { problem: "other name", codes: /^ERR_TLS_CERT_ALTNAME_INVALID$/ },
  {
    problem: "untrusted",
    codes:
      /^(UNABLE_TO_(GET_ISSUER_CERT(_LOCALLY)?|VERIFY_LEAF_SIGNATURE)|(DEPTH_ZERO_)?SELF_SIGNED_CERT(_IN_CHAIN)?|CERT_(CHAIN_TOO_LONG|REJECTED|REVOKED|SIGNATURE_FAILURE|UNTRUSTED)|INVALID_(CA|PURPOSE))$/,
  },
  {
    problem: "client refused",
    codes:
      /^ERR_SSL_(SSLV3|TLSV1|TLSV13)_ALERT_(ACCESS_DENIED|BAD_CERTIFICATE|CERTIFICATE_\w+|UNKNOWN_CA|UNSUPPORTED_CERTIFICATE)$/,
  },
];

/**
 * The problem that an error or one of its causes names, or null if none does.
 * @see https://nodejs.org/api/tls.html#x509-certificate-error-codes
 */
export function certificateProblem(error: unknown): CertificateProblem | null {
  for (const link of causes(error)) {
    const { code } = link as Error & { readonly code?: unknown };
    const found = PROBLEMS.find(({ codes }) => typeof code === "string" && codes.test(code));
    if (found) return found.problem;
  }
  return null;
}
