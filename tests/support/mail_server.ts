/**
 * A real SMTP server that keeps the mails it gets.
 * @module
 */

import { SMTPServer } from "smtp-server";
import { Authority } from "./certificates.ts";
import { eventually } from "./eventually.ts";

/** How a client has to connect. */
export interface MailServerOptions {
  /** TLS from the first byte; otherwise the server offers STARTTLS. */
  readonly isSecure?: boolean;
  /** Login that it wants, or none. */
  readonly login?: { readonly username: string; readonly password: string };
}

export interface ReceivedMail {
  /** Header lines and body, as they came. */
  readonly raw: string;
  readonly subject: string;
  /** Both of its forms, decoded. */
  readonly text: string;
  readonly html: string;
  /** Whether the connection was encrypted, and who had logged in. */
  readonly isEncrypted: boolean;
  readonly user: string | undefined;
}

export class MailServer implements AsyncDisposable {
  readonly mails: ReceivedMail[] = [];
  /** Settings that point a program at it. */
  readonly env: Readonly<Record<string, string>>;
  readonly #server: SMTPServer;
  readonly #directory: string;

  private constructor(server: SMTPServer, directory: string, env: Record<string, string>) {
    this.#server = server;
    this.#directory = directory;
    this.env = env;
  }

  static async start({ isSecure = false, login }: MailServerOptions = {}): Promise<MailServer> {
    const directory = await Deno.makeTempDir();
    const authority = await Authority.create(directory);
    const { keyFile, certFile } = await authority.issue("server");
    const received: { mails?: ReceivedMail[] } = {};
    const server = new SMTPServer({
      name: "mail.example.org",
      secure: isSecure,
      disableReverseLookup: true,
      key: await Deno.readTextFile(keyFile),
      cert: await Deno.readTextFile(certFile),
      authOptional: login === undefined,
      onAuth({ username, password }, _session, callback) {
        const isRight = username === login?.username && password === login?.password;
        callback(isRight ? null : new Error("bad login"), isRight ? { user: username } : undefined);
      },
      onData(stream, { secure, user }, callback) {
        const chunks: Uint8Array[] = [];
        stream.on("data", (chunk: Uint8Array) => chunks.push(chunk));
        stream.on("end", () => {
          const raw = new TextDecoder().decode(new Uint8Array(chunks.flatMap((each) => [...each])));
          received.mails!.push(
            parse(raw, { isEncrypted: secure, user: user as string | undefined }),
          );
          callback();
        });
      },
    });
    server.on("error", () => {}); // clients that do not trust it break off
    const port = await new Promise<number>((resolve) => {
      const listener = server.listen(0, "127.0.0.1", () => {
        resolve((listener.address() as { port: number }).port);
      });
    });
    const mailServer = new MailServer(server, directory, {
      SMTP_HOST: "localhost",
      SMTP_PORT: String(port),
      SMTP_SECURE: String(isSecure),
      ...login && { SMTP_USERNAME: login.username, SMTP_PASSWORD: login.password },
      ALERT_FROM: "pipeline@example.org",
      ALERT_TO: "operators@example.org",
      DENO_CERT: authority.file,
    });
    received.mails = mailServer.mails;
    return mailServer;
  }

  /** The first mail whose subject matches. */
  async received(subject: RegExp): Promise<ReceivedMail> {
    const find = () => this.mails.find((mail) => subject.test(mail.subject)) ?? false;
    return await eventually(find) as ReceivedMail;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
    await Deno.remove(this.#directory, { recursive: true });
  }
}

function parse(
  raw: string,
  session: Pick<ReceivedMail, "isEncrypted" | "user">,
): ReceivedMail {
  const unfolded = raw.replaceAll(/\r\n[ \t]+/g, " ");
  const part = (type: string) =>
    decodeQuotedPrintable(
      raw.match(new RegExp(`Content-Type: ${type}[^]*?\r\n\r\n([^]*?)\r\n--`))?.[1] ?? "",
    );
  return {
    raw,
    subject: decodeWords(unfolded.match(/^Subject: (.*)$/m)?.[1]?.trim() ?? ""),
    text: part("text/plain"),
    html: part("text/html"),
    ...session,
  };
}

function decodeQuotedPrintable(text: string): string {
  const bytes = text.replaceAll("=\r\n", "")
    .replaceAll(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16)));
  return new TextDecoder().decode(Uint8Array.from(bytes, (character) => character.charCodeAt(0)));
}

/** Subjects with other characters than ASCII come as encoded words. */
function decodeWords(text: string): string {
  return text.replaceAll(
    /=\?UTF-8\?Q\?([^?]*)\?=\s*/gi,
    (_, word) => decodeQuotedPrintable(word.replaceAll("_", " ")),
  );
}
