/**
 * Which systems are away, since when, and how often they were tried.
 * @module
 */

/** A system that is away, or has been. */
export interface Outage<Name extends string> {
  readonly system: Name;
  /** Milliseconds since the epoch. */
  readonly sinceMs: number;
  readonly tries: number;
  /** What it answered last. */
  readonly error: unknown;
}

interface Entry {
  readonly sinceMs: number;
  /** Parts of the system whose last answer was a failure. */
  readonly parts: Set<string>;
  tries: number;
  error: unknown;
}

/** Keeps one outage per system; a system may have several parts that fail and answer each for itself. */
export class OutageBook<Name extends string> {
  readonly #entries = new Map<Name, Entry>();

  /** @returns true if this began an outage. */
  failed(
    system: Name,
    { part, error, nowMs }: {
      readonly part: string;
      readonly error: unknown;
      readonly nowMs: number;
    },
  ): boolean {
    const entry = this.#entries.get(system);
    if (!entry) {
      this.#entries.set(system, { sinceMs: nowMs, parts: new Set([part]), tries: 1, error });
      return true;
    }
    entry.parts.add(part);
    entry.tries++;
    entry.error = error;
    return false;
  }

  /** @returns the outage that ended with this answer, or null. */
  answered(system: Name, part: string): Outage<Name> | null {
    const outage = this.get(system);
    const entry = this.#entries.get(system);
    if (!entry?.parts.delete(part) || entry.parts.size > 0) return null;
    this.#entries.delete(system);
    return outage;
  }

  /** The outage of a system that is away, or null. */
  get(system: Name): Outage<Name> | null {
    const entry = this.#entries.get(system);
    if (!entry) return null;
    const { sinceMs, tries, error } = entry;
    return { system, sinceMs, tries, error };
  }
}
