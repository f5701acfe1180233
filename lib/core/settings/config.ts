/**
 * Settings: environment variables to a typed configuration, or every problem at once.
 * @module
 */

import { z } from "zod";
import { zoneOf } from "../text/zone.ts";
import { parseDatabaseTls } from "../tls/database_tls.ts";
import { databaseUrlProblem } from "./database_url.ts";

/** All settings, with their defaults filled in; `undefined` means off. */
export type Config = Readonly<ReturnType<typeof toConfig>>;
export type KafkaConfig = Readonly<Config["kafka"]>;
export type SmtpConfig = Readonly<NonNullable<Config["smtp"]>>;
/** Which lotteries are quiet, see `judgeQuiet`. */
export type QuietConfig = Readonly<NonNullable<Config["quiet"]>>;
export type LogLevel = Config["logLevel"];
export type LogFormat = NonNullable<Config["logFormat"]>;

export interface ConfigProblem {
  readonly setting: string;
  /** What is wrong and what would be right; never holds a secret. */
  readonly message: string;
}

/** Settings that are never shown in messages or logs. */
const SECRETS = new Set(["DATABASE_URL", "KAFKA_SASL_PASSWORD", "SMTP_PASSWORD"]);

const integer = (least: number, greatest: number) =>
  z.string().regex(/^\d+$/, `must be a whole number from ${least} to ${greatest}`)
    .transform(Number)
    .refine(
      (value) => value >= least && value <= greatest,
      `must be a whole number from ${least} to ${greatest}`,
    );

const flag = z.enum(["true", "false"], { error: "must be true or false" })
  .transform((value) => value === "true");

const port = integer(1, 65_535);

const share = (least: number, greatest: number) =>
  z.string().regex(/^\d*\.?\d+$/, `must be a number from ${least} to ${greatest}`)
    .transform(Number)
    .refine(
      (value) => value >= least && value <= greatest,
      `must be a number from ${least} to ${greatest}`,
    );

const topicName = z.string().refine(
  (topic) => /^[A-Za-z0-9._-]{1,249}$/.test(topic) && topic !== "." && topic !== "..",
  "must be a topic name: up to 249 letters, digits, dots, dashes and underscores",
);

const SCHEMA = z.object({
  KAFKA_BROKERS: z.string().default("localhost:9092")
    .transform((value) => value.split(",").map((part) => part.trim()))
    .refine(
      (brokers) => brokers.every(isBroker),
      "must be host:port, or several separated by commas",
    ),
  KAFKA_TOPIC: topicName.default("user-events"),
  KAFKA_GROUP_ID: z.string().default("lottery-aggregates"),
  KAFKA_SSL: flag.default(false),
  KAFKA_SSL_CA_FILE: z.string().optional(),
  KAFKA_SSL_CERT_FILE: z.string().optional(),
  KAFKA_SSL_KEY_FILE: z.string().optional(),
  KAFKA_SASL_MECHANISM: z.string().toLowerCase().pipe(
    z.enum(["plain", "scram-sha-256", "scram-sha-512"], {
      error: "must be plain, scram-sha-256 or scram-sha-512",
    }),
  ).optional(),
  KAFKA_SASL_USERNAME: z.string().optional(),
  KAFKA_SASL_PASSWORD: z.string().optional(),
  KAFKA_OUTPUT_TOPIC: topicName.optional(),
  DATABASE_URL: z.string().default("postgres://admin:admin@localhost:5432/lottery_db")
    .superRefine((url, { addIssue }) => {
      const problem = databaseUrlProblem(url);
      if (problem !== null) return addIssue(problem);
      const parsed = parseDatabaseTls(url);
      if ("problem" in parsed) addIssue(parsed.problem);
    }),
  WINDOW_SECONDS: integer(1, 86_400).default(60),
  GRACE_SECONDS: integer(0, 86_400).default(60),
  MAX_FUTURE_SECONDS: integer(0, 31_536_000).default(300),
  COMMIT_INTERVAL_MS: integer(10, 60_000).default(250),
  ON_DATA_LOSS: z.enum(["fail", "continue"], { error: "must be fail or continue" }).default("fail"),
  HTTP_HOST: z.string().default("127.0.0.1"),
  HTTP_PORT: integer(0, 65_535).optional(),
  SMTP_HOST: z.string().regex(/^([^\s:/@]+|[0-9a-fA-F:.]+)$/, "must be a host name")
    .optional(),
  SMTP_PORT: port.default(587),
  SMTP_SECURE: flag.default(false),
  SMTP_USERNAME: z.string().optional(),
  SMTP_PASSWORD: z.string().optional(),
  ALERT_FROM: z.string().optional(),
  ALERT_TO: z.string().optional(),
  ALERT_AFTER_SECONDS: integer(1, 86_400).default(30),
  ALERT_INTERVAL_SECONDS: integer(1, 604_800).default(900),
  ALERT_DEAD_LETTERS_PER_MINUTE: integer(1, 1_000_000_000).default(60),
  ALERT_QUIET_TYPES: z.string()
    .transform((value) => [...new Set(value.split(",").map((part) => part.trim()))])
    .refine((types) => types.every(Boolean), "must be event types, separated by commas")
    .optional(),
  ALERT_QUIET_MINUTES: integer(1, 1_440).default(15),
  ALERT_QUIET_SHARE: share(0.01, 0.5).default(0.2),
  ALERT_QUIET_MIN_EXPECTED: integer(1, 1_000_000_000).default(20),
  ALERT_QUIET_ZONE: z.string().default("UTC").transform((name, { addIssue }) => {
    const zone = zoneOf(name);
    if (zone === null) addIssue("must be the IANA name of a time zone, such as Europe/Berlin");
    return zone ?? "UTC";
  }),
  AGGREGATES_RETENTION_DAYS: integer(1, 36_500).optional(),
  HOURS_RETENTION_DAYS: integer(1, 36_500).optional(),
  DEAD_LETTERS_RETENTION_DAYS: integer(1, 36_500).optional(),
  LOG_LEVEL: z.enum(["debug", "info", "warn", "error"], {
    error: "must be debug, info, warn or error",
  }).default("info"),
  LOG_FORMAT: z.enum(["pretty", "json"], { error: "must be pretty or json" }).optional(),
});

