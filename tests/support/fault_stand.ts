/**
 * What a fault test needs: servers that it may harm, a topic and a database, workers,
 * a stream of records while the harm is done, and the comparison at the end.
 * @module
 */

import assert from "node:assert/strict";
import { makeLines } from "./event_lines.ts";
import { eventually } from "./eventually.ts";
import { assertBooksBalance, Expectation } from "./expectation.ts";
import { freePort } from "./free_port.ts";
import { Broker, createTopic, openAdmin, type TestTopic } from "./kafka.ts";
import { KafkaCluster3 } from "./kafka_cluster.ts";
import { kcatProduce } from "./kcat.ts";
import { createDatabase, Postgres, type TestDatabase } from "./postgres.ts";
import { assertRecounted } from "./recount.ts";
import { type Server, serverTest } from "./servers.ts";
import { TcpProxy } from "./tcp_proxy.ts";
import { Program } from "./worker_process.ts";

export interface FaultStandOptions {
  readonly partitions?: number;
  /** Broker of its own, because it is killed. */
  readonly ownsBroker?: boolean;
  /** The broker of its own is reached through a proxy. */
  readonly proxiesBroker?: boolean;
  /** Three brokers of its own. */
  readonly ownsCluster?: boolean;
  /** Ids of the brokers that have each partition, its leader first. */
  readonly replicas?: readonly (readonly number[])[];
  /** PostgreSQL of its own, because it is stopped. */
  readonly ownsPostgres?: boolean;
  /** Language in which a PostgreSQL of its own speaks, as `de_DE`. */
  readonly postgresLanguage?: string;
  /** How far the clock of a PostgreSQL of its own is wrong, as `+45d`. */
  readonly postgresClock?: string;
  /** The test starts a PgBouncer. */
  readonly hasPooler?: boolean;
  /** Settings of the broker, if it owns one. */
  readonly brokerSettings?: Readonly<Record<string, string>>;
}

/** Registers a test with a stand of its own. */
export function faultTest(
  name: string,
  options: FaultStandOptions,
  body: (stand: FaultStand) => Promise<void>,
): void {
  const { ownsBroker, ownsCluster, ownsPostgres, postgresLanguage } = options;
  const { postgresClock, hasPooler } = options;
  const needs: Server[] = ["kafka", "postgres", "openssl"]; // the last for the mail server
  if (ownsBroker || ownsCluster) needs.push("java");
  if (ownsPostgres) needs.push("initdb");
  if (postgresLanguage) needs.push("localedef");
  if (postgresClock) needs.push("faketime");
  if (hasPooler) needs.push("pgbouncer");
  serverTest(name, needs, async () => {
    await using stand = await FaultStand.open(options);
    await body(stand);
  });
}

export class FaultStand implements AsyncDisposable {
  readonly topic: TestTopic;
  readonly database: TestDatabase;
  /** Null unless the stand owns them. */
  readonly broker: Broker | null;
  readonly proxy: TcpProxy | null;
  readonly cluster: KafkaCluster3 | null;
  readonly postgres: Postgres | null;
  readonly #release: AsyncDisposableStack;
  #produced = 0;

  private constructor(
    parts: Pick<FaultStand, "topic" | "database" | "broker" | "proxy" | "cluster" | "postgres">,
    release: AsyncDisposableStack,
  ) {
    this.topic = parts.topic;
    this.database = parts.database;
    this.broker = parts.broker;
    this.proxy = parts.proxy;
    this.cluster = parts.cluster;
    this.postgres = parts.postgres;
    this.#release = release;
  }

