/**
 * What the system says of a running process.
 * @module
 */

export interface Usage {
  readonly cpuSeconds: number;
  readonly residentMegabytes: number;
  readonly peakMegabytes: number;
}

/** Null if it has ended. */
export function usageOf(pid: number): Usage | null {
  try {
    const fields = Deno.readTextFileSync(`/proc/${pid}/stat`).split(") ")[1]!.split(" ");
    const status = Deno.readTextFileSync(`/proc/${pid}/status`);
    const megabytes = (name: string) =>
      Number(status.match(new RegExp(`${name}:\\s+(\\d+)`))?.[1] ?? 0) / 1024;
    return {
      cpuSeconds: (Number(fields[11]) + Number(fields[12])) / 100,
      residentMegabytes: megabytes("VmRSS"),
      peakMegabytes: megabytes("VmHWM"),
    };
  } catch {
    return null;
  }
}

/** CPU time of all processes whose command line matches, by name. */
export function cpuSecondsOf(pattern: RegExp): number {
  let seconds = 0;
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const command = Deno.readTextFileSync(`/proc/${name}/cmdline`);
      if (pattern.test(command)) seconds += usageOf(Number(name))?.cpuSeconds ?? 0;
    } catch { /* it has ended */ }
  }
  return seconds;
}
