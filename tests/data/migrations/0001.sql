-- A shop in the middle of an outage, as the first schema kept it; good for both databases.
INSERT INTO counters (name, value) VALUES ('incident', 2), ('report', 1), ('maintenance', 1);
INSERT INTO facts (name, value, updated_at) VALUES ('reconciled:them', '"2026-11-22T08:59:00+00:00"', '2026-11-22 08:59:00.000000');
INSERT INTO users (id, name, role, password_hash, created_at) VALUES (1, 'ada', 'responder', 'kept', '2026-11-01 08:00:00.000000');
INSERT INTO sessions (id_hash, user_id, csrf, created_at, expires_at, last_seen_at) VALUES ('h1', 1, 'c1', '2026-11-22 08:00:00.000000', '2026-11-23 08:00:00.000000', '2026-11-22 08:30:00.000000');
INSERT INTO incidents (id, number, public_id, "key", open_marker, title, status, severity, impact, component, journey, step, reason, origin, started_at, opened_at, updated_at, resolved_at, resolved_by, published_at, public_title, customer_message, previous_id) VALUES
 (1, 1, 'abcdefghijk1', 'checkout//', NULL, 'Checkout was slow', 'resolved', 'warning', 'minor', 'checkout', NULL, NULL, NULL, 'automatic', '2026-11-20 09:00:00.000000', '2026-11-20 09:01:00.000000', '2026-11-20 10:00:00.000000', '2026-11-20 10:00:00.000000', 'monitor', NULL, '', '', NULL),
 (2, 2, 'abcdefghijk2', 'checkout//', 1, 'Checkout fails: “pay” é', 'identified', 'critical', 'major', 'checkout', NULL, 'pay', 'http_status', 'automatic', '2026-11-22 08:30:00.123456', '2026-11-22 08:31:00.000000', '2026-11-22 08:40:00.000000', NULL, NULL, '2026-11-22 08:32:00.000000', 'Paying fails', 'Paying does not work.', 1);
INSERT INTO incident_components (incident_id, component, status) VALUES (1, 'checkout', 'operational'), (2, 'checkout', 'major_outage');
INSERT INTO incident_updates (id, public_id, incident_id, at, status, body, author, published_at) VALUES (1, 'abcdefghijk3', 2, '2026-11-22 08:35:00.000000', 'identified', 'The payment provider refuses us.', 'ada', '2026-11-22 08:35:00.000000');
INSERT INTO alerts (id, fingerprint, open_marker, labels, annotations, starts_at, latest_starts_at, ends_at, state, source, generator_url, received_at, updated_at, resolved_at, incident_id) VALUES
 (1, 'aaaaaaaaaaaaaaaa', NULL, '{"alertname": "Slow", "component": "checkout", "severity": "warning"}', '{}', '2026-11-20 09:00:00.000000', '2026-11-20 09:00:00.000000', '2026-11-20 10:00:00.000000', 'resolved', 'api/v2', '', '2026-11-20 09:01:00.000000', '2026-11-20 10:00:00.000000', '2026-11-20 10:00:00.000000', 1),
 (2, '06fa07690f5d66e9', 1, '{"alertname": "JourneyDown", "component": "checkout", "severity": "critical"}', '{"summary": "“pay” fails"}', '2026-11-22 08:30:00.123456', '2026-11-22 08:30:00.123456', '2026-11-22 09:30:00.000000', 'firing', 'api/v2', 'http://prometheus.test/graph', '2026-11-22 08:31:00.000000', '2026-11-22 08:40:00.000000', NULL, 2);
INSERT INTO timeline (id, incident_id, at, kind, actor, text, data) VALUES
 (1, 1, '2026-11-20 09:01:00.000000', 'opened', 'monitor', 'Opened by Slow.', NULL),
 (2, 2, '2026-11-22 08:31:00.000000', 'opened', 'monitor', 'Opened by JourneyDown.', '{"fingerprint": "06fa07690f5d66e9"}'),
 (3, 2, '2026-11-22 08:34:00.000000', 'note', 'ada', 'The provider says it is them.', NULL);
INSERT INTO maintenance (id, number, public_id, title, starts_at, ends_at, created_by, created_at, updated_at) VALUES (1, 1, 'abcdefghijk4', 'New disks', '2026-11-29 02:00:00.000000', '2026-11-29 03:00:00.000000', 'ada', '2026-11-21 09:00:00.000000', '2026-11-21 09:00:00.000000');
INSERT INTO maintenance_scope (maintenance_id, component, effect) VALUES (1, 'search', 'expected_down');
INSERT INTO reports (id, number, token, channel, component, description, reporter_email, status, incident_id, linked_by, link_reason, created_at, updated_at) VALUES (1, 1, 'a-token', 'form', 'checkout', 'I cannot pay', 'user@shop.test', 'open', 2, 'monitor', 'same component', '2026-11-22 08:45:00.000000', '2026-11-22 08:45:00.000000');
INSERT INTO report_messages (id, report_id, at, direction, author, body, channel) VALUES (1, 1, '2026-11-22 08:45:00.000000', 'in', 'user', 'I cannot pay', 'form');
INSERT INTO outbox (id, "key", event, incident_id, channel, severity, subject, body, payload, created_at, due_at, state, attempts, finished_at) VALUES
 (1, 'k-sent', 'incident_opened', 2, 'pager', 'critical', 'INC-2', 'fails', '{"event": "incident_opened"}', '2026-11-22 08:31:00.000000', '2026-11-22 08:31:00.000000', 'sent', 1, '2026-11-22 08:31:01.000000'),
 (2, 'k-queued', 'incident_updated', 2, 'pager', 'critical', 'INC-2', 'identified', '{"event": "incident_updated"}', '2026-11-22 08:35:00.000000', '2026-11-22 08:35:00.000000', 'queued', 0, NULL);
INSERT INTO component_states (id, component, status, since, cause) VALUES (1, 'checkout', 'major_outage', '2026-11-22 08:31:00.000000', 'INC-2');
INSERT INTO runs (id, run_id, journey, location, attempt, started_at, duration_seconds, outcome, reason, failed_step, body) VALUES (1, 'r1', 'checkout', 'local', 1, '2026-11-22 08:30:00.000000', 0.25, 'failed', 'http_status', 'pay', '{}');
