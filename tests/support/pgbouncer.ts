/**
 * PgBouncer before a PostgreSQL of the tests, as others put it before theirs.
 * @module
 */

import { join } from "node:path";
import { eventually } from "./eventually.ts";
import { freePort, signalProcess, spawnGuarded } from "./guarded_process.ts";
import { asPostgres } from "./postgres.ts";
import { temporaryDirectory } from "./temporary_directory.ts";

export interface PgBouncerOptions {
  /** When a server's session goes back to the pool. */
  readonly poolMode: "session" | "transaction" | "statement";
  /** Settings as in `pgbouncer.ini`. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** A pooler; stopped when it is disposed. */
export class PgBouncer implements AsyncDisposable {
  /** The URL that leads through it. */
  readonly url: string;
  readonly #pid: number;
  readonly #release: AsyncDisposable;

  private constructor(url: string, pid: number, release: AsyncDisposable) {
    this.url = url;
    this.#pid = pid;
    this.#release = release;
  }

  /** Resolves when it lets through to the database of `url`. */
  static async start(
    url: string,
    { poolMode, settings = {} }: PgBouncerOptions,
  ): Promise<PgBouncer> {
    const target = new URL(url);
    const directory = await temporaryDirectory();
    const port = freePort();
    const usersFile = join(directory.path, "users.txt");
    const configFile = join(directory.path, "pgbouncer.ini");
    await Deno.writeTextFile(usersFile, `"${target.username}" "${target.password}"\n`);
    const all = {
      listen_addr: "127.0.0.1",
      listen_port: String(port),
      unix_socket_dir: "",
      auth_type: "scram-sha-256",
      auth_file: usersFile,
      pool_mode: poolMode,
      default_pool_size: "20",
      ...settings,
    };
    await Deno.writeTextFile(
      configFile,
      `[databases]\n* = host=${target.hostname} port=${target.port}\n[pgbouncer]\n` +
        Object.entries(all).map(([name, value]) => `${name} = ${value}\n`).join(""),
    );
    await Deno.chmod(directory.path, 0o755);
    const pid = await spawnGuarded(asPostgres(["pgbouncer", configFile]), {
      logFile: join(directory.path, "pgbouncer.log"),
    });
    const pooled = Object.assign(new URL(url), { port: String(port) });
    const pgBouncer = new PgBouncer(pooled.href, pid, directory);
    await eventually(async () => {
      using _socket = await Deno.connect({ hostname: "127.0.0.1", port });
      return true;
    });
    return pgBouncer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    signalProcess(this.#pid, "SIGKILL");
    await this.#release[Symbol.asyncDispose]();
  }
}
