-- What came with tasks, merges and people on call.
INSERT INTO incident_tasks (id, incident_id, number, text, created_by, created_at, done_at, done_by) VALUES (1, 2, 1, 'Call the provider', 'ada', '2026-11-22 08:36:00.000000', '2026-11-22 08:38:00.000000', 'ada');
UPDATE incidents SET merged_into_id = 2, lead = 'ada' WHERE id = 1;
INSERT INTO postmortems (id, incident_id, version, at, author, body) VALUES (1, 1, 1, '2026-11-20 12:00:00.000000', 'ada', 'It was slow.');
INSERT INTO oncall_overrides (id, number, schedule, person, starts_at, ends_at, created_at) VALUES (1, 1, 'shop', 'ben', '2026-11-22 18:00:00.000000', '2026-11-23 06:00:00.000000', '2026-11-22 08:00:00.000000');
INSERT INTO escalations (incident_id, policy, state, position, sequence, anchor_at, due_at) VALUES
 (2, '{"name": "shop", "steps": [{"tell": [["person", "ann"]], "wait": 300.0}], "last_resort": [], "rounds": 1, "acknowledge_timeout": null, "components": [], "severities": ["critical"]}', 'running', 1, 1, '2026-11-22 08:31:00.000000', '2026-11-22 09:31:00.000000');
INSERT INTO escalation_steps (id, incident_id, sequence, at, position, why, words, told, missed, message_keys) VALUES
 (1, 2, 1, '2026-11-22 08:31:00.000000', 0, 'opened', 'step 1 of 1', '[{"target": "person ann", "person": "ann", "channels": ["ann-phone"]}]', '[]', '["k-sent"]');
