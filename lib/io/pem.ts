/**
 * Files with certificates and keys.
 * @module
 */

import { OperatorError } from "../core/failure.ts";

/**
 * The text of a file in PEM format.
 * @param name what names the file: a setting, or a part of one.
 * @throws {OperatorError} if it cannot be read, or is of another format.
 */
export async function readPem(name: string, path: string): Promise<string> {
  const text = await Deno.readTextFile(path).catch((error) => {
    throw new OperatorError(`Cannot read the file that ${name} names: ${path}`, { cause: error });
  });
  if (text.includes("-----BEGIN ")) return text;
  throw new OperatorError(
    `Cannot use the file that ${name} names, ${path}: it is not in PEM format`,
  );
}
