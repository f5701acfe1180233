/**
 * A worker that has counted hours of events, for what Grafana asks of PostgreSQL and Prometheus.
 * @module
 */

import { eventually } from "./eventually.ts";
import { FaultStand } from "./fault_stand.ts";
import { freePort } from "./free_port.ts";
import { createReader, readerUrl } from "./grafana.ts";
import { kcatProduce } from "./kcat.ts";
import type { TestDatabase } from "./postgres.ts";
import type { Program } from "./worker_process.ts";

const HOUR_MS = 3_600_000;
const WEEK_MS = 7 * 24 * HOUR_MS;
const RECORDS = 20_000;
const PASSWORD = "reads only";

export const LOTTERIES = ["mega_draw", "o'brien", 'quote"s', "rare\\one", "lötto_€"]
  .concat(Array.from({ length: 10 }, (_, n) => `lottery ${n}`));
export const TYPES = ["clicked", "clicked", "viewed", "clicked", "register", "clicked", "pay"];

/** Events of the last three hours, some of them now, some a week ago, and records that are none. */
function makeRecords(count: number): string[] {
  const now = Date.now();
  return Array.from({ length: count }, (_, n) => {
    if (n % 50 === 0) return n % 100 === 0 ? "not json" : "{}";
    const earlier = n % 11 === 3 ? WEEK_MS : 0;
    const timestamp = n % 10 === 1 ? now : now - earlier - (n * 7919) % (3 * HOUR_MS);
    const lottery_name = LOTTERIES[n % LOTTERIES.length];
    return JSON.stringify({ lottery_name, event_type: TYPES[n % TYPES.length], timestamp });
  });
}

export class GrafanaStand implements AsyncDisposable {
  readonly worker: Program;
  /** Where the worker answers. */
  readonly address: string;
  readonly database: TestDatabase;
  /** The database, for the role that only reads. */
  readonly readerUrl: string;
  readonly #stand: FaultStand;
  readonly #release: AsyncDisposableStack;

  private constructor(
    parts: Pick<GrafanaStand, "worker" | "address">,
    stand: FaultStand,
    release: AsyncDisposableStack,
  ) {
    this.worker = parts.worker;
    this.address = parts.address;
    this.database = stand.database;
    this.readerUrl = readerUrl(stand.database.url, PASSWORD);
    this.#stand = stand;
    this.#release = release;
  }

  /** Resolves when the worker has counted, and knows up to when. */
  static async open(): Promise<GrafanaStand> {
    await using opened = new AsyncDisposableStack();
    const fault = opened.use(await FaultStand.open({ ownsPostgres: true }));
    await createReader(fault.database.url, PASSWORD);
    const port = String(freePort());
    const worker = opened.use(await fault.startWorker({ ...fault.env(), HTTP_PORT: port }));
    const stand = new GrafanaStand({ worker, address: `127.0.0.1:${port}` }, fault, opened.move());
    await stand.produce();
    await eventually(async () => {
      const [row] = await fault.database.connection.query<{ is_near: boolean }>({
        text: `select coalesce(watermark > now() - interval '1 minute', false) as is_near
          from pipeline`,
      });
      return row!.is_near;
    });
    return stand;
  }

  /** Resolves when the worker has counted more records. */
  async produce(): Promise<void> {
    const before = await this.#stand.recordsRead();
    await kcatProduce(this.#stand.topic, makeRecords(RECORDS));
    await eventually(async () => await this.#stand.recordsRead() === before + RECORDS);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#release.disposeAsync();
  }
}
