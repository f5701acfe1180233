import assert from "node:assert/strict";
import { zoneOf } from "../../../lib/core/text/zone.ts";

Deno.test("zoneOf() takes names of zones, and no offsets or abbreviations", () => {
  for (const name of ["Europe/Berlin", "UTC", "Etc/GMT+5", "America/Argentina/Buenos_Aires"]) {
    assert.equal(zoneOf(name), name);
  }
  assert.match(zoneOf("CET")!, /^Europe\//, "which has a summer");
  for (const name of ["", "+02:00", "Berlin", "Europe/Nowhere", "Europe/Berlin'"]) {
    assert.equal(zoneOf(name), null, name);
  }
});
