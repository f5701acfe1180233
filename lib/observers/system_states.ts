/**
 * Which systems answer, and the outages of those that do not.
 * @module
 */

import { type System, type SystemName, systemName } from "../pipeline/observer.ts";

/** Whether a system answers; `unknown` before its first answer. */
export interface SystemState {
  readonly state: "unknown" | "up" | "down";
  /** Since when, in milliseconds since the epoch. */
  readonly sinceMs: number;
}

export interface Outage {
  readonly system: SystemName;
  readonly sinceMs: number;
  readonly attempts: number;
  readonly error: unknown;
}

/** Remembers the last answer of each part of each system. The clock is the caller's. */
export class SystemStates {
  readonly #parts = new Map<System, SystemState>();
  readonly #outages = new Map<SystemName, Outage>();

  /** @returns the outage that this failure began, or null. */
  failed(part: System, error: unknown, nowMs: number): Outage | null {
    this.#set(part, "down", nowMs);
    const system = systemName(part);
    const before = this.#outages.get(system);
    const outage = before
      ? { ...before, attempts: before.attempts + 1, error }
      : { system, sinceMs: nowMs, attempts: 1, error };
    this.#outages.set(system, outage);
    return before ? null : outage;
  }

  /** @returns the outage that this answer ended, or null: all parts that failed have answered. */
  answered(part: System, nowMs: number): Outage | null {
    this.#set(part, "up", nowMs);
    const system = systemName(part);
    const outage = this.outage(system);
    const isStillDown = Array.from(this.#parts).some(([other, { state }]) =>
      systemName(other) === system && state === "down"
    );
    if (isStillDown) return null;
    this.#outages.delete(system);
    return outage;
  }

  outage(system: SystemName): Outage | null {
    return this.#outages.get(system) ?? null;
  }

  /** True if the last answer of a part was a failure. */
  isDown(part: System): boolean {
    return this.#parts.get(part)?.state === "down";
  }

  isUp(part: System): boolean {
    return this.#parts.get(part)?.state === "up";
  }

  /** The state of a system is that of its worst part. */
  of(system: SystemName): SystemState | null {
    const states = Array.from(this.#parts)
      .flatMap(([part, state]) => systemName(part) === system ? [state] : []);
    return states.find(({ state }) => state === "down") ?? states[0] ?? null;
  }

  #set(part: System, state: SystemState["state"], sinceMs: number): void {
    if (this.#parts.get(part)?.state !== state) this.#parts.set(part, { state, sinceMs });
  }
}
