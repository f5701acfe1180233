/**
 * The log that `demo` generates. Its parameters are kept in the data directory, so that a later
 * start reads the same log.
 * @module
 */

import { join } from "node:path";
import { z } from "zod";
import { OperatorError } from "../../core/failure.ts";
import { GeneratedLog } from "../../core/simulation/generated_log.ts";

const FILE_NAME = "generator.json";

/** Raised whenever the same state would give other records. */
const VERSION = 3;

const STATE = z.object({
  version: z.literal(VERSION),
  seed: z.number(),
  rate: z.number(),
  begunMs: z.number(),
  past: z.object({ days: z.number(), share: z.number() }),
  speed: z.number(),
  lotteries: z.number(),
  badShare: z.number(),
  lateShare: z.number(),
});
type State = z.output<typeof STATE>;

const DEFAULTS = {
  version: VERSION,
  seed: 1,
  rate: 3,
  past: { days: 8, share: 0.3 },
  lotteries: 12,
  badShare: 0.001,
  lateShare: 0.03,
} as const;

/** What is harmed is read again as a whole every few seconds; there is more at a time to get lost. */
const IN_CHAOS = { rate: 30, past: { days: 1 / 96, share: 1 } } as const;

export interface DemoLogOptions {
  /** Where its state is kept; nowhere if not given. */
  readonly dataDir: string | undefined;
  /** How fast event time passes; as before, or 1, if not given. */
  readonly speed: number | undefined;
  /** Whether the pipeline that counts it is harmed; such a log is not kept. */
  readonly isInChaos?: boolean;
}

/**
 * The log of the directory, or a new one.
 * @throws {OperatorError} if it is another one than asked for, or of another version.
 */
export async function openDemoLog(
  { dataDir, speed, isInChaos = false }: DemoLogOptions,
): Promise<GeneratedLog> {
  const fresh: State = { ...DEFAULTS, begunMs: Date.now(), speed: speed ?? 1 };
  if (isInChaos) return new GeneratedLog({ ...fresh, ...IN_CHAOS });
  if (dataDir === undefined) return new GeneratedLog(fresh);
  const path = join(dataDir, FILE_NAME);
  const kept = await readState(path);
  if (kept === null) {
    await Deno.writeTextFile(path, JSON.stringify(fresh, null, 2));
    return new GeneratedLog(fresh);
  }
  if (speed !== undefined && speed !== kept.speed) {
    throw new OperatorError(
      `Cannot continue in ${dataDir} at another speed: it was started with --speed ${kept.speed}. ` +
        "Omit --speed, or pass another directory to --data-dir.",
    );
  }
  return new GeneratedLog(kept);
}

async function readState(path: string): Promise<State | null> {
  let state: unknown;
  try {
    state = JSON.parse(await Deno.readTextFile(path));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw unreadable(path, error);
  }
  if (isOfOtherVersion(state)) {
    throw new OperatorError(
      `Cannot continue the events of ${path}: another version of this program generated them, ` +
        "and this one would generate others. Remove the directory, or pass another one to --data-dir.",
    );
  }
  const { data, error } = STATE.safeParse(state);
  if (error) throw unreadable(path, error);
  return data;
}

/** The first version wrote no number. */
function isOfOtherVersion(state: unknown): boolean {
  return typeof state === "object" && state !== null && "seed" in state &&
    (!("version" in state) || state.version !== VERSION);
}

function unreadable(path: string, cause: unknown): OperatorError {
  return new OperatorError(`Cannot read ${path}. Remove the directory to start over.`, { cause });
}
