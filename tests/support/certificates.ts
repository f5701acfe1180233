/**
 * Certificates, made by openssl for one test.
 * @module
 */

import { basename, join } from "node:path";
import { run } from "./guarded_process.ts";

/** Files of a certificate and its key, in PEM format. */
export interface Certificate {
  readonly certFile: string;
  readonly keyFile: string;
}

export interface IssueOptions {
  /** Names that it is for. */
  readonly names?: string;
  /** It ended yesterday. */
  readonly isExpired?: boolean;
}

/** An authority that nobody else trusts. */
export class Authority {
  /** File with its certificate. */
  readonly file: string;
  readonly #directory: string;
  readonly #name: string;

  private constructor(directory: string, name: string) {
    this.#directory = directory;
    this.#name = name;
    this.file = this.#path(`${name}.pem`);
  }

  /** Its files, and those of the certificates that it issues, are put into `directory`. */
  static async create(directory: string, name = "authority"): Promise<Authority> {
    const authority = new Authority(directory, name);
    await run("openssl", [
      ...["req", "-x509", ...authority.#newKey(name), "-out", authority.file],
      ...["-subj", `/CN=Test ${name}`],
    ]);
    return authority;
  }

  /** A certificate for this machine, whose common name is `name`. */
  async issue(
    name: string,
    { names = "DNS:localhost,IP:127.0.0.1", isExpired = false }: IssueOptions = {},
  ): Promise<Certificate> {
    const [request, extensions] = [this.#path(`${name}.csr`), this.#path(`${name}.ext`)];
    const certFile = this.#path(`${name}.pem`);
    await Deno.writeTextFile(extensions, `subjectAltName=${names}\n`);
    await run("openssl", [
      "req",
      ...this.#newKey(name),
      "-out",
      request,
      "-subj",
      `/CN=${basename(name)}`,
    ]);
    await run("openssl", [
      ...["x509", "-req", "-in", request, "-extfile", extensions, "-out", certFile],
      ...["-CA", this.file, "-CAkey", this.#path(`${this.#name}.key`), "-CAcreateserial"],
      ...["-days", isExpired ? "-1" : "30"],
    ]);
    return { certFile, keyFile: this.#path(`${name}.key`) };
  }

  #newKey(name: string): string[] {
    const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
    return [...curve, "-nodes", "-keyout", this.#path(`${name}.key`)];
  }

  #path(name: string): string {
    return join(this.#directory, name);
  }
}
