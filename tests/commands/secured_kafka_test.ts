import assert from "node:assert/strict";
import { AclOperationTypes } from "../../lib/io/kafka/kafkajs/kafkajs.ts";
import { makeLines } from "../support/event_lines.ts";
import { eventually } from "../support/eventually.ts";
import { assertBooksBalance, Expectation } from "../support/expectation.ts";
import { JavaConsumer } from "../support/java_consumer.ts";
import { createTopic, type TestTopic } from "../support/kafka.ts";
import { kcatProduce } from "../support/kcat.ts";
import { createDatabase } from "../support/postgres.ts";
import {
  grant,
  grantCounter,
  type Grants,
  overMutualTls,
  overSasl,
  overTls,
  type SecuredKafka,
  securedKafka,
  USERS,
} from "../support/secured_kafka.ts";
import { serverTest } from "../support/servers.ts";
import { Program, runProgram } from "../support/worker_process.ts";

type Env = Readonly<Record<string, string>>;
type Way = (kafka: SecuredKafka) => Env;

const login = (mechanism: string, user?: keyof typeof USERS): Way => (kafka) =>
  overSasl(kafka, { mechanism, user });

const { READ, DESCRIBE, DESCRIBE_CONFIGS, WRITE } = AclOperationTypes;

for (
  const [name, way] of Object.entries({
    "TLS": overTls,
    "TLS with a client certificate": overMutualTls,
    "SASL PLAIN": login("plain"),
    "SASL SCRAM-SHA-256": login("scram-sha-256"),
    "SASL SCRAM-SHA-512": login("scram-sha-512"),
  })
) {
  serverTest(
    `start counts exactly over ${name}`,
    ["java", "openssl", "kafka", "postgres"],
    async () => {
      const kafka = await securedKafka();
      await using topic = await createTopic({}, kafka.open);
      await using database = await createDatabase();
      await grantCounter(topic);
      const expected = new Expectation();
      await kcatProduce(topic, makeLines(5_000, expected));
      const env = { ...stackEnv(topic), ...way(kafka), DATABASE_URL: database.url };
      const doctor = await runProgram(["doctor"], { env });
      assert.equal(doctor.code, 0, doctor.stdout);
      const { code, stderr } = await runProgram(["start", "--once"], {
        env: { ...env, LOG_LEVEL: "debug" },
      });
      assert.equal(code, 0, stderr);
      await expected.assertStored(database.connection);
      await assertBooksBalance(database.connection);
      assert.doesNotMatch(stderr, /s3cret|PRIVATE KEY/);
    },
  );
}

function stackEnv({ name, config }: TestTopic): Env {
  return { KAFKA_TOPIC: name, KAFKA_GROUP_ID: config.groupId };
}

interface Refusal {
  readonly name: string;
  readonly env: Way;
  readonly message: RegExp;
}

const REFUSALS: readonly Refusal[] = [
  ...["plain", "scram-sha-256", "scram-sha-512"].map((mechanism) => ({
    name: `a wrong password by ${mechanism}`,
    env: (kafka: SecuredKafka) => ({
      ...login(mechanism)(kafka),
      KAFKA_SASL_PASSWORD: "wr0ng-s3cret",
    }),
    message: /Cannot log in to Kafka at localhost:\d+ as counter: .*KAFKA_SASL_PASSWORD/,
  })),
  {
    name: "a certificate by an unknown authority",
    env: (kafka) => ({ ...overTls(kafka), KAFKA_SSL_CA_FILE: kafka.otherCaFile }),
    message: /not signed by a trusted authority. Set KAFKA_SSL_CA_FILE/,
  },
  {
    name: "a certificate by an authority that the system does not know",
    env: ({ ssl }) => ({ KAFKA_BROKERS: ssl, KAFKA_SSL: "true" }),
    message: /not signed by a trusted authority. Set KAFKA_SSL_CA_FILE/,
  },
  {
    name: "an expired certificate",
    env: (kafka) => ({ ...overTls(kafka), KAFKA_BROKERS: kafka.expired }),
    message: /its certificate is expired or not valid yet. Renew it on the broker/,
  },
  {
    name: "a certificate for another host",
    env: (kafka) => ({ ...overTls(kafka), KAFKA_BROKERS: kafka.otherHost }),
    message: /its certificate is for another host. Set KAFKA_BROKERS/,
  },
  {
    name: "a missing client certificate",
    env: (kafka) => ({ ...overTls(kafka), KAFKA_BROKERS: kafka.mutual }),
    message: /rejects our certificate.*Check KAFKA_SSL_CERT_FILE and KAFKA_SSL_KEY_FILE/,
  },
  {
    name: "a client certificate by an unknown authority",
    env: (kafka) => ({
      ...overMutualTls(kafka),
      KAFKA_SSL_CERT_FILE: kafka.otherClient.certFile,
      KAFKA_SSL_KEY_FILE: kafka.otherClient.keyFile,
    }),
    message: /rejects our certificate.*Check KAFKA_SSL_CERT_FILE and KAFKA_SSL_KEY_FILE/,
  },
  {
    name: "a file that is not there",
    env: (kafka) => ({ ...overTls(kafka), KAFKA_SSL_CA_FILE: "/not/there.pem" }),
    message: /Cannot read the file that KAFKA_SSL_CA_FILE names: \/not\/there.pem/,
  },
  {
    name: "a file that is no certificate",
    env: (kafka) => ({ ...overTls(kafka), KAFKA_SSL_CA_FILE: import.meta.filename! }),
    message: /Cannot use the file that KAFKA_SSL_CA_FILE names, .*: it is not in PEM format/,
  },
  {
    name: "a key that belongs to another certificate",
    env: (kafka) => ({ ...overMutualTls(kafka), KAFKA_SSL_KEY_FILE: kafka.otherClient.keyFile }),
    message: /KAFKA_SSL_CERT_FILE and KAFKA_SSL_KEY_FILE name: the key does not belong to the cert/,
  },
];

