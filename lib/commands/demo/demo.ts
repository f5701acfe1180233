/**
 * `demo`: the whole pipeline with nothing installed. A generator or a file stands
 * in for Kafka, and an embedded PostgreSQL for the server.
 * @module
 */

import { join, resolve } from "node:path";
import { OperatorError } from "../../core/failure.ts";
import type { Origin } from "../../core/offsets/origin.ts";
import type { Config } from "../../core/settings/config.ts";
import type { GeneratedLog } from "../../core/simulation/generated_log.ts";
import { isoTime } from "../../core/text/time.ts";
import { log } from "../../io/logs.ts";
import { EmbeddedPostgres } from "../../io/pglite.ts";
import { fileIdentity, FileSource, STANDARD_INPUT } from "../../io/sources/file_source.ts";
import { GeneratorSource } from "../../io/sources/generator_source.ts";
import type { Terminal } from "../../io/terminal.ts";
import { WorkerState } from "../../observers/worker_state.ts";
import type { Source } from "../../pipeline/source.ts";
import { StatusLine } from "../../worker/live_status_line.ts";
import { Worker } from "../../worker/worker.ts";
import { openDemoLog } from "./log.ts";
import { Narrator } from "./narrator.ts";

export interface DemoArguments {
  /** Where counts are kept; in memory if not given. */
  readonly dataDir?: string;
  /** File with one event per line, or `-` for standard input; the generator if not given. */
  readonly file?: string;
  /** How fast the generator's event time passes, see `GeneratedLog`; as before, or 1, if not given. */
  readonly speed?: number;
}

export interface DemoOptions extends DemoArguments {
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
}

const PARTITIONS = 4;

/** Runs until the signal aborts. @throws {OperatorError} if the file or the directory cannot be used. */
export async function demo(
  config: Config,
  { dataDir, file, speed, signal, terminal }: DemoOptions,
): Promise<void> {
  using _lock = dataDir === undefined ? null : await lockDirectory(dataDir);
  if (dataDir !== undefined) log.info("Counting into {directory}", { directory: resolve(dataDir) });
  const opened = file === undefined ? null : await openFile(file, dataDir);
  await using database = await EmbeddedPostgres.open(dataDir && join(dataDir, "postgres"));
  const generated = opened ? null : await openDemoLog({ dataDir, speed });
  const { source, origin } = opened ?? generatedSource(generated!);
  using narrator = generated && new Narrator(generated);
  const note = () => narrator?.note() ?? null;
  const state = new WorkerState({ latencySinceMs: Date.now() }); // the past is made up
  using status = new StatusLine({ terminal, signal, state, note });
  await using worker = new Worker({
    config,
    databaseUrl: database.url,
    sendsAlerts: false,
    state,
    demo: () => narrator?.status() ?? { speed: null, jackpot: null },
  });
  await using server = worker.serve();
  status.show(server.url);
  await worker.count(source, { epoch: await worker.prepare(origin), signal });
}

/** Creates the directory, and locks it until it is disposed. */
async function lockDirectory(dataDir: string): Promise<Disposable> {
  let lock: Deno.FsFile;
  try {
    await Deno.mkdir(dataDir, { recursive: true });
    lock = await Deno.open(join(dataDir, "lock"), { create: true, write: true });
  } catch (error) {
    throw new OperatorError(
      `Cannot keep counts in ${dataDir}. Check the directory of --data-dir`,
      { cause: error },
    );
  }
  if (await lock.tryLock(true)) return lock;
  lock.close();
  throw new OperatorError(
    `Cannot keep counts in ${dataDir}: another demo uses it. Pass another directory to --data-dir.`,
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
      "Cannot keep counts of standard input, which cannot be read again: omit --data-dir, or pass a path to --file.",
    );
  }
  const source = await FileSource.open(path);
  return { source, origin: originOf(await fileIdentity(path)) };
}

function generatedSource(generated: GeneratedLog): NamedSource {
  return {
    source: new GeneratorSource({ log: generated, partitions: PARTITIONS }),
    origin: originOf(`generated since ${isoTime(generated.begunMs)}`),
  };
}

function originOf(id: string): Origin {
  return { id, setting: "The log (--file)", remedy: "pass another directory to --data-dir" };
}
