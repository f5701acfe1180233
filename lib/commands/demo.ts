/**
 * `demo`: the whole pipeline with nothing installed. A generator or a file stands
 * in for Kafka, and an embedded PostgreSQL for the server.
 * @module
 */

import { join } from "node:path";
import { z } from "zod";
import type { Config } from "../core/config.ts";
import { OperatorError } from "../core/failure.ts";
import { Generator } from "../core/generator.ts";
import type { Source } from "../endpoints.ts";
import { fileIdentity, FileSource, STANDARD_INPUT } from "../io/file_source.ts";
import { GeneratorSource } from "../io/generator_source.ts";
import type { Origin } from "../io/postgres/identity.ts";
import { EmbeddedPostgres } from "../io/pglite.ts";
import type { Terminal } from "../io/terminal.ts";
import { StatusLine } from "./status_line.ts";
import { Worker } from "./worker.ts";

/** How `demo` was called. */
export interface DemoOptions {
  /** Where counts are kept; in memory if not given. */
  readonly dataDir: string | undefined;
  /** File with one event a line, or `-` for standard input; the generator if not given. */
  readonly file: string | undefined;
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
}

const PARTITIONS = 4;

/** What a generated log depends on. Kept in the data directory, so that a later start reads the same log. */
const GENERATOR_STATE = z.object({
  seed: z.number(),
  rate: z.number(),
  startMs: z.number(),
  lotteries: z.number(),
  badShare: z.number(),
  lateShare: z.number(),
});
type GeneratorState = z.output<typeof GENERATOR_STATE>;

const DEFAULT_STATE = { seed: 1, rate: 200, lotteries: 12, badShare: 0.005, lateShare: 0.03 };

/** Runs until the signal aborts. @throws {OperatorError} if the file or the directory cannot be used. */
export async function demo(
  config: Config,
  { dataDir, file, signal, terminal }: DemoOptions,
): Promise<void> {
  using _lock = dataDir === undefined ? null : await lockDirectory(dataDir);
  const { source, origin } = file === undefined
    ? await openGenerator(dataDir)
    : await openFile(file, dataDir);
  await using database = await EmbeddedPostgres.open(dataDir && join(dataDir, "postgres"));
  using status = new StatusLine({ terminal, signal });
  await using worker = new Worker({
    config,
    databaseUrl: database.url,
    hasAlarms: false,
    observers: [status],
  });
  await using server = worker.serve();
  status.show(server.url);
  await worker.count(source, { epoch: await worker.prepare(origin), signal });
}

/** Makes the directory, and keeps it to ourselves until it is disposed. */
async function lockDirectory(dataDir: string): Promise<Disposable> {
  let lock: Deno.FsFile;
  try {
    await Deno.mkdir(dataDir, { recursive: true });
    lock = await Deno.open(join(dataDir, "lock"), { create: true, write: true });
  } catch (error) {
    throw new OperatorError(
      `Cannot keep counts in ${dataDir}. Check the directory given with --data-dir`,
      { cause: error },
    );
  }
  if (await lock.tryLock(true)) return lock;
  lock.close();
  throw new OperatorError(
    `Cannot keep counts in ${dataDir}: another demo is running there. Give --data-dir another directory.`,
  );
}

/** A source, and the name under which its log is known. */
interface NamedSource {
  readonly source: Source;
  readonly origin: Origin;
}

async function openFile(path: string, dataDir: string | undefined): Promise<NamedSource> {
  if (path === STANDARD_INPUT && dataDir !== undefined) {
    throw new OperatorError(
      "Cannot keep counts of standard input, which cannot be read again: leave out --data-dir, or give --file a path.",
    );
  }
  const source = await FileSource.open(path);
  return { source, origin: originOf(await fileIdentity(path)) };
}

async function openGenerator(dataDir: string | undefined): Promise<NamedSource> {
  const { rate, startMs, ...options } = await generatorState(dataDir);
  const source = new GeneratorSource({
    generator: new Generator(options),
    partitions: PARTITIONS,
    rate,
    startMs,
  });
  return { source, origin: originOf(`generated since ${new Date(startMs).toISOString()}`) };
}

async function generatorState(dataDir: string | undefined): Promise<GeneratorState> {
  const fresh = { ...DEFAULT_STATE, startMs: Date.now() };
  if (dataDir === undefined) return fresh;
  const path = join(dataDir, "generator.json");
  try {
    return GENERATOR_STATE.parse(JSON.parse(await Deno.readTextFile(path)));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) {
      throw new OperatorError(`Cannot read ${path}: remove the directory to start anew.`, {
        cause: error,
      });
    }
  }
  await Deno.writeTextFile(path, JSON.stringify(fresh, null, 2));
  return fresh;
}

function originOf(id: string): Origin {
  return { id, setting: "The log (--file)", wayOut: "give --data-dir another directory" };
}
