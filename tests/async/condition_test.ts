import assert from "node:assert/strict";
import { Condition, type UntilOptions } from "../../lib/async/condition.ts";
import { delay, withTimeout } from "../../lib/async/delay.ts";

/** Longer than a test may take: whoever waits for it is not woken by it. */
const LONG_MS = 60_000;
const SHORT_MS = 5;

/** Until everything has run that could run without waiting. */
function settled(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}

/** What became of a promise so far. */
function watch(promise: Promise<unknown>): { isSettled: boolean } {
  const state = { isSettled: false };
  const settle = () => state.isSettled = true;
  promise.then(settle, settle);
  return state;
}

/** A signal that tells how many listeners it has. */
function countingSignal() {
  const controller = new AbortController();
  const { signal } = controller;
  const state = { controller, signal, listeners: 0 };
  const add = signal.addEventListener.bind(signal) as (...args: unknown[]) => void;
  const remove = signal.removeEventListener.bind(signal) as (...args: unknown[]) => void;
  signal.addEventListener = (...args: unknown[]) => {
    state.listeners++;
    add(...args);
  };
  signal.removeEventListener = (...args: unknown[]) => {
    state.listeners--;
    remove(...args);
  };
  return state;
}

/** A test that fails if a timer is left behind. */
function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, sanitizeOps: true, sanitizeResources: true, fn });
}

test("until() is true at once if it is so already", async () => {
  const condition = new Condition();
  assert.equal(await condition.until(() => true, { timeoutMs: LONG_MS }), true);
  assert.equal(await condition.until(() => true, { signal: AbortSignal.abort() }), true);
});

test("until() waits for a notify after which it is so", async () => {
  const condition = new Condition();
  let value = 0;
  let looks = 0;
  const waiting = condition.until(() => {
    looks++;
    return value === 2;
  }, { timeoutMs: LONG_MS });
  const state = watch(waiting);
  for (value = 1; value < 3; value++) {
    assert.equal(state.isSettled, false);
    condition.notify();
    await settled();
  }
  assert.equal(await waiting, true);
  assert.equal(looks, 3);
});

test("until() does not look without a notify", async () => {
  const condition = new Condition();
  let isSo = false;
  const waiting = condition.until(() => isSo);
  const state = watch(waiting);
  isSo = true;
  await settled();
  assert.equal(state.isSettled, false);
  condition.notify();
  assert.equal(await waiting, true);
});

test("until() wakes all who wait at one notify", async () => {
  const condition = new Condition();
  let isSo = false;
  const waiting = [1, 2, 3].map(() => condition.until(() => isSo, { timeoutMs: LONG_MS }));
  isSo = true;
  condition.notify();
  assert.deepEqual(await Promise.all(waiting), [true, true, true]);
});

test("until() wakes only those for whom it is so", async () => {
  const condition = new Condition();
  let value = 1;
  const one = condition.until(() => value === 1);
  const two = condition.until(() => value === 2);
  const state = watch(two);
  condition.notify();
  assert.equal(await one, true);
  await settled();
  assert.equal(state.isSettled, false);
  value = 2;
  condition.notify();
  assert.equal(await two, true);
});

test("until() is false when the time is over, and not before", async () => {
  const start = performance.now();
  assert.equal(await new Condition().until(() => false, { timeoutMs: 20 }), false);
  assert.ok(performance.now() - start >= 19);
});

test("until() is false at once when the signal aborts, or has aborted", async () => {
  const controller = new AbortController();
  const waiting = new Condition().until(() => false, {
    timeoutMs: LONG_MS,
    signal: controller.signal,
  });
  controller.abort();
  assert.equal(await waiting, false);
  assert.equal(await new Condition().until(() => false, { signal: controller.signal }), false);
});

test("until() is true if it becomes so as the signal aborts", async () => {
  const controller = new AbortController();
  let isSo = false;
  const waiting = new Condition().until(() => isSo, { signal: controller.signal });
  isSo = true;
  controller.abort();
  assert.equal(await waiting, true);
});

