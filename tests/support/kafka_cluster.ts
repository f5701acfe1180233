/**
 * Several brokers that are one Kafka cluster, each of which can be frozen or killed.
 * @module
 */

import { join } from "node:path";
import { eventually } from "./eventually.ts";
import { freePort } from "./free_port.ts";
import { Broker, type BrokerOptions, newClusterId, openAdmin } from "./kafka.ts";

/** Copies of everything that Kafka keeps for itself, one on each broker; two are enough to write. */
const REPLICATED = {
  "offsets.topic.replication.factor": "3",
  "transaction.state.log.replication.factor": "3",
  "transaction.state.log.min.isr": "2",
  "default.replication.factor": "3",
  "min.insync.replicas": "2",
};

/** Three brokers; what is left of them when one is away can still write. */
export class KafkaCluster3 implements AsyncDisposable {
  readonly brokers: readonly Broker[];
  readonly #directory: string;

  private constructor(brokers: readonly Broker[], directory: string) {
    this.brokers = brokers;
    this.#directory = directory;
  }

  /** Resolves when all of them answer and know each other. */
  static async start({ settings, ...options }: BrokerOptions = {}): Promise<KafkaCluster3> {
    const directory = await Deno.makeTempDir({ prefix: "lottery-events-cluster-" });
    const clusterId = newClusterId();
    const controllers = [0, 1, 2].map(() => `127.0.0.1:${freePort()}`);
    const brokers = await Promise.all([1, 2, 3].map(async (id) => {
      const ownDirectory = join(directory, String(id));
      await Deno.mkdir(ownDirectory);
      return await Broker.start(ownDirectory, {
        ...options,
        settings: { ...REPLICATED, ...settings },
        node: { id, clusterId, controllers },
      });
    }));
    const cluster = new KafkaCluster3(brokers, directory);
    await cluster.complete();
    return cluster;
  }

  /** Addresses of all brokers, the first one first. */
  get addresses(): string {
    return this.brokers.map(({ address }) => address).join(",");
  }

  /** Resolves when all brokers are members again. */
  async complete(): Promise<void> {
    for (const { address } of this.brokers) {
      await eventually(async () => {
        await using admin = await openAdmin(address);
        return (await admin.describeCluster()).brokers.length === this.brokers.length;
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const broker of this.brokers) broker.kill();
    await Deno.remove(this.#directory, { recursive: true }).catch(() => {});
  }
}
