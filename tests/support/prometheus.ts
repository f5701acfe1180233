/**
 * A real Prometheus that scrapes as the stack's does.
 * @module
 */

import { join } from "node:path";
import { parse, stringify } from "yaml";
import { readCompose } from "./compose.ts";
import { eventually } from "./eventually.ts";
import { freePort } from "./free_port.ts";
import { signalProcess, spawnGuarded } from "./guarded_process.ts";
import { temporaryDirectory } from "./temporary_directory.ts";

/** The stack's configuration, as it stands in the compose file. */
export async function prometheusConfig(): Promise<string> {
  return (await readCompose()).configs.prometheus!.content;
}

/** A value of an instant query, with the labels that tell it from others. */
export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: number;
}

export class Prometheus implements AsyncDisposable {
  readonly #url: string;
  readonly #release: AsyncDisposableStack;

  private constructor(url: string, release: AsyncDisposableStack) {
    this.#url = url;
    this.#release = release;
  }

  /** Scrapes `worker`, an address, which the name service of the stack would know. */
  static async start(worker: string): Promise<Prometheus> {
    await using opened = new AsyncDisposableStack();
    const { path } = opened.use(await temporaryDirectory());
    const { healthcheck } = (await readCompose()).services.prometheus!;
    const [, health] = (healthcheck!.test as string).match(/:9090(\/\S+)$/)!;
    const config = parse(await prometheusConfig());
    config.global.scrape_interval = "1s";
    const [{ dns_sd_configs: _, ...job }] = config.scrape_configs;
    config.scrape_configs = [{ ...job, static_configs: [{ targets: [worker] }] }];
    await Deno.writeTextFile(join(path, "prometheus.yml"), stringify(config));
    const address = `127.0.0.1:${freePort()}`;
    const pid = await spawnGuarded([
      "prometheus",
      `--config.file=${join(path, "prometheus.yml")}`,
      `--storage.tsdb.path=${join(path, "data")}`,
      `--web.listen-address=${address}`,
    ], { logFile: join(path, "prometheus.log") });
    opened.defer(() => signalProcess(pid, "SIGKILL"));
    await eventually(async () => {
      const answer = await fetch(`http://${address}${health}`);
      await answer.body?.cancel();
      return answer.ok;
    });
    return new Prometheus(`http://${address}`, opened.move());
  }

  async query(expr: string): Promise<Sample[]> {
    const body = new URLSearchParams({ query: expr });
    const answer = await fetch(`${this.#url}/api/v1/query`, { method: "POST", body });
    const { status, error, data } = await answer.json();
    if (status !== "success") throw new Error(`${expr}: ${error}`);
    return data.result.map(({ metric, value }: { metric: object; value: [number, string] }) => ({
      metric,
      value: Number(value[1]),
    }));
  }

  /** Values that a label has in the series that match. */
  async labelValues(label: string, series: string): Promise<string[]> {
    const match = new URLSearchParams({ "match[]": series });
    const answer = await fetch(`${this.#url}/api/v1/label/${label}/values?${match}`);
    return (await answer.json()).data;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#release.disposeAsync();
  }
}
