import fc from "fast-check";
import assert from "node:assert/strict";
import { parseEnv } from "node:util";
import { parseEnvFile } from "../../../lib/core/settings/env_file.ts";
import { utf8 } from "../records/batches.ts";

function variablesOf(text: string): Record<string, string> {
  const { variables, problems } = parseEnvFile(utf8(text));
  assert.deepEqual(problems, [], text);
  return Object.fromEntries(variables.map(({ name, value }) => [name, value]));
}

const READ: readonly (readonly [name: string, text: string, variables: Record<string, string>])[] =
  [
    ["nothing", "", {}],
    ["comments and empty lines", "# A=1\n\n  # B=2\n   \nC=3", { C: "3" }],
    ["spaces around", "  A = 1  \nB= x y ", { A: "1", B: "x y" }],
    ["a comment behind a value", "A=1 # one\nB='2' # two\nC= # none", { A: "1", B: "2", C: "" }],
    ["an empty value", "A=\nB=''", { A: "", B: "" }],
    ["a value of blanks", "A= \nB=\t\nC=1", { A: "", B: "", C: "1" }],
    ["equals signs in a value", "A=b=c", { A: "b=c" }],
    ["a # in quotes", "A='a#b'\nB=\"a # b\"\nC=`#`", { A: "a#b", B: "a # b", C: "#" }],
    ["quotes within a value", 'A=it\'s\nB=say "hi"', { A: "it's", B: 'say "hi"' }],
    ["quotes in other quotes", "A='a\"b'\nB=\"it's\"", { A: 'a"b', B: "it's" }],
    ["a backslash", "A=a\\\nB='C:\\d\\'", { A: "a\\", B: "C:\\d\\" }],
    ["\\n in double quotes", 'A="x\\ny"', { A: "x\ny" }],
    ["a quote behind another kind of space", 'A=\f"\nB=x"', { A: '\f"', B: 'x"' }],
    ["several lines in quotes", "A='x\ny'\nB=2", { A: "x\ny", B: "2" }],
    ["no other variable in a value", "A=1\nB=$A${A}", { A: "1", B: "$A${A}" }],
    ["lines for a shell", "export A=1\nexport  B='2'\nexport\tC=3\nexporter=4", {
      A: "1",
      B: "2",
      C: "3",
      exporter: "4",
    }],
    ["lines of Windows", "A=1\r\nB='x\r\ny'\r\n", { A: "1", B: "x\ny" }],
    ["lines of an old Macintosh", "A=1\rB=2\r", { A: "1", B: "2" }],
    ["a byte order mark", "\ufeffA=1", { A: "1" }],
    ["names of others", "a.b=1\nA-B=2", { "a.b": "1", "A-B": "2" }],
  ];

for (const [name, text, variables] of READ) {
  Deno.test(`parseEnvFile() reads ${name}`, () => assert.deepEqual(variablesOf(text), variables));
}

const TOLD: readonly (readonly [text: string, line: number, message: RegExp])[] = [
  ["A=1\nhello", 2, /not an assignment like NAME=value/],
  ["A: 1", 1, /not an assignment/],
  ["=1", 1, /not an assignment/],
  ["1A=1", 1, /not an assignment/],
  ["A B=1", 1, /not an assignment/],
  ["\n\nA='x\nB=2", 3, /the quote of A is not closed/],
  ['A="x\nB="2"', 1, /text follows the closing quote of A/],
  ["A='x' y", 1, /text follows the closing quote of A/],
  ['A="x\\"y"', 1, /text follows the closing quote of A/],
  ["B='1\n2'\nA=a#b", 3, /# begins a comment and cuts off the value of A/],
  ["A=1\n\nB=2\nA=1", 4, /^A is already set in line 1\. Remove one of them$/],
  ["A=1\nexport A='2'", 2, /^A is already set in line 1/],
  ["A=#b", 1, /# begins a comment.*in quotes$/],
  [
    "A=postgres://u:p#s@h/d",
    1,
    /# begins a comment and cuts off .* of A\. In a .*, write it as %23$/,
  ],
  ["A=postgres://h/d?password=x#y", 1, /In a password, write it as %23$/],
];

for (const [text, line, message] of TOLD) {
  Deno.test(`parseEnvFile() tells what is wrong in ${JSON.stringify(text)}`, () => {
    const { problems } = parseEnvFile(utf8(text));
    assert.deepEqual(problems.map((problem) => problem.line), [line]);
    assert.match(problems[0]!.message, message);
  });
}

Deno.test("parseEnvFile() tells of a file that is not UTF-8", () => {
  const units = Array.from("A=1\n", (character) => character.charCodeAt(0));
  const littleEndian = units.flatMap((unit) => [unit, 0]);
  const bigEndian = units.flatMap((unit) => [0, unit]);
  for (
    const [bytes, message] of [
      [[0xff, 0xfe, ...littleEndian], /UTF-16.*Save it as UTF-8/],
      [[0xfe, 0xff, ...bigEndian], /UTF-16.*Save it as UTF-8/],
      [littleEndian, /UTF-16/],
      [[...utf8("A="), 0xe9], /is not UTF-8/],
    ] as const
  ) {
    const { variables, problems } = parseEnvFile(new Uint8Array(bytes));
    assert.deepEqual(variables, []);
    assert.deepEqual(problems.map(({ line }) => line), [null]);
    assert.match(problems[0]!.message, message);
  }
});

/**
 * What Node.js misreads, and is not compared: it takes the next line for a value of blanks, and a
 * comment behind a tab for an assignment.
 */
const MISREAD = /(?<==)[ \t]+$|^[ \t]+/gm;

const line = fc.oneof(
  fc.string({ unit: fc.constantFrom(..."AB= '\"`#\\nx\t") }),
  fc.tuple(fc.constantFrom("A", "B", "C_D", "E", "F", "G.H", "I"), fc.string()).map((
    [name, text],
  ) => `${name}=${text}`),
);

Deno.test("parseEnvFile() means what Node.js means, wherever it has nothing to tell", () => {
  fc.assert(fc.property(fc.array(line), (lines) => {
    const text = lines.join("\n").replaceAll("\r", "").replace(MISREAD, "");
    const { variables, problems } = parseEnvFile(utf8(text));
    const values = Object.fromEntries(variables.map(({ name, value }) => [name, value]));
    if (problems.length === 0) assert.deepEqual(values, { ...parseEnv(text) }, text);
  }));
});

Deno.test("parseEnvFile() shows no value in what it tells", () => {
  const secret = fc.stringMatching(/^[a-z]{8}$/).map((text) => `s3cr3t${text}`);
  const broken = fc.constantFrom<(secret: string) => string>(
    (secret) => `PASSWORD="${secret}`,
    (secret) => `PASSWORD='x' ${secret}`,
    (secret) => `PASSWORD=x#${secret}`,
    (secret) => `PASSWORD: ${secret}`,
    (secret) => secret,
  );
  fc.assert(fc.property(secret, broken, (secret, broken) => {
    const { problems } = parseEnvFile(utf8(broken(secret)));
    assert.equal(problems.length, 1);
    assert.ok(!JSON.stringify(problems).includes(secret));
  }));
});
