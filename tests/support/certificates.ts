/**
 * Certificates, made by openssl for one test.
 * @module
 */

import { join } from "node:path";
import { run } from "./guarded_process.ts";

/** Files of a certificate and its key, in PEM format. */
export interface Certificate {
  readonly certFile: string;
  readonly keyFile: string;
}

export interface IssueOptions {
  /** Where its files are put; by default beside those of the authority. */
  readonly directory?: string;
  /** Names that it is for; by default those of this machine. */
  readonly names?: string;
  /** It ended yesterday. */
  readonly isExpired?: boolean;
}

/** An authority that nobody else trusts. */
export class Authority {
  /** File with its certificate. */
  readonly file: string;
  readonly #keyFile: string;
  readonly #directory: string;

  private constructor(directory: string, { certFile, keyFile }: Certificate) {
    this.#directory = directory;
    this.file = certFile;
    this.#keyFile = keyFile;
  }

  /** Its files are put into `directory`. */
  static async create(directory: string, name = "authority"): Promise<Authority> {
    const files = filesOf(directory, name);
    await run("openssl", [
      ...["req", "-x509", ...newKey(files.keyFile), "-out", files.certFile],
      ...["-subj", `/CN=Test ${name}`],
    ]);
    return new Authority(directory, files);
  }

  /** A certificate whose common name is `name`. */
  async issue(
    name: string,
    {
      directory = this.#directory,
      names = "DNS:localhost,IP:127.0.0.1",
      isExpired = false,
    }: IssueOptions = {},
  ): Promise<Certificate> {
    const { certFile, keyFile } = filesOf(directory, name);
    const [request, extensions] = [`${certFile}.request`, `${certFile}.extensions`];
    await Deno.writeTextFile(extensions, `subjectAltName=${names}\n`);
    await run("openssl", ["req", ...newKey(keyFile), "-out", request, "-subj", `/CN=${name}`]);
    await run("openssl", [
      ...["x509", "-req", "-in", request, "-extfile", extensions, "-out", certFile],
      ...["-CA", this.file, "-CAkey", this.#keyFile, "-CAcreateserial"],
      ...["-days", isExpired ? "-1" : "30"],
    ]);
    return { certFile, keyFile };
  }
}

function filesOf(directory: string, name: string): Certificate {
  return { certFile: join(directory, `${name}.pem`), keyFile: join(directory, `${name}.key`) };
}

function newKey(file: string): string[] {
  return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", file];
}
