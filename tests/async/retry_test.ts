import assert from "node:assert/strict";
import { retry } from "../../lib/async/retry.ts";
import { OperatorError, UnavailableError } from "../../lib/core/failure.ts";

/** Waits that a test does not notice, and waits that it does not survive. */
const SOON = { firstMs: 1, maxMs: 2 };
const NEVER = { firstMs: 1e6, maxMs: 1e6 };

const never = () => new AbortController().signal;
const away = () => new UnavailableError("Cannot reach it");

/** An action that fails with each of these in turn, and then succeeds. */
function failing(...failures: readonly Error[]) {
  const attempts: number[] = [];
  const action = (): Promise<string> => {
    const failure = failures[attempts.length];
    attempts.push(attempts.length);
    return failure ? Promise.reject(failure) : Promise.resolve("done");
  };
  return { action, attempts };
}

/** A test that fails if a timer is left behind. */
function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, sanitizeOps: true, sanitizeResources: true, fn });
}

test("retry() returns what the first try gives", async () => {
  const { action, attempts } = failing();
  assert.equal(await retry(action, { ...NEVER, signal: never() }), "done");
  assert.deepEqual(attempts, [0]);
});

test("retry() tries again while failures pass", async () => {
  const { action, attempts } = failing(away(), away(), away());
  assert.equal(await retry(action, { ...SOON, signal: never() }), "done");
  assert.deepEqual(attempts, [0, 1, 2, 3]);
});

test("retry() tells of each failed try that it repeats", async () => {
  const failures = [away(), away()];
  const told: unknown[] = [];
  await retry(failing(...failures).action, {
    ...SOON,
    signal: never(),
    onFailure: (error) => told.push(error),
  });
  assert.deepEqual(told, failures);
});

const LASTING: readonly { readonly name: string; readonly failure: Error }[] = [
  { name: "an OperatorError", failure: new OperatorError("mend it") },
  { name: "an unknown error", failure: new TypeError("x is not a function") },
  { name: "a wrong password", failure: Object.assign(new Error("no"), { code: "28P01" }) },
];

for (const { name, failure } of LASTING) {
  test(`retry() throws ${name} at once, and tells nobody`, async () => {
    const { action, attempts } = failing(failure);
    const told: unknown[] = [];
    await assert.rejects(
      retry(action, { ...NEVER, signal: never(), onFailure: (error) => told.push(error) }),
      failure,
    );
    assert.deepEqual(attempts, [0]);
    assert.deepEqual(told, []);
  });
}

test("retry() stops at the first failure that does not pass", async () => {
  const last = new OperatorError("mend it");
  const { action, attempts } = failing(away(), away(), last, away());
  await assert.rejects(
    retry(action, { ...SOON, signal: never() }),
    (error) => error === last,
  );
  assert.deepEqual(attempts, [0, 1, 2]);
});

test("retry() throws the last failure at once when the signal aborts during the wait", async () => {
  const failure = away();
  const { action, attempts } = failing(failure);
  const controller = new AbortController();
  await assert.rejects(
    retry(action, {
      ...NEVER,
      signal: controller.signal,
      onFailure: () => queueMicrotask(() => controller.abort()),
    }),
    (error) => error === failure,
  );
  assert.deepEqual(attempts, [0]);
});

test("retry() throws a failure of after the abort without another try", async () => {
  const controller = new AbortController();
  const failure = away();
  const told: unknown[] = [];
  let attempts = 0;
  const running = retry(() => {
    attempts++;
    controller.abort();
    return Promise.reject(failure);
  }, { ...NEVER, signal: controller.signal, onFailure: (error) => told.push(error) });
  await assert.rejects(running, (error) => error === failure);
  assert.equal(attempts, 1);
  assert.deepEqual(told, []);
});

test("retry() returns what succeeds even after the abort", async () => {
  const controller = new AbortController();
  const running = retry(() => {
    controller.abort();
    return Promise.resolve("done");
  }, { ...NEVER, signal: controller.signal });
  assert.equal(await running, "done");
});

test("retry() treats what an action throws like what it rejects with", async () => {
  let tries = 0;
  const result = await retry(() => {
    if (tries++ === 0) throw away();
    return Promise.resolve("done");
  }, { ...SOON, signal: never() });
  assert.equal(result, "done");
});

test("retry() waits between tries as long as backoff says", async () => {
  const start = performance.now();
  await retry(failing(away(), away()).action, { firstMs: 10, maxMs: 10, signal: never() });
  assert.ok(performance.now() - start >= 2 * 5 - 1);
});

test("retry() does not wait for a try under way when the signal aborts", async () => {
  const controller = new AbortController();
  const hanging = Promise.withResolvers<string>();
  const running = retry(() => hanging.promise, { ...SOON, signal: controller.signal });
  controller.abort();
  await assert.rejects(running, UnavailableError);
  hanging.reject(new Error("nobody listens any more"));
});
