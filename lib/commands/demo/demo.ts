/**
 * `demo`: the whole pipeline with nothing installed. A generator or a file stands
 * in for Kafka, and an embedded PostgreSQL for the server.
 * @module
 */

import { join, resolve } from "node:path";
import { withTimeout } from "../../async/delay.ts";
import { runTaskGroup } from "../../async/task_group.ts";
import type { Config } from "../../core/settings/config.ts";
import { log } from "../../io/logs.ts";
import { EmbeddedPostgres } from "../../io/pglite.ts";
import type { Terminal } from "../../io/terminal.ts";
import { WorkerState } from "../../observers/worker_state.ts";
import { StatusLine } from "../../worker/live_status_line.ts";
import { Worker } from "../../worker/worker.ts";
import { Auditing } from "./auditing.ts";
import { CatchingUp } from "./catching_up.ts";
import { Bursts } from "./chaos/bursts.ts";
import { Chaos, type ChaosArguments } from "./chaos/chaos.ts";
import { DroppedError } from "./chaos/harms.ts";
import { lockDirectory } from "./directory.ts";
import { openDemoLog } from "./log.ts";
import { Narrator } from "./narrator.ts";
import { openFile, openGenerated } from "./source.ts";

export interface DemoArguments {
  /** Where counts are kept; in memory if not given. */
  readonly dataDir?: string;
  /** File with one event per line, or `-` for standard input; the generator if not given. */
  readonly file?: string;
  /** How fast the generator's event time passes, see `GeneratedLog`; as before, or 1, if not given. */
  readonly speed?: number;
  /** What is done to the pipeline; nothing if not given. */
  readonly chaos?: ChaosArguments | undefined;
}

export interface DemoOptions extends DemoArguments {
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
}

/** While an audit reads the tables, commits wait: for seconds, when all of the past has to be read. */
const AUDIT_INTERVAL_MS = 300_000;
/** The longest that a last audit may delay the end once it was asked for. */
const LAST_AUDIT_MS = 5_000;

/**
 * Runs until the signal aborts, or the pipeline was harmed often enough.
 * @throws {OperatorError} if the file or the directory cannot be used, or harm has been done.
 */
export async function demo(
  config: Config,
  { dataDir, file, speed, chaos: faults, signal, terminal }: DemoOptions,
): Promise<void> {
  using _lock = dataDir === undefined ? null : await lockDirectory(dataDir);
  if (dataDir !== undefined) log.info("Counting into {directory}", { directory: resolve(dataDir) });
  const opened = file === undefined ? null : await openFile(file, dataDir);
  await using database = await EmbeddedPostgres.open(dataDir && join(dataDir, "postgres"));
  const generated = opened ? null : await openDemoLog({ dataDir, speed, isInChaos: !!faults });
  const bursts = generated && faults ? new Bursts(generated, faults.seed) : null;
  const { source, auditedLog, origin } = opened ??
    openGenerated(generated!, bursts ?? generated!);
  await using chaos = bursts && faults
    ? new Chaos({ ...faults, records: bursts, source, databaseUrl: database.url })
    : null;
  using narrator = generated && new Narrator(generated);
  const ended = new AbortController();
  const stopping = AbortSignal.any([signal, ended.signal]);
  const note = () => [narrator?.note(), chaos?.note()].filter((each) => each).join(", ") || null;
  const state = new WorkerState({ latencySinceMs: Date.now() }); // the past is made up
  using status = new StatusLine({ terminal, signal: stopping, state, note });
  const auditing = auditedLog && new Auditing({
    ...{ config, databaseUrl: database.url, log: auditedLog, intervalMs: AUDIT_INTERVAL_MS },
    ...chaos?.auditing,
    heard: (note) => chaos?.heard(note),
  });
  const catchingUp = new CatchingUp();
  await using worker = new Worker({
    config: chaos?.settings(config) ?? config,
    databaseUrl: chaos?.databaseUrl ?? database.url,
    sendsAlerts: false,
    state,
    observers: [catchingUp],
    harmed: chaos?.harmed,
    demo: () => ({
      ...narrator?.status() ?? { speed: null, jackpot: null },
      chaos: chaos?.status() ?? null,
    }),
  });
  await using server = worker.serve();
  status.show(server.url);
  const epoch = await worker.prepare(origin);
  await runTaskGroup(
    [
      countAlthoughDropped(
        () => worker.count(chaos?.source ?? source, { epoch, signal: stopping }),
        stopping,
      ),
      // A past that is still being counted would be recounted, and harmed, with every commit waiting.
      ...[auditing, chaos].filter((each) => each !== null)
        .map((each) => catchingUp.followedBy(() => each.run(stopping), stopping)),
    ],
    { ended, stopping },
  );
  if (!chaos || !auditing) return;
  const last = auditing.runOnce();
  await (signal.aborted ? withTimeout(LAST_AUDIT_MS, last) : last); // until then an earlier one counts
  log.info(chaos.verdict());
}

/** Counts until the signal aborts; each worker that is dropped is followed by another. */
async function countAlthoughDropped(
  count: () => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  do {
    try {
      await count();
    } catch (error) {
      if (!(error instanceof DroppedError)) throw error;
    }
  } while (!signal.aborted);
}
