/**
 * Numbers that look random and can be reproduced.
 * @module
 */

/** A number in [0, 1) that looks random but depends only on its arguments (two rounds of MurmurHash3's mixer). */
export function hash(seed: number, n: number, purpose: number): number {
  const low = mix(mix(seed ^ Math.imul(purpose + 1, 0x9e3779b1)) ^ (n >>> 0));
  return mix(low ^ Math.floor(n / 2 ** 32)) / 2 ** 32;
}

function mix(value: number): number {
  value ^= value >>> 16;
  value = Math.imul(value, 0x85ebca6b);
  value ^= value >>> 13;
  value = Math.imul(value, 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
