/**
 * Dead letters of a flood, which commits store as they come, and that become rows later.
 * @module
 */

import type { Connection } from "./connection.ts";
import { explainStatementError } from "./errors.ts";

/**
 * Makes rows of all that is staged.
 * @param onStep is told how many letters are left.
 * @returns how many letters that were.
 */
export async function unstageAll(
  connection: Connection,
  onStep: (left: number) => void,
): Promise<number> {
  let sum = 0;
  for (;;) {
    const { made, left } = await unstageDeadLetters(connection, 0);
    sum += made;
    if (left === 0) return sum;
    onStep(left);
  }
}

/**
 * Makes rows of what one commit has staged, if the flood is over or it is `maxAgeSeconds` old.
 * @returns how many letters that were, and how many are left for which it is time.
 */
export async function unstageDeadLetters(
  connection: Connection,
  maxAgeSeconds: number,
): Promise<{ readonly made: number; readonly left: number }> {
  try {
    const [row] = await connection.query<{ made: number; left_over: number }>({
      text: "select made, left_over from unstage_dead_letters(make_interval(secs => $1))",
      values: [maxAgeSeconds],
    });
    return { made: row!.made, left: row!.left_over };
  } catch (error) {
    throw explainStatementError(error);
  }
}
