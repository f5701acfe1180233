/**
 * Where the records of `demo` come from.
 * @module
 */

import type { AuditedLog } from "../../core/audit/audited_log.ts";
import { OperatorError } from "../../core/failure.ts";
import type { Origin } from "../../core/offsets/origin.ts";
import type { GeneratedLog } from "../../core/simulation/generated_log.ts";
import { isoTime } from "../../core/text/time.ts";
import { fileIdentity, FileSource, STANDARD_INPUT } from "../../io/sources/file_source.ts";
import { GeneratorSource } from "../../io/sources/generator_source.ts";
import { NumberedLog, type NumberedRecords } from "../../io/sources/numbered_log.ts";
import type { Source } from "../../pipeline/source.ts";

export interface DemoSource {
  readonly source: Source;
  /** The same records, for an audit; null if they cannot be read again. */
  readonly auditedLog: AuditedLog | null;
  /** The name under which the log is known. */
  readonly origin: Origin;
}

const PARTITIONS = 4;

export async function openFile(path: string, dataDir: string | undefined): Promise<DemoSource> {
  if (path === STANDARD_INPUT && dataDir !== undefined) {
    throw new OperatorError(
      "Cannot keep counts of standard input, which cannot be read again: omit --data-dir, or pass a path to --file.",
    );
  }
  const source = await FileSource.open(path);
  const auditedLog = path === STANDARD_INPUT ? null : source.auditedLog;
  return { source, auditedLog, origin: originOf(await fileIdentity(path)) };
}

/** @param records those of the log, or with others among them. */
export function openGenerated(
  { begunMs }: GeneratedLog,
  records: NumberedRecords,
): DemoSource {
  const auditedLog = new NumberedLog(records, PARTITIONS);
  return {
    source: new GeneratorSource(auditedLog),
    auditedLog,
    origin: originOf(`generated since ${isoTime(begunMs)}`),
  };
}

function originOf(id: string): Origin {
  return { id, setting: "The log (--file)", remedy: "pass another directory to --data-dir" };
}
