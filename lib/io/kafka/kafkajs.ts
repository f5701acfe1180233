/**
 * kafkajs with its replaced parts; everything imports it from here.
 * @module
 */

import "./patches.ts"; // must come first
import Decoder from "kafkajs/src/protocol/decoder.js";
import Encoder from "kafkajs/src/protocol/encoder.js";
export * from "kafkajs";
export { Decoder, Encoder };
