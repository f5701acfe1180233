import assert from "node:assert/strict";
import { type CertificateProblem, certificateProblem } from "../../../lib/core/tls/certificate.ts";

const CODES: Readonly<Record<CertificateProblem, readonly string[]>> = {
  "untrusted": [
    "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
    "UNABLE_TO_GET_ISSUER_CERT",
    "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
    "SELF_SIGNED_CERT_IN_CHAIN",
    "DEPTH_ZERO_SELF_SIGNED_CERT",
    "CERT_SIGNATURE_FAILURE",
    "INVALID_CA",
  ],
  "expired": ["CERT_HAS_EXPIRED", "CERT_NOT_YET_VALID"],
  "other name": ["ERR_TLS_CERT_ALTNAME_INVALID"],
  "client refused": [
    "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED",
    "ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE",
    "ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED",
    "ERR_SSL_TLSV1_ALERT_UNKNOWN_CA",
  ],
};

const withCode = (code: unknown, cause?: unknown) =>
  Object.assign(new Error("it failed", { cause }), { code });

for (const [problem, codes] of Object.entries(CODES)) {
  for (const code of codes) {
    Deno.test(`certificateProblem() takes ${code} for ${problem}`, () => {
      assert.equal(certificateProblem(withCode(code)), problem);
      assert.equal(certificateProblem(new Error("outer", { cause: withCode(code) })), problem);
    });
  }
}

for (
  const code of [
    "ECONNRESET",
    "ERR_SSL_WRONG_VERSION_NUMBER",
    "ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR",
    "ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION",
    "CERT",
    42,
    undefined,
  ]
) {
  Deno.test(`certificateProblem() leaves ${code} to those who wait`, () => {
    assert.equal(certificateProblem(withCode(code)), null);
  });
}
