/**
 * The steps of the worker's Dockerfile, run in a clean folder: what the image would lack is
 * missing there too.
 * @module
 */

import { dirname, join } from "node:path";
import { ROOT } from "./compose.ts";
import { run } from "./guarded_process.ts";

/** Whoever runs in the image; on this machine a user that owns nothing. */
const NOBODY = 65_534;

/** A folder that has become what the image would be. */
export class ImageFolder implements AsyncDisposable {
  readonly #directory: string;
  readonly #app: string;

  private constructor(directory: string) {
    this.#directory = directory;
    this.#app = join(directory, "app");
  }

  /** Runs the steps, as far as a machine without containers can. */
  static async build(dockerfile: string): Promise<ImageFolder> {
    const folder = new ImageFolder(await Deno.makeTempDir());
    try {
      await folder.#prepare();
      for (const line of dockerfile.trim().split("\n")) {
        const [, instruction, rest] = line.match(/^(#|[A-Z]+) (.*)$/)!;
        await folder.#step(instruction!, rest!);
      }
      await run("chmod", ["-R", "a-w,a+rX", folder.#directory]);
      return folder;
    } catch (error) {
      await folder[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Runs a program in the folder, without the right to write there. */
  start(
    [program, ...args]: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Deno.ChildProcess {
    const drop = ["--reuid", String(NOBODY), "--regid", String(NOBODY), "--clear-groups"];
    const command = [join(this.#directory, "bin", program!), ...args];
    const [first, ...others] = Deno.uid() === 0 ? ["setpriv", ...drop, ...command] : command;
    return new Deno.Command(first!, {
      args: others,
      cwd: this.#app,
      clearEnv: true,
      env: { PATH: `${this.#directory}/bin:/usr/bin:/bin`, DENO_DIR: this.#denoDir, ...env },
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await run("chmod", ["-R", "u+w", this.#directory]);
    await Deno.remove(this.#directory, { recursive: true });
  }

  get #denoDir(): string {
    return join(this.#directory, "deno-dir");
  }

  async #prepare(): Promise<void> {
    for (const name of ["app", "bin", "deno-dir"]) await Deno.mkdir(join(this.#directory, name));
    await Deno.copyFile(Deno.execPath(), join(this.#directory, "bin", "deno"));
  }

  async #step(instruction: string, rest: string): Promise<void> {
    switch (instruction) {
      case "RUN":
        await this.#run(rest);
        break;
      case "COPY":
        await this.#copy(rest.split(" ").filter((word) => !word.startsWith("--")));
        break;
      case "FROM": // the same program, with an empty cache
      case "WORKDIR":
      case "USER":
      case "#":
        break;
      default:
        throw new Error(`Cannot run the Dockerfile's ${instruction}`);
    }
  }

  /** The image's user may not write to its work directory: no step may need to. */
  async #run(command: string): Promise<void> {
    const list = () => run("find", [this.#app]);
    const before = await list();
    await run("sh", ["-c", `cd "${this.#app}" && ${command}`], {
      env: { PATH: `${this.#directory}/bin:${Deno.env.get("PATH")}`, DENO_DIR: this.#denoDir },
    });
    if (await list() !== before) {
      throw new Error(`The step writes to the work directory: ${command}`);
    }
  }

  async #copy(words: readonly string[]): Promise<void> {
    const ignore = (await Deno.readTextFile(join(ROOT, ".dockerignore"))).split("\n");
    const target = join(this.#app, words.at(-1)!);
    for (const source of words.slice(0, -1)) {
      if (!ignore.includes(`!${source}`)) throw new Error(`.dockerignore leaves out ${source}`);
      const path = words.at(-1)!.endsWith("/") ? join(target, source) : target;
      await Deno.mkdir(dirname(path), { recursive: true });
      await run("cp", ["-R", join(ROOT, source), path]);
    }
  }
}
