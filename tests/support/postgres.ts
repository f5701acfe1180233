/**
 * A real PostgreSQL for tests: `TEST_DATABASE_URL` if that is set, else a server of our own.
 * @module
 */

import { join } from "node:path";
// @ts-types="@types/pg"
import pg from "pg";
import { Connection } from "../../lib/io/postgres/session/connection.ts";
import { eventually } from "./eventually.ts";
import { freePort } from "./free_port.ts";
import { isRunning, run, signalProcess, spawnGuarded, which } from "./guarded_process.ts";
import { sharedServer } from "./shared_server.ts";

/** Directory of the server's programs, or null. Debian keeps them off the PATH. */
const binaries: string | null = await findBinaries();

/** What a server of our own needs. */
export const initdbPrograms: readonly string[] = [
  "initdb",
  "setsid",
  ...isRoot() ? ["setpriv"] : [],
];

/** What tests with a PostgreSQL need. */
export const postgresPrograms: readonly string[] = Deno.env.get("TEST_DATABASE_URL")
  ? []
  : initdbPrograms;

export async function findBinaries(): Promise<string | null> {
  const onPath = await which("initdb");
  if (onPath) return onPath.replace(/\/initdb$/, "");
  const debian = await run("sh", ["-c", "ls -d /usr/lib/postgresql/*/bin 2>/dev/null | tail -n 1"])
    .catch(() => "");
  return debian.trim() || null;
}

/** URL of the run's server, as its superuser. */
export async function serverUrl(): Promise<string> {
  return Deno.env.get("TEST_DATABASE_URL") ??
    await sharedServer("postgres", async (directory) => (await Postgres.start(directory)).url);
}

export interface PostgresOptions {
  /** Language in which it speaks, as `de_DE`. */
  readonly language?: string | undefined;
  /** Settings as in `postgresql.conf`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** How far its clock is wrong, as `+45d`; see `restart`. */
  readonly clock?: string;
}

/** What makes a program see another time; Debian's `libfaketime`. */
export const fakeTime: string | null = await run("sh", [
  "-c",
  "ls /usr/lib/*/faketime/libfaketime.so.1",
])
  .then((path) => path.trim(), () => null);

/** A server with its data in `directory`, that can be killed and started again. */
export class Postgres {
  /** As the superuser, to the database `postgres`. */
  readonly url: string;
  readonly #directory: string;
  readonly #port: number;
  readonly #language: string | undefined;
  readonly #settings: Readonly<Record<string, string>>;
  #pid = 0;

  private constructor(
    directory: string,
    port: number,
    { language, settings = {} }: PostgresOptions,
  ) {
    this.#directory = directory;
    this.#port = port;
    this.#language = language;
    this.#settings = settings;
    this.url = `postgres://admin:admin@127.0.0.1:${port}/postgres`;
  }

  /** Resolves when it answers. */
  static async start(directory: string, options: PostgresOptions = {}): Promise<Postgres> {
    const { language } = options;
    const postgres = new Postgres(directory, freePort(), options);
    await postgres.#initialise();
    // Locales of the server's own, which the machine may lack.
    if (language) {
      const locale = join(directory, `${language}.UTF-8`);
      await run("localedef", ["-i", language, "-f", "UTF-8", locale]);
    }
    await postgres.restart(options);
    return postgres;
  }

  /** The same database by the Unix socket, which is in the server's own directory. */
  get socketUrl(): string {
    return `postgres://admin:admin@/postgres?host=${this.#directory}&port=${this.#port}`;
  }

