/**
 * Who reads a topic to its end: our program, and Kafka's own consumer that does nothing with it.
 * @module
 */

import { run } from "../support/guarded_process.ts";
import { javaCommand, type TestTopic } from "../support/kafka.ts";
import { createDatabase } from "../support/postgres.ts";
import { Program } from "../support/worker_process.ts";

/** What a run of the program took. */
export interface Measured {
  /** From the first positions to the last commit. */
  readonly eventsPerSecond: number;
  readonly cpuSeconds: number;
  readonly peakMegabytes: number;
}

/** Events a second of `ConsumerPerformance`, without the time in which it joins its group. */
export async function consumerPerformance(
  { brokers, name }: TestTopic,
  events: number,
): Promise<number> {
  const [java, ...args] = (await javaCommand(
    "org.apache.kafka.tools.ConsumerPerformance",
    ...["--bootstrap-server", brokers, "--topic", name, "--num-records", String(events)],
  )).filter((arg) => !arg.startsWith("-XX:TieredStopAtLevel")); // as its users run it
  const output = await run(java!, args);
  const [head, ...rows] = output.trim().split("\n").map((line) =>
    line.split(",").map((cell) => cell.trim())
  );
  const column = head!.indexOf("fetch.nMsg.sec");
  return Number(rows.at(-1)![column]);
}

/** Counts the whole topic into a new database with `start --once`. */
export async function startOnce(
  { brokers, name, config }: TestTopic,
  env: Readonly<Record<string, string>> = {},
): Promise<Measured> {
  await using database = await createDatabase();
  await using program = await Program.start(["start", "--once"], {
    env: {
      KAFKA_BROKERS: brokers,
      KAFKA_TOPIC: name,
      KAFKA_GROUP_ID: config.groupId,
      DATABASE_URL: database.url,
      ...env,
    },
  });
  let usage = { cpuSeconds: 0, peakMegabytes: 0 };
  const looking = setInterval(() => usage = usageOf(program.pid) ?? usage, 50);
  const code = await program.exitCode();
  clearInterval(looking);
  const [, perSecond] = program.stderr.match(/"perSecond":(\d+)/) ?? [];
  if (code !== 0 || !perSecond) throw new Error(`It failed with ${code}:\n${program.stderr}`);
  return { eventsPerSecond: Number(perSecond), ...usage };
}

/** What the system says of a running process; null if it has ended. */
export function usageOf(pid: number): { cpuSeconds: number; peakMegabytes: number } | null {
  try {
    const fields = Deno.readTextFileSync(`/proc/${pid}/stat`).split(") ")[1]!.split(" ");
    const status = Deno.readTextFileSync(`/proc/${pid}/status`);
    return {
      cpuSeconds: (Number(fields[11]) + Number(fields[12])) / 100,
      peakMegabytes: Number(status.match(/VmHWM:\s+(\d+)/)?.[1] ?? 0) / 1024,
    };
  } catch {
    return null;
  }
}