  static async open(
    options: FaultStandOptions,
  ): Promise<FaultStand> {
    const { partitions = 4, replicas, ownsBroker, proxiesBroker, ownsCluster } = options;
    const { ownsPostgres, postgresLanguage, postgresClock, brokerSettings = {} } = options;
    await using opened = new AsyncDisposableStack();
    const makeDirectory = async () => {
      const directory = await Deno.makeTempDir({ prefix: "lottery-events-fault-" });
      opened.defer(() => Deno.remove(directory, { recursive: true }).catch(() => {}));
      return directory;
    };
    const port = freePort();
    const proxy = proxiesBroker ? opened.use(new TcpProxy({ hostname: "127.0.0.1", port })) : null;
    const settings = {
      ...brokerSettings,
      ...proxy && { "advertised.listeners": `PLAINTEXT://127.0.0.1:${proxy.port}` },
    };
    const broker = ownsBroker
      ? await Broker.start(await makeDirectory(), { port, settings })
      : null;
    if (broker) opened.defer(() => broker.kill());
    const cluster = ownsCluster ? opened.use(await KafkaCluster3.start()) : null;
    const postgres = ownsPostgres
      ? await Postgres.start(await makeDirectory(), {
        language: postgresLanguage,
        ...postgresClock && { clock: postgresClock },
      })
      : null;
    if (postgres) opened.defer(() => postgres.stop());
    // Servers of its own end with it, so what is in them need not be removed.
    const topic = await createTopic(
      { partitions, ...replicas && { replicas } },
      broker?.address ?? cluster?.addresses,
    );
    if (!broker && !cluster) opened.use(topic);
    const database = await createDatabase(postgres?.url);
    if (postgres) opened.defer(() => database.connection[Symbol.asyncDispose]());
    else opened.use(database);
    return new FaultStand({ topic, database, broker, proxy, cluster, postgres }, opened.move());
  }

  /** Settings of a worker; `databaseUrl` may lead through a proxy. */
  env(databaseUrl = this.database.url): Record<string, string> {
    return {
      KAFKA_BROKERS: this.topic.brokers,
      KAFKA_TOPIC: this.topic.name,
      KAFKA_GROUP_ID: this.topic.config.groupId,
      DATABASE_URL: databaseUrl,
    };
  }

  /** Starts a worker and waits until it reads. */
  async startWorker(env: Readonly<Record<string, string>> = this.env()): Promise<Program> {
    const worker = await Program.start(["start"], { env });
    await worker.printed(/Reading \d+ partition|No partition assigned/);
    return worker;
  }

  /** Sends records, one of 101 of them bad. */
  async produce(count: number): Promise<void> {
    await kcatProduce(this.topic, makeLines(count, new Expectation()));
    this.#produced += count;
  }

  /** Sends records in small portions until `body` has ended. */
  async whileProducing(body: () => Promise<void>): Promise<void> {
    let isOver = false;
    const producing = (async () => {
      while (!isOver) {
        await this.produce(2_000);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    })();
    try {
      await body();
    } finally {
      isOver = true;
      await producing;
    }
  }

  /** Records that the database has as read. */
  async recordsRead(): Promise<number> {
    const [row] = await this.database.connection.query<{ records: number }>({
      text: "select coalesce(sum(counted + dead), 0)::bigint as records from kafka_offsets",
    });
    return row!.records;
  }

  /** Resolves when the database has read on since now, or has all that was produced here. */
  async progress(): Promise<void> {
    const before = await this.recordsRead();
    await eventually(async () => {
      const now = await this.recordsRead();
      return now > before || this.#produced > 0 && now >= this.#produced;
    });
  }

  /** Resolves when every partition is stored up to the end of its log. */
  async caughtUp(): Promise<void> {
    await using admin = await openAdmin(this.topic.brokers);
    await eventually(async () => {
      const ends = await admin.fetchTopicOffsets(this.topic.name);
      const rows = await this.database.connection.query<{ partition: number; next_offset: number }>(
        {
          text: "select partition, next_offset from kafka_offsets",
        },
      );
      const stored = new Map(rows.map((row) => [row.partition, row.next_offset]));
      return ends.every(({ partition, high }) => (stored.get(partition) ?? 0) === Number(high));
    });
  }

  /** Waits for the end of the log, and compares every row with an independent recount. */
  async assertExact(): Promise<void> {
    await this.caughtUp();
    const records = await assertRecounted(this.topic, this.database.connection);
    assert.ok(records > 0 && records >= this.#produced, `${records} of ${this.#produced} records`);
    await assertBooksBalance(this.database.connection);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#release.disposeAsync();
  }
}
