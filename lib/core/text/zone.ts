/**
 * Names of time zones.
 * @module
 */

/**
 * The IANA name of a zone; null if it is none. Not an offset like "+02:00": PostgreSQL takes these for
 * the opposite. Nor a short name, which may be an abbreviation there: CET would have no summer.
 */
export function zoneOf(name: string): string | null {
  try {
    if (!/^[a-z]/i.test(name)) return null;
    const { timeZone } = new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions();
    return name.includes("/") ? name : timeZone;
  } catch {
    return null;
  }
}