type Setting = keyof typeof SCHEMA.shape;

/** Settings that mean nothing without others. */
const COMPANIONS: readonly { readonly of: Setting; readonly needed: readonly Setting[] }[] = [
  { of: "KAFKA_SASL_MECHANISM", needed: ["KAFKA_SASL_USERNAME", "KAFKA_SASL_PASSWORD"] },
  { of: "KAFKA_SASL_USERNAME", needed: ["KAFKA_SASL_MECHANISM", "KAFKA_SASL_PASSWORD"] },
  { of: "KAFKA_SASL_PASSWORD", needed: ["KAFKA_SASL_MECHANISM", "KAFKA_SASL_USERNAME"] },
  { of: "KAFKA_SSL_CA_FILE", needed: ["KAFKA_SSL"] },
  { of: "KAFKA_SSL_CERT_FILE", needed: ["KAFKA_SSL", "KAFKA_SSL_KEY_FILE"] },
  { of: "KAFKA_SSL_KEY_FILE", needed: ["KAFKA_SSL", "KAFKA_SSL_CERT_FILE"] },
  { of: "SMTP_HOST", needed: ["ALERT_FROM", "ALERT_TO"] },
  { of: "SMTP_USERNAME", needed: ["SMTP_HOST", "SMTP_PASSWORD"] },
  { of: "SMTP_PASSWORD", needed: ["SMTP_USERNAME"] },
  { of: "HOURS_RETENTION_DAYS", needed: ["AGGREGATES_RETENTION_DAYS"] },
  { of: "ALERT_FROM", needed: ["SMTP_HOST"] },
  { of: "ALERT_TO", needed: ["SMTP_HOST"] },
];

/** Names of all settings, in the order of the documentation. */
export const SETTINGS: readonly string[] = Object.keys(SCHEMA.shape);

/** Reads the settings from environment variables. An empty one counts as not set. */
export function parseConfig(
  env: Readonly<Record<string, string | undefined>>,
): { readonly config: Config } | { readonly problems: readonly ConfigProblem[] } {
  const given = Object.fromEntries(
    SETTINGS.flatMap((setting) => {
      const value = env[setting];
      if (!value?.trim()) return [];
      return [[setting, SECRETS.has(setting) ? value : value.trim()]]; // a password may end in a space
    }),
  );
  const { data, error } = SCHEMA.safeParse(given);
  const problems = [
    ...(error?.issues ?? []).map((issue) => invalid(issue, given)),
    ...missing(given),
    ...(data && data.KAFKA_OUTPUT_TOPIC === data.KAFKA_TOPIC ? [OUTPUT_IS_INPUT] : []),
    ...(data && hoursGoFirst(data) ? [HOURS_GO_FIRST] : []),
    ...(data && nothingIsExpected(data) ? [NOTHING_IS_EXPECTED] : []),
  ];
  return data && problems.length === 0 ? { config: toConfig(data) } : { problems };
}

const OUTPUT_IS_INPUT: ConfigProblem = {
  setting: "KAFKA_OUTPUT_TOPIC",
  message: "must be another topic than KAFKA_TOPIC: the counts would be read as events",
};

const HOURS_GO_FIRST: ConfigProblem = {
  setting: "HOURS_RETENTION_DAYS",
  message:
    "must not be less than AGGREGATES_RETENTION_DAYS: an hour is kept as long as its minutes",
};

function hoursGoFirst(
  { HOURS_RETENTION_DAYS: hours, AGGREGATES_RETENTION_DAYS: windows }: z.output<typeof SCHEMA>,
): boolean {
  return hours !== undefined && windows !== undefined && hours < windows;
}

/** A day, the same one a week before, and the one before that. */
const LEAST_COMPARED_DAYS = 10;

