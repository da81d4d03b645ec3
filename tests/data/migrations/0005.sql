-- What came with silences and with notifications that wait.
INSERT INTO silences (id, silence_id, matchers, starts_at, ends_at, created_by, comment, created_at, updated_at, periods) VALUES
 (1, '5c5e5e5e-0000-4000-8000-000000000001', '[["component", "=", "search"]]', '2026-11-22 08:00:00.000000', '2026-11-22 20:00:00.000000', 'ada', 'new disks', '2026-11-22 08:00:00.000000', '2026-11-22 08:00:00.000000', '[["2026-11-22T08:00:00+00:00", "2026-11-22T20:00:00+00:00"]]');
INSERT INTO paces (channel, free_at) VALUES ('pager', '2026-11-22 08:36:00.000000');
INSERT INTO outbox (id, "key", event, incident_id, channel, payload, created_at, due_at, state, held) VALUES
 (3, 'k-held', 'incident_updated', 2, 'phone', '{}', '2026-11-22 08:36:00.000000', '2026-11-22 08:50:00.000000', 'queued', 'throttled');
UPDATE alerts SET severity = 'critical' WHERE id = 2;
UPDATE alerts SET severity = 'warning' WHERE id = 1;