for (const { name, env, message } of REFUSALS) {
  serverTest(
    `start stops with a sentence because of ${name}, and doctor says the same`,
    ["java", "openssl", "kafka", "postgres"],
    async () => {
      const kafka = await securedKafka();
      await using topic = await createTopic({}, kafka.open);
      await grantCounter(topic);
      await assertRefused(topic, env(kafka), { message, isSeenByDoctor: true });
    },
  );
}

serverTest(
  "doctor and start name KAFKA_SASL_MECHANISM where a log-in is wanted and none is set",
  ["java", "openssl", "kafka", "postgres"],
  async () => {
    const kafka = await securedKafka();
    await using database = await createDatabase();
    const env = { ...overTls(kafka), KAFKA_BROKERS: kafka.sasl, DATABASE_URL: database.url };
    const told = new RegExp(
      `Cannot reach Kafka at ${kafka.sasl}\\. Is it running, and are .* and KAFKA_SASL_MECHANISM right\\?`,
    );
    const { code, stdout } = await runProgram(["doctor"], { env });
    assert.equal(code, 1, stdout);
    const bad = stdout.split("\n").filter((line) => line.startsWith("FAIL"));
    assert.equal(bad.length, 1, stdout);
    assert.match(bad[0]!, told);
    await using worker = await Program.start(["start"], { env });
    await worker.printed(told);
  },
);

interface Ban {
  readonly name: string;
  readonly grants: Grants;
  readonly message: RegExp;
  /** Whether it shows without reading and without joining the group, which `doctor` does not do. */
  readonly isSeenByDoctor: boolean;
}

const BANS: readonly Ban[] = [
  {
    name: "no right on the topic",
    grants: { onTopic: [], onGroup: [READ] },
    message: /does not allow us to use the topic. Grant Read and DescribeConfigs.*KAFKA_TOPIC/,
    isSeenByDoctor: true,
  },
  {
    name: "no right to read the topic",
    grants: { onTopic: [DESCRIBE, DESCRIBE_CONFIGS], onGroup: [READ] },
    message: /does not allow us to use the topic. Grant Read and DescribeConfigs.*KAFKA_TOPIC/,
    isSeenByDoctor: false,
  },
  {
    name: "no right to know whether the topic is compacted",
    grants: { onTopic: [READ], onGroup: [READ] },
    message: /does not allow us to use the topic. Grant Read and DescribeConfigs.*KAFKA_TOPIC/,
    isSeenByDoctor: true,
  },
  {
    name: "no right on the group",
    grants: { onTopic: [READ, DESCRIBE_CONFIGS], onGroup: [] },
    message: /does not allow us to use the consumer group. Grant Read.*KAFKA_GROUP_ID/,
    isSeenByDoctor: true,
  },
  {
    name: "no right to join the group",
    grants: { onTopic: [READ, DESCRIBE_CONFIGS], onGroup: [DESCRIBE] },
    message: /does not allow us to use the consumer group. Grant Read.*KAFKA_GROUP_ID/,
    isSeenByDoctor: false,
  },
];