test("until() goes on waiting after another's time is over", async () => {
  const condition = new Condition();
  let isSo = false;
  const patient = condition.until(() => isSo, { timeoutMs: LONG_MS });
  const state = watch(patient);
  await condition.until(() => false, { timeoutMs: SHORT_MS });
  await settled();
  assert.equal(state.isSettled, false);
  isSo = true;
  condition.notify();
  assert.equal(await patient, true);
});

test("until() throws what its statement throws, at once or after a notify", async () => {
  const condition = new Condition();
  const fail = () => {
    throw new Error("it broke");
  };
  await assert.rejects(condition.until(fail, { timeoutMs: LONG_MS }), /it broke/);
  let looks = 0;
  const waiting = condition.until(() => looks++ > 0 && fail(), { timeoutMs: LONG_MS });
  condition.notify();
  await assert.rejects(waiting, /it broke/);
});

const ENDS: readonly {
  readonly name: string;
  readonly end: (condition: Condition, controller: AbortController) => void;
  readonly timeoutMs: number;
}[] = [
  { name: "a notify", end: (condition) => condition.notify(), timeoutMs: LONG_MS },
  { name: "its time", end: () => {}, timeoutMs: SHORT_MS },
  { name: "an abort", end: (_, controller) => controller.abort(), timeoutMs: LONG_MS },
];

for (const { name, end, timeoutMs } of ENDS) {
  test(`until() leaves no listener on the signal when ${name} ends it`, async () => {
    const counting = countingSignal();
    const condition = new Condition();
    let looks = 0;
    const waiting = condition.until(() => looks++ > 0, { timeoutMs, signal: counting.signal });
    assert.equal(counting.listeners, 1);
    end(condition, counting.controller);
    await waiting;
    assert.equal(counting.listeners, 0);
  });

  test(`next() resolves when ${name} ends it`, async () => {
    const condition = new Condition();
    const controller = new AbortController();
    const waiting = condition.next({ timeoutMs, signal: controller.signal });
    end(condition, controller);
    await waiting;
  });
}

test("next() does not see a notify of before", async () => {
  const condition = new Condition();
  condition.notify();
  const waiting = condition.next();
  const state = watch(waiting);
  await settled();
  assert.equal(state.isSettled, false);
  condition.notify();
  await waiting;
});

test("next() resolves at once if the signal has aborted", async () => {
  await new Condition().next({ timeoutMs: LONG_MS, signal: AbortSignal.abort() });
});

const OTHERS: readonly { readonly name: string; readonly options: () => UntilOptions }[] = [
  { name: "time is over", options: () => ({ timeoutMs: SHORT_MS }) },
  { name: "signal aborts", options: () => ({ signal: AbortSignal.timeout(SHORT_MS) }) },
];

for (const { name, options } of OTHERS) {
  test(`next() is not resolved when another's ${name}`, async () => {
    const condition = new Condition();
    const waiting = condition.next();
    const state = watch(waiting);
    await condition.until(() => false, options());
    await settled();
    const { isSettled } = state;
    condition.notify();
    await waiting;
    assert.equal(isSettled, false);
  });
}

test("pause() resolves after its time, and not before", async () => {
  const start = performance.now();
  await delay(20);
  assert.ok(performance.now() - start >= 19);
});

test("pause() resolves at once when the signal aborts, or has aborted", async () => {
  const controller = new AbortController();
  const pausing = delay(LONG_MS, controller.signal);
  controller.abort();
  await pausing;
  await delay(LONG_MS, controller.signal);
});

test("atMost() resolves as soon as what it waits for is settled, well or not", async () => {
  await withTimeout(LONG_MS, Promise.resolve("done"));
  await withTimeout(LONG_MS, Promise.reject(new Error("it broke")));
  const { promise, resolve } = Promise.withResolvers<void>();
  const waiting = withTimeout(LONG_MS, promise);
  const state = watch(waiting);
  await settled();
  assert.equal(state.isSettled, false);
  resolve();
  await waiting;
});

test("atMost() waits no longer than its time", async () => {
  const { promise, reject } = Promise.withResolvers<void>();
  await withTimeout(SHORT_MS, promise);
  reject(new Error("too late to matter"));
  await settled();
});