  /** A standby in `directory` that follows this server; resolves when it answers. */
  async startStandby(directory: string): Promise<Postgres> {
    if (isRoot()) await run("chown", ["postgres", directory]);
    const standby = new Postgres(directory, freePort(), { settings: this.#settings });
    const [command, ...args] = asPostgres([
      "pg_basebackup", // one of the client's programs
      ...["-h", "127.0.0.1", "-p", String(this.#port), "-U", "admin"],
      ...["-D", join(directory, "data"), "-R", "-c", "fast", "--no-sync"],
    ]);
    await run(command!, args, { env: { PGPASSWORD: "admin" } });
    await standby.restart();
    return standby;
  }

  /** A standby follows no more: what its primary commits from now on is lost when it takes over. */
  async isolate(): Promise<void> {
    await using connection = new Connection(this.url);
    await connection.query({ text: "alter system set primary_conninfo = ''" });
    await connection.query({ text: "select pg_reload_conf()" });
    await eventually(async () => {
      const receivers = await connection.query({ text: "select from pg_stat_wal_receiver" });
      return receivers.length === 0;
    });
  }

  /** A standby takes over. */
  async promote(): Promise<void> {
    await using connection = new Connection(this.url);
    await connection.query({ text: "select pg_promote()" });
  }

  /** Stops at once, as a power cut does: no transaction is finished, nobody is told. */
  stop(): void {
    signalProcess(this.#pid, "SIGQUIT");
  }

  /** Starts what was stopped, with its clock right or wrong; resolves when it answers. */
  async restart({ clock }: Pick<PostgresOptions, "clock"> = {}): Promise<void> {
    // While one is ending, it keeps others from the data.
    if (this.#pid > 0) await eventually(() => !isRunning(this.#pid));
    const command = asPostgres([
      ...clock
        ? ["env", `LD_PRELOAD=${fakeTime}`, `FAKETIME=${clock}`, "FAKETIME_DONT_FAKE_MONOTONIC=1"]
        : [],
      join(binaries!, "postgres"),
      ...["-D", join(this.#directory, "data"), "-p", String(this.#port)],
      ...["-c", `unix_socket_directories=${this.#directory}`, "-c", "max_connections=200"],
      ...["-c", "fsync=off", "-c", "full_page_writes=off"],
      ...Object.entries(this.#settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
      ...this.#language ? ["-c", `lc_messages=${this.#language}.UTF-8`] : [],
    ]);
    this.#pid = await spawnGuarded(command, {
      logFile: join(this.#directory, "postgres.log"),
      directory: this.#directory,
      env: this.#language ? { LOCPATH: this.#directory } : {},
    });
    await eventually(async () => {
      await using connection = new Connection(this.url);
      return await connection.query({ text: "select 1" });
    });
    const pidFile = await Deno.readTextFile(join(this.#directory, "data", "postmaster.pid"));
    this.#pid = Number(pidFile.split("\n")[0]);
  }

  async #initialise(): Promise<void> {
    const passwordFile = join(this.#directory, "password");
    await Deno.writeTextFile(passwordFile, "admin");
    if (isRoot()) await run("chown", ["-R", "postgres", this.#directory]);
    await run(...split(asPostgres([
      join(binaries!, "initdb"),
      ...["-D", join(this.#directory, "data"), "-U", "admin", "-E", "UTF8", "--locale=C"],
      ...["--auth=scram-sha-256", `--pwfile=${passwordFile}`, "--no-sync"],
    ])));
  }
}

/** The server refuses to run as root. */
export function asPostgres(command: string[]): string[] {
  const drop = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"];
  return isRoot() ? [...drop, ...command] : command;
}

function isRoot(): boolean {
  return Deno.uid() === 0;
}

function split([command, ...args]: string[]): [string, string[]] {
  return [command!, args];
}

/** Resolves at the next notification on the channel. */
export async function notified(url: string, channel: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const notification = Promise.withResolvers<void>();
    client.on("notification", () => notification.resolve());
    await client.query(`listen ${channel}`);
    await notification.promise;
  } finally {
    await client.end();
  }
}

/** A database of one test; dropped when it is disposed. */
export interface TestDatabase extends AsyncDisposable {
  readonly url: string;
  readonly connection: Connection;
}

export async function createDatabase(server?: string): Promise<TestDatabase> {
  const url = new URL(server ?? await serverUrl());
  const name = `test_${crypto.randomUUID().replaceAll("-", "")}`;
  const administer = (text: string) =>
    eventually(async () => { // a busy server may need more time than our programs give it
      await using connection = new Connection(url.href);
      await connection.query({ text });
    });
  await administer(`create database ${name} encoding 'UTF8' template template0`);
  const testUrl = new URL(url);
  testUrl.pathname = `/${name}`;
  const connection = new Connection(testUrl.href);
  return {
    url: testUrl.href,
    connection,
    [Symbol.asyncDispose]: async () => {
      await connection[Symbol.asyncDispose]();
      await administer(`drop database if exists ${name} with (force)`);
    },
  };
}
