/**
 * A broker as others secure theirs: TLS, client certificates, log-ins and access control.
 * @module
 */

import { join } from "node:path";
import {
  AclOperationTypes,
  AclPermissionTypes,
  AclResourceTypes,
  ResourcePatternTypes,
} from "../../lib/io/kafka/kafkajs/kafkajs.ts";
import { Authority, type Certificate } from "./certificates.ts";
import { freePort } from "./free_port.ts";
import { Broker, openAdmin, type TestTopic } from "./kafka.ts";
import { sharedServer } from "./shared_server.ts";

/** Passwords of the users that can log in, by PLAIN and by SCRAM. */
export const USERS = { counter: "counter-s3cret", stranger: "stranger-s3cret" };

/** Addresses of one broker's listeners, and the files that go with them. */
export interface SecuredKafka {
  /** Open to the tests, who may do everything. */
  readonly open: string;
  /** TLS only. */
  readonly ssl: string;
  /** TLS, with a certificate that ended yesterday. */
  readonly expired: string;
  /** TLS, with a certificate for another host. */
  readonly otherHost: string;
  /** TLS that wants a certificate of ours. */
  readonly mutual: string;
  /** TLS and a log-in. */
  readonly sasl: string;
  readonly caFile: string;
  /** An authority that has issued nothing here. */
  readonly otherCaFile: string;
  /** Of the user `CN=counter`. */
  readonly client: Certificate;
  /** By the other authority. */
  readonly otherClient: Certificate;
}

/** The run's secured broker. */
export async function securedKafka(): Promise<SecuredKafka> {
  const start = async (directory: string) =>
    JSON.stringify((await startSecuredKafka(directory)).kafka);
  return JSON.parse(await sharedServer("secured-kafka", start));
}

const LISTENERS = ["ssl", "expired", "otherHost", "mutual", "sasl"] as const;
const MECHANISMS = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"];

/** A secured broker with its data in `directory`. */
export async function startSecuredKafka(
  directory: string,
): Promise<{ readonly broker: Broker; readonly kafka: SecuredKafka }> {
  const certificates = join(directory, "certificates");
  await Deno.mkdir(certificates);
  const authority = await Authority.create(certificates);
  const other = await Authority.create(certificates, "other-authority");
  const server = await authority.issue("server");
  const expired = await authority.issue("expired", { isExpired: true });
  const otherHost = await authority.issue("elsewhere", { names: "DNS:elsewhere.example.org" });

  const addresses = Object.fromEntries(
    LISTENERS.map((name) => [name, `localhost:${freePort()}`]),
  ) as Record<typeof LISTENERS[number], string>;
  const broker = await Broker.start(directory, {
    users: USERS,
    listeners: LISTENERS.map((name) => `${name.toUpperCase()}://${addresses[name]}`),
    settings: {
      "listener.security.protocol.map":
        "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SSL:SSL,EXPIRED:SSL,OTHERHOST:SSL,MUTUAL:SSL,SASL:SASL_SSL",
      ...await keyStore("listener.name.ssl", server),
      ...await keyStore("listener.name.mutual", server),
      ...await keyStore("listener.name.sasl", server),
      ...await keyStore("listener.name.expired", expired),
      ...await keyStore("listener.name.otherhost", otherHost),
      "ssl.truststore.type": "PEM",
      "ssl.truststore.location": authority.file,
      "listener.name.mutual.ssl.client.auth": "required",
      "sasl.enabled.mechanisms": MECHANISMS.join(","),
      "listener.name.sasl.plain.sasl.jaas.config":
        `org.apache.kafka.common.security.plain.PlainLoginModule required ${
          Object.entries(USERS).map(([name, password]) => `user_${name}="${password}"`).join(" ")
        };`,
      ...Object.fromEntries(
        MECHANISMS.slice(1).map((mechanism) => [
          `listener.name.sasl.${mechanism.toLowerCase()}.sasl.jaas.config`,
          "org.apache.kafka.common.security.scram.ScramLoginModule required;",
        ]),
      ),
      "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
      "super.users": "User:ANONYMOUS",
    },
  });
  const kafka: SecuredKafka = {
    ...addresses,
    open: broker.address,
    caFile: authority.file,
    otherCaFile: other.file,
    client: await authority.issue("counter"),
    otherClient: await other.issue("other-counter"),
  };
  return { broker, kafka };
}

/** Settings of a listener's certificate; key and certificate stand in one file. */
async function keyStore(
  prefix: string,
  { certFile, keyFile }: Certificate,
): Promise<Record<string, string>> {
  const file = `${certFile}.store`;
  await Deno.writeTextFile(
    file,
    await Deno.readTextFile(keyFile) + await Deno.readTextFile(certFile),
  );
  return { [`${prefix}.ssl.keystore.type`]: "PEM", [`${prefix}.ssl.keystore.location`]: file };
}

/** Settings of a program that goes in by one of the listeners. */
type Env = Readonly<Record<string, string>>;

export function overTls({ ssl, caFile }: SecuredKafka): Env {
  return { KAFKA_BROKERS: ssl, KAFKA_SSL: "true", KAFKA_SSL_CA_FILE: caFile };
}

export function overMutualTls(kafka: SecuredKafka): Env {
  return {
    ...overTls(kafka),
    KAFKA_BROKERS: kafka.mutual,
    KAFKA_SSL_CERT_FILE: kafka.client.certFile,
    KAFKA_SSL_KEY_FILE: kafka.client.keyFile,
  };
}

export function overSasl(
  kafka: SecuredKafka,
  { mechanism, user = "counter" }: {
    readonly mechanism: string;
    readonly user?: keyof typeof USERS | undefined;
  },
): Env {
  return {
    ...overTls(kafka),
    KAFKA_BROKERS: kafka.sasl,
    KAFKA_SASL_MECHANISM: mechanism,
    KAFKA_SASL_USERNAME: user,
    KAFKA_SASL_PASSWORD: USERS[user],
  };
}

/** What somebody may do with a topic and with its group. */
export interface Grants {
  readonly onTopic: readonly AclOperationTypes[];
  readonly onGroup: readonly AclOperationTypes[];
}

export async function grant(topic: TestTopic, principal: string, grants: Grants): Promise<void> {
  const { TOPIC, GROUP } = AclResourceTypes;
  const acl = [
    ...grants.onTopic.map((operation) => ({
      operation,
      resourceType: TOPIC,
      resourceName: topic.name,
    })),
    ...grants.onGroup.map((operation) => ({
      operation,
      resourceType: GROUP,
      resourceName: topic.config.groupId,
    })),
  ].map((entry) => ({
    ...entry,
    principal,
    host: "*",
    permissionType: AclPermissionTypes.ALLOW,
    resourcePatternType: ResourcePatternTypes.LITERAL,
  }));
  await using admin = await openAdmin(topic.brokers);
  if (acl.length > 0) await admin.createAcls({ acl });
}

/** All that lib/io/kafka/README.md says is needed, to the user `counter`, however it comes. */
export async function grantCounter(topic: TestTopic): Promise<void> {
  const { READ, DESCRIBE_CONFIGS } = AclOperationTypes;
  for (const principal of ["User:counter", "User:CN=counter"]) {
    await grant(topic, principal, { onTopic: [READ, DESCRIBE_CONFIGS], onGroup: [READ] });
  }
}
