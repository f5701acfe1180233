/** Alerts that Grafana mails because workers cannot. */

import assert from "node:assert/strict";
import { readCompose } from "../support/compose.ts";
import { readDashboard, readProvisioning } from "../support/grafana.ts";

const lotto24 = await readDashboard("lotto24");
const workers = await readDashboard("workers");
const datasources = await readProvisioning("datasources/datasources.yaml");
const alerting = await readProvisioning("alerting/alerting.yaml");
const { services } = await readCompose();

Deno.test("every alert has data, a receiver and a panel", () => {
  const receivers = alerting.contactPoints.map(({ name }: { name: string }) => name);
  for (const { receiver } of alerting.policies) assert.ok(receivers.includes(receiver));
  const uids = [...datasources.datasources.map(({ uid }: { uid: string }) => uid), "__expr__"];
  for (const { rules } of alerting.groups) {
    for (const { condition, data, dashboardUid, panelId, annotations, title } of rules) {
      const refIds = data.map(({ refId }: { refId: string }) => refId);
      assert.ok(refIds.includes(condition), title);
      for (const { refId, datasourceUid, model } of data) {
        assert.ok(uids.includes(datasourceUid), title);
        assert.equal(model.refId, refId);
        if (model.expression) assert.ok(refIds.includes(model.expression), title);
        if (model.datasource) assert.equal(model.datasource.uid, datasourceUid);
      }
      const dashboard = [lotto24, workers].find(({ uid }) => uid === dashboardUid);
      assert.ok(dashboard?.panels.some(({ id }) => id === panelId), title);
      for (const [, refId] of annotations.description.matchAll(/\.Values\.(\w+)/g)) {
        assert.ok(refIds.includes(refId), title);
      }
    }
  }
});

Deno.test("alerts are mailed through Mailpit, to the same operators as those of the workers", () => {
  const { grafana, worker, mailpit } = services;
  const { GF_SMTP_ENABLED, GF_SMTP_HOST, GF_SMTP_FROM_ADDRESS } = grafana!.environment!;
  const { SMTP_HOST, SMTP_PORT, ALERT_TO, ALERT_FROM } = worker!.environment!;
  assert.ok(mailpit);
  assert.deepEqual([GF_SMTP_ENABLED, GF_SMTP_HOST], ["true", `${SMTP_HOST}:${SMTP_PORT}`]);
  for (const sender of [GF_SMTP_FROM_ADDRESS, ALERT_FROM]) assert.match(sender!, /^\w+@[\w.]+$/);
  const [{ receivers: [{ type, settings }] }] = alerting.contactPoints;
  assert.deepEqual([type, settings.addresses], ["email", ALERT_TO]);
});

Deno.test("no data fires the alert for missing commits, but no other", () => {
  const [{ rules: [noCommits, ...others] }] = alerting.groups;
  assert.deepEqual([noCommits.noDataState, noCommits.execErrState], ["Alerting", "Alerting"]);
  assert.equal(others.length, 4);
  for (const { title, noDataState, execErrState } of others) {
    assert.deepEqual([noDataState, execErrState], ["OK", "Error"], title);
  }
});

Deno.test("alerts about what is wrong are critical, and those about what may become so warn", () => {
  const [{ rules }] = alerting.groups;
  const severities = rules.map((
    { uid, labels }: { uid: string; labels: { severity: string } },
  ) => [uid, labels.severity]);
  assert.deepEqual(severities, [
    ["lottery-no-commits", "critical"],
    ["lottery-lag-grows", "warning"],
    ["lottery-wrong", "critical"],
    ["lottery-audit-overdue", "warning"],
    ["lottery-event-time-stands", "warning"],
  ]);
});

Deno.test("each alert fires after the minutes in its title", () => {
  const [{ rules: [noCommits, lagGrows, , , stands] }] = alerting.groups;
  const minutes = (title: string) => Number(title.match(/(\d+) minutes/)![1]);
  const [, { model }] = noCommits.data;
  assert.equal(model.conditions[0].evaluator.params[0], 60 * minutes(noCommits.title));
  assert.equal(lagGrows.for, `${minutes(lagGrows.title)}m`);
  assert.ok(stands.data[0].model.expr.endsWith(` offset ${minutes(stands.title)}m)`));
});
