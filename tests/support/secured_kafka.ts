/**
 * A broker as others secure theirs: TLS, client certificates, log-ins and access control.
 * @module
 */

import { join } from "node:path";
import { Authority, type Certificate } from "./certificates.ts";
import { freePort } from "./guarded_process.ts";
import { Broker } from "./kafka.ts";
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
  return JSON.parse(await sharedServer("secured-kafka", start));
}

const LISTENERS = ["ssl", "expired", "otherHost", "mutual", "sasl"] as const;
const MECHANISMS = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"];

async function start(directory: string): Promise<string> {
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
  const answer: SecuredKafka = {
    ...addresses,
    open: broker.address,
    caFile: authority.file,
    otherCaFile: other.file,
    client: await authority.issue("counter"),
    otherClient: await other.issue("other-counter"),
  };
  return JSON.stringify(answer);
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
