import assert from "node:assert/strict";
import type { LookupAddress } from "node:dns";
import { Addresses, parseAddress } from "../../../../lib/io/kafka/kafkajs/addresses.ts";
import { rotating } from "../../../../lib/io/kafka/kafkajs/socket.ts";

Deno.test("parseAddress() takes names, IPv4 and IPv6 addresses", () => {
  for (
    const [text, host, port] of [
      ["localhost:9092", "localhost", 9092],
      ["10.0.0.1:9093", "10.0.0.1", 9093],
      ["[::1]:9092", "::1", 9092],
      ["[fe80::1:2]:19092", "fe80::1:2", 19092],
    ] as const
  ) assert.deepEqual(parseAddress(text), { host, port });
});

Deno.test("Addresses stays with the one that answers, and tries one that failed after all others", () => {
  const addresses = new Addresses(["a:1", "b:2", "c:3"]);
  const hosts = () => addresses.first.host;
  assert.equal(hosts(), "a");
  assert.equal(hosts(), "a");
  addresses.failed({ host: "a", port: 1 });
  assert.equal(hosts(), "b");
  addresses.failed({ host: "b", port: 2 });
  addresses.failed({ host: "elsewhere", port: 2 });
  assert.equal(hosts(), "c");
  addresses.failed({ host: "c", port: 3 });
  assert.equal(hosts(), "a");
});

/** The addresses that a lookup gives, in their order. */
function look(
  lookup: ReturnType<typeof rotating>,
  options: { readonly all?: boolean },
): string | string[] {
  let given: string | LookupAddress[] = [];
  lookup("kafka", options, (_, addresses) => given = addresses);
  return typeof given === "string" ? given : (given as LookupAddress[]).map((each) => each.address);
}

Deno.test("a name of several hosts begins with another one each time", () => {
  const hosts = ["10.0.0.1", "10.0.0.2"].map((address) => ({ address, family: 4 }));
  const lookup = rotating((_name, _options, callback) => callback(null, hosts));
  assert.deepEqual(look(lookup, { all: true }), ["10.0.0.1", "10.0.0.2"]);
  assert.deepEqual(look(lookup, { all: true }), ["10.0.0.2", "10.0.0.1"]);
  assert.equal(look(lookup, {}), "10.0.0.1");
  assert.equal(look(lookup, {}), "10.0.0.2");
});