for (const { name, grants, message, isSeenByDoctor } of BANS) {
  serverTest(
    `start stops with a sentence because it has ${name}`,
    ["java", "openssl", "kafka", "postgres"],
    async () => {
      const kafka = await securedKafka();
      await using topic = await createTopic({}, kafka.open);
      await kcatProduce(topic, makeLines(10, new Expectation()));
      await grant(topic, "User:stranger", grants);
      await assertRefused(topic, login("scram-sha-512", "stranger")(kafka), {
        message,
        isSeenByDoctor,
      });
    },
  );
}

serverTest(
  "status and audit need no other right than start",
  ["java", "openssl", "kafka", "postgres"],
  async () => {
    const kafka = await securedKafka();
    await using topic = await createTopic({}, kafka.open);
    await using database = await createDatabase();
    await grantCounter(topic);
    await kcatProduce(topic, makeLines(1_000, new Expectation()));
    const way = login("scram-sha-512")(kafka);
    const env = { ...stackEnv(topic), ...way, DATABASE_URL: database.url };
    for (const args of [["start", "--once"], ["status"], ["audit"]]) {
      const { code, stdout, stderr } = await runProgram(args, { env });
      assert.equal(code, 0, stdout + stderr);
    }
  },
);

serverTest(
  "status tells that partitions may be another program's when it may not see who is in the group",
  ["java", "kafka", "openssl", "postgres"],
  async () => {
    const kafka = await securedKafka();
    await using topic = await createTopic({}, kafka.open);
    await using secret = await createTopic({}, kafka.open);
    await using database = await createDatabase();
    await grantCounter(topic);
    const way = login("scram-sha-512")(kafka);
    const env = { ...stackEnv(topic), ...way, DATABASE_URL: database.url };
    await using worker = await Program.start(["start"], { env });
    await worker.printed(/Reading 4 partitions/);
    const { groupId } = topic.config;
    const options = { brokers: kafka.open, groupId, protocol: "consumer" } as const;
    await using _reader = await JavaConsumer.start({ ...options, topic: topic.name });
    await using _secretive = await JavaConsumer.start({ ...options, topic: secret.name });
    await worker.printed(/Reading 2 partitions/);
    await eventually(async () => {
      const { code, stdout } = await runProgram(["status"], { env });
      assert.equal(code, 1, stdout);
      assert.match(stdout, /^Group members: unknown$/m);
      assert.match(
        stdout,
        /they may belong to another program, but Kafka does not allow us to list/,
      );
    });
  },
);

serverTest("produce says which right it needs", ["java", "openssl", "kafka"], async () => {
  const kafka = await securedKafka();
  await using topic = await createTopic({}, kafka.open);
  await grant(topic, "User:stranger", { onTopic: [READ], onGroup: [] });
  const env = { ...stackEnv(topic), ...login("scram-sha-256", "stranger")(kafka) };
  const refused = await runProgram(["produce", "--count", "10", "--rate", "max"], { env });
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /to produce, Write/);
  await grant(topic, "User:stranger", { onTopic: [WRITE], onGroup: [] });
  const { code, stderr } = await runProgram(["produce", "--count", "10", "--rate", "max"], { env });
  assert.equal(code, 0, stderr);
});

async function assertRefused(
  topic: TestTopic,
  env: Env,
  { message, isSeenByDoctor }: Pick<Ban, "message" | "isSeenByDoctor">,
): Promise<void> {
  await using database = await createDatabase();
  const whole = { ...stackEnv(topic), ...env, DATABASE_URL: database.url };
  const [{ code, stderr }, doctor] = await Promise.all([
    runProgram(["start"], { env: whole }),
    runProgram(["doctor"], { env: whole }),
  ]);
  assert.equal(code, 1, stderr);
  const errors = stderr.trim().split("\n").map((line) => JSON.parse(line))
    .filter(({ level }) => level === "error");
  assert.equal(errors.length, 1, stderr);
  assert.match(errors[0].message, message);
  assert.equal(doctor.code, isSeenByDoctor ? 1 : 0, doctor.stdout);
  if (isSeenByDoctor) assert.match(doctor.stdout, new RegExp(`^FAIL .*${message.source}`, "m"));
  assert.doesNotMatch(stderr + doctor.stdout, /s3cret|PRIVATE KEY/);
}
