/**
 * Kafka's own consumer, as any other program that uses a consumer group.
 * @module
 */

import { javaCommand } from "./kafka.ts";

export interface JavaConsumerOptions {
  readonly brokers: string;
  readonly topic: string;
  readonly groupId: string;
  /** Who shares the partitions out: the members, or the broker. */
  readonly protocol: "classic" | "consumer";
}

/** Reads until it is disposed, which it does not survive for a moment: nobody is told. */
export class JavaConsumer implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
  }

  static async start(
    { brokers, topic, groupId, protocol }: JavaConsumerOptions,
  ): Promise<JavaConsumer> {
    const [java, ...args] = await javaCommand(
      "org.apache.kafka.tools.consumer.ConsoleConsumer",
      ...["--bootstrap-server", brokers, "--topic", topic, "--group", groupId],
      ...["--command-property", `group.protocol=${protocol}`],
    );
    return new JavaConsumer(
      new Deno.Command(java!, { args, stdin: "null", stdout: "null", stderr: "null" }).spawn(),
    );
  }

  /** Ends as its users end it: it leaves the group. */
  async stop(): Promise<void> {
    this.#child.kill("SIGTERM");
    await this.#child.status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch { /* it has ended */ }
    await this.#child.status;
  }
}
