/**
 * PostgreSQL's connection URLs: what they name, what is wrong with them, and what of them may be shown.
 * @module
 */

/**
 * The URL, or null if it is not one. As in libpq, it can have a user without a host: then one is
 * put in, which the parameter `host` overrides.
 */
export function parseDatabaseUrl(text: string): URL | null {
  return URL.parse(text) ?? URL.parse(text.replace("@/", "@localhost/"));
}

/** Directory of the Unix socket that the URL names, as its parameter `host` or encoded as its host; or null. */
export function socketDirectory(url: URL): string | null {
  const host = url.searchParams.get("host") ?? decoded(url.hostname) ?? "";
  return host.startsWith("/") ? host : null;
}

const FORM = "must look like postgres://user:password@host:5432/database";
/** These end a part of a URL unless they are encoded. */
const ENCODING = "in user and password, write % as %25, # as %23, / as %2F, ? as %3F and @ as %40";

/** What is wrong with the URL, or null; never quotes it. */
export function databaseUrlProblem(text: string): string | null {
  if (!/^\s*postgres(ql)?:\/\//.test(text)) return FORM;
  const url = parseDatabaseUrl(text);
  if (!url || url.hash !== "" || hasLateAt(text) || !isEncoded(text, url)) {
    return `${FORM}; ${ENCODING}`;
  }
  const hasHost = URL.parse(text)?.hostname || url.searchParams.get("host");
  return hasHost && url.pathname.length > 1
    ? null
    : `${FORM}, or postgres:///database?host=/var/run/postgresql for a Unix socket`;
}

/**
 * True if an @ follows the host: then a character of the password has ended the host, and
 * the rest of the password is in host, path or parameters.
 */
function hasLateAt(text: string): boolean {
  return /^[^:]*:\/\/[^/?#]*[/?#].*@/s.test(text);
}

/** Whether every % in these parts starts an encoded character. */
function isEncoded(text: string, { username, password, hostname, pathname }: URL): boolean {
  return !/%(?![0-9a-f]{2})/i.test(text) &&
    [username, password, hostname, pathname].every((part) => decoded(part) !== null);
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

/** The URL without its secrets, for messages: `user@host:5432/database`. */
export function redacted(text: string): string {
  const url = parseDatabaseUrl(text);
  if (!url || databaseUrlProblem(text) !== null) return "the database of DATABASE_URL";
  const { searchParams } = url;
  const user = searchParams.get("user") ?? decoded(url.username) ?? "";
  const socket = socketDirectory(url);
  const port = searchParams.get("port") ?? url.port;
  const host = `${socket ?? searchParams.get("host") ?? url.hostname}${port ? `:${port}` : ""}`;
  return `${user ? `${plain(user)}@` : ""}${host}/${plain(decoded(url.pathname.slice(1)) ?? "")}`;
}

/** A name up to the first unusual character: something secret may follow it. */
function plain(name: string): string {
  return name.replace(/[^\p{L}\p{N}_.@+-].*$/su, "…");
}
