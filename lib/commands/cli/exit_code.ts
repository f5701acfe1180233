/**
 * Exit codes besides those that every command has.
 * @module
 */

/** `audit` and `status` have failed themselves. */
export const NO_VERDICT = 4;

/** Ends the program with a code of the command's own; a `cause` is reported first. */
export class ExitCodeError extends Error {
  override readonly name = "ExitCodeError";
  readonly exitCode: number;

  constructor(exitCode: number, options?: ErrorOptions) {
    super(`The exit code is ${exitCode}`, options);
    this.exitCode = exitCode;
  }
}