const NOTHING_IS_EXPECTED: ConfigProblem = {
  setting: "HOURS_RETENTION_DAYS",
  message:
    `must be at least ${LEAST_COMPARED_DAYS} with ALERT_QUIET_TYPES, which compares with the weeks before`,
};

function nothingIsExpected(
  { HOURS_RETENTION_DAYS: hours, ALERT_QUIET_TYPES: types }: z.output<typeof SCHEMA>,
): boolean {
  return hours !== undefined && types !== undefined && hours < LEAST_COMPARED_DAYS;
}

type Given = Readonly<Record<string, string>>;

function invalid({ path, message }: z.core.$ZodIssue, given: Given): ConfigProblem {
  const setting = String(path[0]);
  const value = given[setting]!;
  const isSecret = SECRETS.has(setting) || /@|password/i.test(value); // a URL in the wrong place
  const shown = isSecret ? "" : `, but is ${JSON.stringify(value)}`;
  return { setting, message: `${message}${shown}` };
}

function missing(given: Given): ConfigProblem[] {
  const because = new Map<Setting, Setting[]>();
  for (const { of, needed } of COMPANIONS) {
    if (given[of] === undefined) continue;
    for (const setting of needed) {
      if (given[setting] === undefined || given[setting] === "false") {
        because.set(setting, [...because.get(setting) ?? [], of]);
      }
    }
  }
  return Array.from(because, ([setting, others]) => ({
    setting,
    message: `is required by ${others.join(" and ")}`,
  }));
}

function toConfig(settings: z.output<typeof SCHEMA>) {
  const brokers: readonly string[] = settings.KAFKA_BROKERS;
  return {
    kafka: {
      brokers,
      topic: settings.KAFKA_TOPIC,
      groupId: settings.KAFKA_GROUP_ID,
      ssl: settings.KAFKA_SSL
        ? {
          caFile: settings.KAFKA_SSL_CA_FILE,
          certFile: settings.KAFKA_SSL_CERT_FILE,
          keyFile: settings.KAFKA_SSL_KEY_FILE,
        }
        : undefined,
      sasl: settings.KAFKA_SASL_MECHANISM && {
        mechanism: settings.KAFKA_SASL_MECHANISM,
        username: settings.KAFKA_SASL_USERNAME!,
        password: settings.KAFKA_SASL_PASSWORD!,
      },
    },
    /** Where the counts of closed windows are published. */
    outputTopic: settings.KAFKA_OUTPUT_TOPIC,
    databaseUrl: settings.DATABASE_URL,
    windowMs: settings.WINDOW_SECONDS * 1000,
    graceMs: settings.GRACE_SECONDS * 1000,
    maxFutureMs: settings.MAX_FUTURE_SECONDS * 1000,
    commitIntervalMs: settings.COMMIT_INTERVAL_MS,
    /** What to do when Kafka has deleted records before they were read. */
    onDataLoss: settings.ON_DATA_LOSS,
    httpHost: settings.HTTP_HOST,
    /** `undefined`: 8000, or the next free port; 0: any free one. */
    httpPort: settings.HTTP_PORT,
    smtp: settings.SMTP_HOST === undefined ? undefined : {
      host: settings.SMTP_HOST,
      port: settings.SMTP_PORT,
      /** TLS from the first byte; otherwise STARTTLS if the server offers it. */
      isSecure: settings.SMTP_SECURE,
      username: settings.SMTP_USERNAME,
      password: settings.SMTP_PASSWORD,
      from: settings.ALERT_FROM!,
      to: settings.ALERT_TO!,
    },
    alertAfterMs: settings.ALERT_AFTER_SECONDS * 1000,
    alertIntervalMs: settings.ALERT_INTERVAL_SECONDS * 1000,
    alertDeadLettersPerMinute: settings.ALERT_DEAD_LETTERS_PER_MINUTE,
    /** `undefined`: nothing is judged. */
    quiet: settings.ALERT_QUIET_TYPES && {
      types: settings.ALERT_QUIET_TYPES,
      minutes: settings.ALERT_QUIET_MINUTES,
      share: settings.ALERT_QUIET_SHARE,
      minExpected: settings.ALERT_QUIET_MIN_EXPECTED,
      zone: settings.ALERT_QUIET_ZONE,
    },
    /** Age at which rows are deleted; `undefined`: never. */
    aggregatesRetentionDays: settings.AGGREGATES_RETENTION_DAYS,
    hoursRetentionDays: settings.HOURS_RETENTION_DAYS,
    deadLettersRetentionDays: settings.DEAD_LETTERS_RETENTION_DAYS,
    logLevel: settings.LOG_LEVEL,
    /** `undefined`: pretty on a terminal, JSON elsewhere. */
    logFormat: settings.LOG_FORMAT,
  };
}

function isBroker(value: string): boolean {
  const port = Number(value.match(/^(?:\[[0-9a-fA-F:.]+\]|[^\s:,/]+):(\d{1,5})$/)?.[1]);
  return port >= 1 && port <= 65_535;
}
