/**
 * A real PostgreSQL for tests: `TEST_DATABASE_URL` if that is set, else a server of our own.
 * @module
 */

import { join } from "node:path";
// @ts-types="@types/pg"
import pg from "pg";
import { Connection } from "../../lib/io/postgres/connection.ts";
import { eventually } from "./eventually.ts";
import { freePort, run, signalProcess, spawnGuarded, which } from "./guarded_process.ts";
import { sharedServer } from "./shared_server.ts";

/** Directory of the server's programs, or null. Debian keeps them off the PATH. */
const binaries: string | null = await findBinaries();

/** Why no server of our own can be started on this machine, or null. */
export const initdbProblem: string | null = binaries
  ? null
  : "the PostgreSQL server is not installed";

/** Why there can be no PostgreSQL on this machine, or null. */
export const postgresProblem: string | null = Deno.env.get("TEST_DATABASE_URL")
  ? null
  : initdbProblem;

async function findBinaries(): Promise<string | null> {
  const onPath = await which("initdb");
  if (onPath) return onPath.replace(/\/initdb$/, "");
  const debian = await run("sh", ["-c", "ls -d /usr/lib/postgresql/*/bin 2>/dev/null | tail -n 1"])
    .catch(() => "");
  return debian.trim() || null;
}

/** URL of the run's server, as its superuser. */
async function serverUrl(): Promise<string> {
  return Deno.env.get("TEST_DATABASE_URL") ??
    await sharedServer("postgres", async (directory) => (await Postgres.start(directory)).url);
}

export interface PostgresOptions {
  /** Language in which it speaks, as `de_DE`. */
  readonly language?: string | undefined;
  /** Settings as in `postgresql.conf`. */
  readonly settings?: Readonly<Record<string, string>>;
}

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
    await postgres.restart();
    return postgres;
  }

  /** Stops at once, as a power cut does: no transaction is finished, nobody is told. */
  stop(): void {
    signalProcess(this.#pid, "SIGQUIT");
  }

  /** Starts what was stopped; resolves when it answers. */
  async restart(): Promise<void> {
    const command = asPostgres([
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
  const administer = async (text: string) => {
    await using connection = new Connection(url.href);
    await connection.query({ text });
  };
  await administer(`create database ${name} encoding 'UTF8' template template0`);
  const testUrl = new URL(url);
  testUrl.pathname = `/${name}`;
  const connection = new Connection(testUrl.href);
  return {
    url: testUrl.href,
    connection,
    [Symbol.asyncDispose]: async () => {
      await connection[Symbol.asyncDispose]();
      await administer(`drop database ${name} with (force)`);
    },
  };
}
