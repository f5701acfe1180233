/**
 * kafkajs with its replaced parts; everything imports it from here.
 * @module
 */

import "./patches.ts"; // must come first
export * from "kafkajs";
