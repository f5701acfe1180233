/**
 * Files with certificates and keys.
 * @module
 */

import { createPrivateKey, X509Certificate } from "node:crypto";
import { OperatorError } from "../core/failure.ts";

/** A file, and what names it: a setting, or a part of one. */
export interface NamedFile {
  readonly name: string;
  readonly path: string;
}

/**
 * The text of a file in PEM format.
 * @throws {OperatorError} if it cannot be read, or is of another format.
 */
export async function readPem({ name, path }: NamedFile): Promise<string> {
  const text = await Deno.readTextFile(path).catch((error) => {
    throw new OperatorError(`Cannot read the file that ${name} names: ${path}`, { cause: error });
  });
  if (text.includes("-----BEGIN ")) return text;
  throw new OperatorError(
    `Cannot use the file that ${name} names, ${path}: it is not in PEM format`,
  );
}

/**
 * A certificate of ours and its key, as the drivers take them.
 * @throws {OperatorError} if one cannot be read or used, or they do not match.
 */
export async function readKeyPair(
  certificate: NamedFile,
  key: NamedFile,
): Promise<{ readonly cert: string; readonly key: string }> {
  const pair = { cert: await readPem(certificate), key: await readPem(key) };
  const files = `Cannot use the files that ${certificate.name} and ${key.name} name`;
  let isMatch: boolean;
  try {
    isMatch = new X509Certificate(pair.cert).checkPrivateKey(createPrivateKey(pair.key));
  } catch (error) {
    throw new OperatorError(`${files}: they must be a certificate, and a key without a password`, {
      cause: error,
    });
  }
  if (!isMatch) {
    throw new OperatorError(`${files}: the key does not belong to the certificate`);
  }
  return pair;
}
