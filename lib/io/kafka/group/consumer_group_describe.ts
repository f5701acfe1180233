/**
 * A request that kafkajs lacks: the members of a group whose partitions the broker assigns
 * (`group.protocol=consumer`, KIP-848). To the older request such a group is dead.
 * @see https://kafka.apache.org/protocol#The_Messages_ConsumerGroupDescribe
 * @module
 */

import type { Buffer } from "node:buffer";
import { Decoder, Encoder } from "../kafkajs/kafkajs.ts";

export const CONSUMER_GROUP_DESCRIBE = 69;

/** The group does not exist, or is of another kind. */
export const GROUP_ID_NOT_FOUND = 69;
/** We may not see one of the topics that its members read. */
export const TOPIC_AUTHORIZATION_FAILED = 29;

export interface RawRequest<T> {
  readonly request: {
    readonly apiKey: number;
    readonly apiVersion: number;
    readonly apiName: string;
    encode(): Promise<unknown>;
  };
  readonly response: {
    decode(payload: Buffer): Promise<unknown>;
    parse(decoded: unknown): Promise<T>;
  };
}

export interface DescribedGroup {
  /** 0 if it could be described. */
  readonly errorCode: number;
  readonly errorMessage: string | null;
  /** `Stable`, or `Assigning` or `Reconciling` while partitions move. */
  readonly state: string;
  readonly members: readonly {
    readonly memberId: string;
    readonly clientId: string;
    readonly clientHost: string;
    /** The member's current partitions, by topic. */
    readonly assignment: ReadonlyMap<string, readonly number[]>;
  }[];
}

export function consumerGroupDescribe(groupId: string): RawRequest<DescribedGroup> {
  return {
    request: {
      apiKey: CONSUMER_GROUP_DESCRIBE,
      apiVersion: 0,
      apiName: "ConsumerGroupDescribe",
      encode: () =>
        Promise.resolve(
          new Encoder()
            .writeUVarIntBytes() // no tagged fields, which end the header
            .writeUVarIntArray([new Encoder().writeUVarIntString(groupId)])
            .writeBoolean(false) // without authorized operations
            .writeUVarIntBytes(),
        ),
    },
    response: {
      decode: (payload) => Promise.resolve(decode(payload)),
      parse: (decoded) => Promise.resolve((decoded as Decoded).groups[0]!),
    },
  };
}

interface Decoded {
  readonly clientSideThrottleTime: number;
  readonly groups: readonly DescribedGroup[];
}

function decode(payload: Buffer): Decoded {
  const decoder = new Decoder(payload);
  decoder.readTaggedFields();
  return {
    clientSideThrottleTime: decoder.readInt32(),
    groups: decoder.readUVarIntArray(readGroup) ?? [],
  };
}

function readGroup(decoder: Decoder): DescribedGroup {
  const errorCode = decoder.readInt16();
  const errorMessage = decoder.readUVarIntString();
  decoder.readUVarIntString(); // the group's id
  const state = decoder.readUVarIntString() ?? "";
  decoder.readInt32(); // the group's epoch
  decoder.readInt32(); // the assignment's epoch
  decoder.readUVarIntString(); // the assignor
  const members = decoder.readUVarIntArray(readMember) ?? [];
  decoder.readInt32(); // authorized operations
  decoder.readTaggedFields();
  return { errorCode, errorMessage, state, members };
}

function readMember(decoder: Decoder): DescribedGroup["members"][number] {
  const memberId = decoder.readUVarIntString() ?? "";
  decoder.readUVarIntString(); // the instance's id
  decoder.readUVarIntString(); // the rack's id
  decoder.readInt32(); // the member's epoch
  const clientId = decoder.readUVarIntString() ?? "";
  const clientHost = decoder.readUVarIntString() ?? "";
  decoder.readUVarIntArray((inner: Decoder) => inner.readUVarIntString()); // subscribed topics
  decoder.readUVarIntString(); // subscribed expression
  const assignment = readAssignment(decoder);
  readAssignment(decoder); // the target assignment
  decoder.readTaggedFields();
  return { memberId, clientId, clientHost, assignment };
}

function readAssignment(decoder: Decoder): ReadonlyMap<string, readonly number[]> {
  const topics = decoder.readUVarIntArray((inner: Decoder) => {
    inner.readBytes(16); // the topic's id
    const name = inner.readUVarIntString() ?? "";
    const partitions = inner.readUVarIntArray((each: Decoder) => each.readInt32()) ?? [];
    inner.readTaggedFields();
    return [name, partitions] as const;
  });
  decoder.readTaggedFields();
  return new Map(topics);
}
