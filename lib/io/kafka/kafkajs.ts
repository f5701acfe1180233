/**
 * kafkajs with its replaced parts; everything imports it from here.
 * @module
 */

// These must come first.
import "./patches.ts";
import "./patched_connections.ts";
import "./patched_brokers.ts";
import "./patched_fetch.ts";
import "./patched_group.ts";
export * from "kafkajs";
