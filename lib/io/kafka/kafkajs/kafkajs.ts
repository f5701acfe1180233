/**
 * kafkajs with its replaced parts. Everything imports it from here.
 * @module
 */

// These must come first.
import "./patches.ts";
import "./patched_connections.ts";
import "./patched_brokers.ts";
import "./patched_fetch.ts";
import "./patched_group.ts";
import Decoder from "kafkajs/src/protocol/decoder.js";
import Encoder from "kafkajs/src/protocol/encoder.js";
export * from "kafkajs";
export { Decoder, Encoder };
