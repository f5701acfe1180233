/**
 * What the system says of running processes. It is asked by `cat`, because a program in Deno
 * may read these files only with every permission.
 * @module
 */

import { run } from "../support/guarded_process.ts";

export interface Usage {
  readonly cpuSeconds: number;
  readonly residentMegabytes: number;
  readonly peakMegabytes: number;
}

const TICKS_PER_SECOND = 100;

/** Null if it has ended. */
export async function usageOf(pid: number): Promise<Usage | null> {
  const text = await run("cat", [`/proc/${pid}/stat`, `/proc/${pid}/status`]).catch(() => "");
  const megabytes = (name: string) =>
    Number(text.match(new RegExp(`${name}:\\s+(\\d+)`))?.[1] ?? 0) / 1024;
  const peakMegabytes = megabytes("VmHWM");
  if (peakMegabytes === 0) return null;
  return {
    cpuSeconds: cpuSeconds(text),
    residentMegabytes: megabytes("VmRSS"),
    peakMegabytes,
  };
}

/** CPU time of all processes whose command line matches. */
export async function cpuSecondsOf(pattern: string): Promise<number> {
  const script = `for pid in $(pgrep -f '${pattern}'); do cat /proc/$pid/stat; done; true`;
  const lines = await run("sh", ["-c", script]);
  return lines.trim().split("\n").filter((line) => line !== "").reduce(
    (sum, line) => sum + cpuSeconds(line),
    0,
  );
}

/** Of a line of `/proc/PID/stat`: time in the program and in the kernel for it, with that of children that have ended. */
function cpuSeconds(stat: string): number {
  const fields = stat.slice(stat.indexOf(") ") + 2).split(" ");
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / TICKS_PER_SECOND;
}
