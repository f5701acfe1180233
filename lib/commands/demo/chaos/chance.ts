/**
 * The places where harm can be done.
 * @module
 */

/** What happens once in place of what usually happens there. */
type Action<Place> = (place: Place) => Promise<void> | void;

/** A place that is passed again and again; each action that waits there takes place once, in turn. */
export class Chance<Place> {
  readonly #waiting: ((place: Place) => Promise<void>)[] = [];
  #isOver = false;

  /** Does it the next time. Resolves when it is done, also if it makes the usual thing fail. */
  next(action: Action<Place>): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push(async (place) => {
      try {
        await action(place);
      } finally {
        resolve();
      }
    });
    return promise;
  }

  /** The place is passed: does what waits there, or what is usual. */
  async pass(place: Place, usual: Action<Place>): Promise<void> {
    const action = this.#isOver ? undefined : this.#waiting.shift();
    await (action ?? usual)(place);
  }

  /** From now on only what is usual happens. */
  close(): void {
    this.#isOver = true;
  }
}
