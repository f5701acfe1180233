import assert from "node:assert/strict";
import { Terminal } from "../../lib/io/terminal.ts";
import { FakeScreen } from "../support/screen.ts";

/** A status that is drawn at once, although another one was just drawn. */
function show(terminal: Terminal, status: string): void {
  terminal.endStatus();
  terminal.showStatus(() => status);
}

Deno.test("a line is written above the status", () => {
  const screen = new FakeScreen();
  const terminal = new Terminal({ screen });
  terminal.writeLine("before");
  show(terminal, "status");
  assert.deepEqual(screen.rows, ["before", "status"]);
  terminal.writeLine("line");
  assert.deepEqual(screen.rows, ["before", "line", "status"]);
});

Deno.test("endStatus() leaves a clean terminal, and may leave a last line", () => {
  const screen = new FakeScreen();
  const terminal = new Terminal({ screen });
  terminal.writeLine("line");
  show(terminal, "status");
  terminal.endStatus();
  assert.deepEqual(screen.rows, ["line", ""]);
  show(terminal, "status");
  terminal.endStatus("last");
  terminal.endStatus();
  assert.deepEqual(screen.rows, ["line", "last", ""]);
});

Deno.test("the status gets the columns that are there, and room for the cursor and ^C", () => {
  const screen = new FakeScreen();
  const terminal = new Terminal({ screen });
  const given: number[] = [];
  for (const width of [80, 40, 2, 0]) {
    screen.width = width;
    terminal.endStatus();
    terminal.showStatus((columns) => {
      given.push(columns);
      return "";
    });
  }
  assert.deepEqual(given, [77, 37, 1, 77]);
});

Deno.test("a status that a narrower terminal shows on several rows is taken away whole", () => {
  const screen = new FakeScreen();
  const terminal = new Terminal({ screen });
  terminal.writeLine("line");
  show(terminal, `\x1b[33m${"status ".repeat(9)}\x1b[0m`);
  screen.width = 20; // the terminal puts the status on four rows
  assert.equal(screen.rows.length, 5);
  terminal.writeLine("another");
  terminal.endStatus("last");
  assert.deepEqual(screen.rows, ["line", "another", "last", ""]);
});

Deno.test("a status is drawn at most ten times a second", () => {
  const terminal = new Terminal({ screen: new FakeScreen() });
  const startedAt = performance.now();
  let drawn = 0;
  for (let at = 0; at < 10_000; at++) terminal.showStatus(() => `${drawn++}`);
  assert.ok(drawn <= 1 + (performance.now() - startedAt) / 100, `${drawn} times`);
});

Deno.test("a status that has not changed is not written again", () => {
  const screen = new FakeScreen();
  const terminal = new Terminal({ screen });
  let asked = 0;
  while (asked < 3) {
    terminal.showStatus(() => {
      asked++;
      return "status";
    });
  }
  assert.equal(screen.written, "status");
});

const WITHOUT_STATUS: readonly (readonly [name: string, terminal: Terminal, screen: FakeScreen])[] =
  [
    ["where nobody looks", ...make({ isTerminal: false })],
    ["on a terminal that cannot move its cursor", ...make({ isDumb: true })],
    ["between lines for programs", ...make({ isForPrograms: true })],
  ];

function make(
  { isTerminal = true, isDumb = false, isForPrograms = false },
): [Terminal, FakeScreen] {
  const screen = new FakeScreen({ isTerminal });
  const terminal = new Terminal({ screen, isDumb });
  terminal.isForPrograms = isForPrograms;
  return [terminal, screen];
}

for (const [name, terminal, screen] of WITHOUT_STATUS) {
  Deno.test(`no status is shown ${name}`, () => {
    assert.ok(!terminal.showsStatus);
    terminal.showStatus(() => "status");
    terminal.writeLine("line");
    terminal.endStatus("last");
    assert.equal(screen.written, "line\nlast\n");
  });
}

Deno.test("there are colours on a terminal only, and not if they are not wanted", () => {
  const hasColors = (isTerminal: boolean, { noColor = false, isDumb = false } = {}) =>
    new Terminal({ screen: new FakeScreen({ isTerminal }), noColor, isDumb }).hasColors;
  assert.equal(hasColors(true), true);
  assert.equal(hasColors(true, { noColor: true }), false);
  assert.equal(hasColors(true, { isDumb: true }), false);
  assert.equal(hasColors(false), false);
});
