/** The first address of KAFKA_BROKERS leads to what takes connections, and is no broker any more. */

import assert from "node:assert/strict";
import type { KafkaConfig } from "../../../lib/core/settings/config.ts";
import { createKafka } from "../../../lib/io/kafka/client.ts";
import { KafkaCluster } from "../../../lib/io/kafka/cluster.ts";
import { ConsumerGroup } from "../../../lib/io/kafka/group/consumer_group.ts";
import { LogReader } from "../../../lib/io/kafka/log_reader.ts";
import { KafkaOutput } from "../../../lib/io/kafka/output.ts";
import { KafkaProducer } from "../../../lib/io/kafka/producer.ts";
import { KafkaSource } from "../../../lib/io/kafka/source.ts";
import { freePort } from "../../support/free_port.ts";
import { createTopic, type TestTopic } from "../../support/kafka.ts";
import { securedKafka } from "../../support/secured_kafka.ts";
import { serverTest } from "../../support/servers.ts";
import { TcpProxy } from "../../support/tcp_proxy.ts";

function targetOf(address: string): { readonly hostname: string; readonly port: number } {
  const [hostname, port] = address.split(":") as [string, string];
  return { hostname, port: Number(port) };
}

/** What stands in front of a broker, by what it does. */
const HALF_DEAD: Readonly<Record<string, (address: string) => TcpProxy>> = {
  "closes connections at once": () => new TcpProxy({ hostname: "127.0.0.1", port: freePort() }),
  "answers nothing": (address) => {
    const proxy = new TcpProxy(targetOf(address));
    proxy.hang();
    return proxy;
  },
  "tells its versions and answers nothing else": (address) => {
    const proxy = new TcpProxy(targetOf(address));
    proxy.answers = 1;
    return proxy;
  },
};

/** Settings of a topic, with the proxy as the first broker. */
function behind(proxy: TcpProxy, { config }: TestTopic): KafkaConfig {
  return { ...config, brokers: [`127.0.0.1:${proxy.port}`, ...config.brokers] };
}

for (const [name, open] of Object.entries(HALF_DEAD)) {
  serverTest(`another broker is asked when the first one ${name}`, ["kafka"], async () => {
    await using topic = await createTopic({ partitions: 2 });
    await using proxy = open(topic.config.brokers[0]!);
    const config = behind(proxy, topic);
    await using cluster = new KafkaCluster(await createKafka(config), config);
    assert.equal((await cluster.logRanges()).size, 2);
    assert.match(await cluster.id(), /./);
  });
}

serverTest("everything that connects asks another broker when the first one answers nothing", [
  "kafka",
], async () => {
  await using topic = await createTopic({ partitions: 2 });
  await using proxy = HALF_DEAD["answers nothing"]!(topic.config.brokers[0]!);
  const config = behind(proxy, topic);
  const kafka = () => createKafka(config); // each begins with the first address again

  await using producer = await KafkaProducer.open(await kafka(), config);
  await producer.send([{ key: "a", value: "1" }]);
  await using reader = await LogReader.open(await kafka(), config);
  await using cluster = new KafkaCluster(await kafka(), config);
  const ranges = [...await cluster.logRanges()];
  const [partition, { endOffset: to }] = ranges.find(([, { endOffset }]) => endOffset > 0)!;
  assert.equal((await Array.fromAsync(reader.read({ partition, from: 0, to }))).length, 1);

  const output = new KafkaOutput(await kafka(), { ...config, topic: "events" }, topic.name);
  await output.open();
  await output.close();

  await using source = new KafkaSource(await kafka(), { config, cluster });
  const stop = new AbortController();
  await source.read({
    assigned: (partitions) => {
      assert.deepEqual([...partitions].sort(), [0, 1]);
      stop.abort();
    },
    fetched: () => Promise.resolve(),
    interrupted: () => {},
  }, stop.signal);
});

serverTest("whoever asked for the group in vain does not have to wait for the answer", [
  "kafka",
], async () => {
  await using topic = await createTopic();
  await using proxy = HALF_DEAD["answers nothing"]!(topic.config.brokers[0]!);
  const config = { ...topic.config, brokers: [`127.0.0.1:${proxy.port}`] };
  const group = new ConsumerGroup(await createKafka(config), config);
  const asking = group.describe().then(() => performance.now(), () => performance.now());
  await group[Symbol.asyncDispose]();
  const closedAt = performance.now();
  assert.ok(await asking - closedAt > 1_000, "an answer is waited for for 5 s, an end for 1 s");
});

serverTest("another broker is asked when the first one never ends its TLS handshake", [
  "java",
  "kafka",
  "openssl",
], async () => {
  const secured = await securedKafka();
  await using topic = await createTopic({ partitions: 1 }, secured.open);
  await using proxy = HALF_DEAD["answers nothing"]!(secured.ssl);
  const config: KafkaConfig = {
    ...topic.config,
    brokers: [`localhost:${proxy.port}`, secured.ssl],
    ssl: { caFile: secured.caFile, certFile: undefined, keyFile: undefined },
  };
  await using cluster = new KafkaCluster(await createKafka(config), config);
  assert.match(await cluster.id(), /./);
});
