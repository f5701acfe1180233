/**
 * Numbers and times as people read them.
 * @module
 */

/** `1234567` as `1,234,567`. */
export function groupDigits(value: number): string {
  return value.toLocaleString("en-US");
}

/** `1 record`, `1,234 records`. */
export function plural(count: number, noun: string, nouns = `${noun}s`): string {
  return `${groupDigits(count)} ${count === 1 ? noun : nouns}`;
}

/** `12 s`, `1 min 5 s`, `24 h 0 min` or `3 d 4 h`; begun seconds count. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.ceil(seconds));
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min ${whole % 60} s`;
  const hours = Math.floor(minutes / 60);
  return hours < 48
    ? `${hours} h ${minutes % 60} min`
    : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** How long ago something was: `just now` or `12 s ago`. */
export function age(seconds: number): string {
  return seconds < 1 ? "just now" : `${duration(Math.floor(seconds))} ago`;
}
