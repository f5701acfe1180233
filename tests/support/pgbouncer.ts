/**
 * PgBouncer before a PostgreSQL of the tests, as others put it before theirs.
 * @module
 */

import { join } from "node:path";
import { eventually } from "./eventually.ts";
import { freePort } from "./free_port.ts";
import { isRunning, signalProcess, spawnGuarded, which } from "./guarded_process.ts";
import { asPostgres } from "./postgres.ts";
import { temporaryDirectory } from "./temporary_directory.ts";

/** Debian keeps it where only root looks. */
export async function findPgBouncer(): Promise<string | null> {
  return await which("pgbouncer") ?? await which("/usr/sbin/pgbouncer");
}

const program = await findPgBouncer();

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
  readonly #directory: { readonly path: string } & AsyncDisposable;
  #pid = 0;

  private constructor(url: string, directory: { readonly path: string } & AsyncDisposable) {
    this.url = url;
    this.#directory = directory;
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
    await Deno.chmod(directory.path, 0o755); // it does not run as root
    const pooled = Object.assign(new URL(url), { hostname: "127.0.0.1", port: String(port) });
    const pgBouncer = new PgBouncer(pooled.href, directory);
    await pgBouncer.restart();
    return pgBouncer;
  }

  /** Kills it if it runs, and starts it; resolves when it listens. */
  async restart(): Promise<void> {
    if (this.#pid > 0) {
      signalProcess(this.#pid, "SIGKILL");
      await eventually(() => !isRunning(this.#pid));
    }
    const { path } = this.#directory;
    this.#pid = await spawnGuarded(asPostgres([program!, join(path, "pgbouncer.ini")]), {
      logFile: join(path, "pgbouncer.log"),
    });
    const { hostname, port } = new URL(this.url);
    await eventually(async () => {
      using _socket = await Deno.connect({ hostname, port: Number(port) });
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    signalProcess(this.#pid, "SIGKILL");
    await this.#directory[Symbol.asyncDispose]();
  }
}
