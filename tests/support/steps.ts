/**
 * Something happens at one step of a pipeline: before or after any call between it and its ends.
 * @module
 */

import type { Sink } from "../../lib/pipeline/sink.ts";
import type { Source, SourceReader } from "../../lib/pipeline/source.ts";

/** What happens at a step. A call that cannot wait does not wait for it. */
export type Mishap = () => void | Promise<void>;

/** Counts the steps of one run, and lets something happen at one of them. */
export class Steps {
  /** Steps so far, as `before commit`. */
  readonly taken: string[] = [];
  readonly #at: number;
  readonly #mishap: Mishap;
  #crash: Error | null = null;

  /** @param at the step at which it happens, counted from 0. */
  constructor(at: number, mishap: Mishap) {
    this.#at = at;
    this.#mishap = mishap;
  }

  /** True if the run was long enough. */
  get hasHappened(): boolean {
    return this.taken.length > this.#at;
  }

  /** Nothing works from now on: the process is dead. @throws {Error} what each later step throws. */
  crash(error: Error): never {
    this.#crash = error;
    throw error;
  }

  sink(sink: Sink): Sink {
    return this.#watched(sink);
  }

  source(source: Source): Source {
    const watched = this.#watched(source);
    return {
      name: source.name,
      read: (reader, signal) => watched.read(this.#watched<SourceReader>(reader), signal),
      renew: () => watched.renew(),
      resume: (positions) => watched.resume(positions),
      isCompacted: () => watched.isCompacted(),
      viewLog: (partitions) => watched.viewLog(partitions),
      signsOfLife: source.signsOfLife,
      throttledMs: source.throttledMs,
      acknowledge: (positions) => watched.acknowledge(positions),
      [Symbol.asyncDispose]: () => source[Symbol.asyncDispose](),
    };
  }

  #step(name: string): void | Promise<void> {
    if (this.#crash) throw this.#crash;
    this.taken.push(name);
    if (this.taken.length === this.#at + 1) return this.#mishap();
  }

  #watched<T extends object>(end: T): T {
    return new Proxy(end, {
      get: (target, name) => {
        const member = Reflect.get(target, name, target);
        if (typeof member !== "function") return member;
        return (...args: unknown[]) => {
          const happening = this.#step(`before ${String(name)}`);
          const call = () => member.apply(target, args);
          const result = happening instanceof Promise ? happening.then(call) : call();
          const after = (value: unknown) => {
            const happening = this.#step(`after ${String(name)}`);
            return happening instanceof Promise ? happening.then(() => value) : value;
          };
          return result instanceof Promise ? result.then(after) : after(result);
        };
      },
    });
  }
}
