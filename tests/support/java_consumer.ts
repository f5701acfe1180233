/**
 * Kafka's own consumer, as any other program that uses a consumer group.
 * @module
 */

import { join } from "node:path";
import { eventually } from "./eventually.ts";
import { isRunning, signalProcess, spawnGuarded } from "./guarded_process.ts";
import { javaCommand } from "./kafka.ts";
import { temporaryDirectory } from "./temporary_directory.ts";

export interface JavaConsumerOptions {
  readonly brokers: string;
  readonly topic: string;
  readonly groupId: string;
  /** Who shares the partitions out: the members, or the broker. */
  readonly protocol: "classic" | "consumer";
  /** What it calls itself; as Kafka calls it, if not given. */
  readonly clientId?: string;
}

/** Reads until it is disposed, which it does not survive for a moment: nobody is told. */
export class JavaConsumer implements AsyncDisposable {
  readonly #pid: number;
  readonly #directory: AsyncDisposable;

  private constructor(pid: number, directory: AsyncDisposable) {
    this.#pid = pid;
    this.#directory = directory;
  }

  static async start(
    { brokers, topic, groupId, protocol, clientId }: JavaConsumerOptions,
  ): Promise<JavaConsumer> {
    const directory = await temporaryDirectory();
    const command = await javaCommand(
      "org.apache.kafka.tools.consumer.ConsoleConsumer",
      ...["--bootstrap-server", brokers, "--topic", topic, "--group", groupId],
      ...["--command-property", `group.protocol=${protocol}`],
      ...clientId === undefined ? [] : ["--command-property", `client.id=${clientId}`],
    );
    const logFile = join(directory.path, "consumer.log");
    return new JavaConsumer(await spawnGuarded(command, { logFile }), directory);
  }

  /** Ends as its users end it: it leaves the group. */
  async stop(): Promise<void> {
    signalProcess(this.#pid, "SIGTERM");
    await eventually(() => !isRunning(this.#pid));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    signalProcess(this.#pid, "SIGKILL");
    await eventually(() => !isRunning(this.#pid));
    await this.#directory[Symbol.asyncDispose]();
  }
}
