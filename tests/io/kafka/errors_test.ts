import assert from "node:assert/strict";
import { isPassing, OperatorError, UnavailableError } from "../../../lib/core/failure.ts";
import { NoBrokerError } from "../../../lib/io/kafka/broker_errors.ts";
import { explain } from "../../../lib/io/kafka/errors.ts";

const CONFIG = {
  ...{ brokers: ["kafka-1:9092", "[::1]:9093"], topic: "events", groupId: "group" },
  ...{ ssl: undefined, sasl: undefined },
};

function failure(name: string, more: object): Error {
  return Object.assign(new Error("refused"), { name }, more);
}

const ofBroker = (broker: string) => failure("KafkaJSConnectionError", { broker });
const ofType = (type: string) => failure("KafkaJSProtocolError", { type, retriable: true });

for (
  const [what, error, sentence] of [
    [
      "no address that answers",
      new NoBrokerError("kafka-1:9092: ECONNREFUSED"),
      /^Cannot reach Kafka at kafka-1:9092, \[::1\]:9093\. Is it running/,
    ],
    [
      "one of the addresses",
      ofBroker("kafka-1:9092"),
      /^Kafka at .* answers, but not its broker at kafka-1:9092\. Is it running, and are KAFKA_BROKERS/,
    ],
    [
      "one of the addresses, by IPv6",
      ofBroker("::1:9093"),
      /^Kafka at .* answers, but not its broker at ::1:9093\. Is it running/,
    ],
    [
      "an address that is none of ours",
      ofBroker("kafka:29092"),
      /not its broker at kafka:29092, the address that the broker advertises\. Set advertised\.listeners/,
    ],
    [
      "an address that is none of ours and hangs up",
      failure("KafkaJSConnectionClosedError", { broker: "kafka:29092" }),
      /not its broker at kafka:29092, the address that the broker advertises\. Is it running, and are .*KAFKA_SASL/,
    ],
    [
      "a coordinator that is not there yet",
      ofType("GROUP_COORDINATOR_NOT_AVAILABLE"),
      /has no coordinator for consumer groups.*offsets\.topic\.replication\.factor/,
    ],
    [
      "a partition without a leader",
      failure("KafkaJSBrokerNotFound", { message: "Broker -1 not found in the cached metadata" }),
      /^A partition of events has no leader/,
    ],
    [
      "what a broker cannot do right now",
      ofType("NOT_ENOUGH_REPLICAS"),
      /^Kafka at .* answers, but cannot do this right now$/,
    ],
  ] as const
) {
  Deno.test(`explain() tells of ${what}, and that it passes`, () => {
    const wrapped = new Error("it failed", { cause: error });
    assert.match(explain(wrapped, CONFIG).message, sentence);
    assert.equal(isPassing(explain(wrapped, CONFIG)), true);
  });
}

for (const address of ["kafka-1:9092", "[::1]:9093"]) {
  Deno.test(`explain() does not say that ${address} answers if it is all there is, and does not`, () => {
    const { message } = explain(ofBroker(address.replace(/[[\]]/g, "")), {
      ...CONFIG,
      brokers: [address],
    });
    assert.equal(
      message,
      `Cannot reach Kafka at ${address}. ` +
        "Is it running, and are KAFKA_BROKERS, KAFKA_SSL and KAFKA_SASL_MECHANISM right?",
    );
  });
}

const ofConnection = () => failure("KafkaJSConnectionError", { retriable: true });

for (
  const [what, error, passes] of [
    ["kafkajs's connection error", failure("KafkaJSConnectionError", { retriable: true }), true],
    ["kafkajs's request timeout", failure("KafkaJSRequestTimeoutError", { retriable: true }), true],
    [
      "kafkajs's missing coordinator",
      failure("KafkaJSGroupCoordinatorNotFound", { retriable: true }),
      true,
    ],
    [
      "a protocol error that kafkajs would retry",
      failure("KafkaJSProtocolError", {
        type: "NOT_LEADER_FOR_PARTITION",
        code: 6,
        retriable: true,
      }),
      true,
    ],
    [
      "a protocol error that kafkajs would not retry",
      failure("KafkaJSProtocolError", {
        type: "TOPIC_AUTHORIZATION_FAILED",
        code: 29,
        retriable: false,
      }),
      false,
    ],
    [
      "kafkajs's refused log-in",
      failure("KafkaJSSASLAuthenticationError", { retriable: false }),
      false,
    ],
    [
      "kafkajs's exceeded retries of a connection",
      failure("KafkaJSNumberOfRetriesExceeded", { retriable: false, cause: ofConnection() }),
      true,
    ],
    [
      "kafkajs's exceeded retries of a forbidden request",
      failure("KafkaJSNumberOfRetriesExceeded", {
        retriable: false,
        cause: failure("Error", { type: "GROUP_AUTHORIZATION_FAILED", retriable: false }),
      }),
      false,
    ],
    ["an expired certificate", failure("Error", { code: "CERT_HAS_EXPIRED" }), false],
    ["a socket's error", failure("Error", { code: "ECONNREFUSED" }), true],
    ["what is no error", "ECONNREFUSED", true],
    ["an OperatorError", new OperatorError("mend it", { cause: ofConnection() }), false],
    ["an UnavailableError", new UnavailableError("away"), true],
    [
      "an OperatorError inside an error of kafkajs",
      failure("KafkaJSNonRetriableError", { cause: new OperatorError("mend it") }),
      false,
    ],
  ] as const
) {
  Deno.test(`explain() ${passes ? "waits for" : "leaves to an operator"} ${what}`, () => {
    const explained = explain(error, CONFIG);
    assert.ok(explained instanceof OperatorError || explained instanceof UnavailableError);
    assert.equal(isPassing(explained), passes);
  });
}

for (
  const name of [
    "KafkaJSBrokerNotFound",
    "KafkaJSConnectionClosedError",
    "KafkaJSLockTimeout",
    "KafkaJSMetadataNotLoaded",
    "KafkaJSNoBrokerAvailableError",
    "KafkaJSStaleTopicMetadataAssignment",
    "KafkaJSTimeout",
    "KafkaJSTopicMetadataNotLoaded",
  ]
) {
  Deno.test(`explain() waits for a ${name}`, () => {
    assert.equal(isPassing(explain(failure(name, {}), CONFIG)), true);
  });
}
