-- Tables for telegraf.conf. With TimescaleDB they become hypertables; plain PostgreSQL does too.

-- docs/schema/event.json. An event is delivered at least once: `event_once` leaves out repetitions.
CREATE TABLE event (
  time   timestamptz NOT NULL, -- start of the stay
  node   text NOT NULL,
  camera text NOT NULL,
  label  text NOT NULL,
  type   text NOT NULL CHECK (type IN ('new', 'update', 'end')),
  id     text NOT NULL,        -- the same in new, update and end
  score  double precision NOT NULL,
  count  bigint NOT NULL,
  model  text NOT NULL,
  "end"  text                  -- ISO 8601, of type end
);
CREATE INDEX event_by_label ON event (label, time DESC);
CREATE INDEX event_by_id ON event (id);

-- docs/schema/health.json, once a minute and board.
CREATE TABLE health (
  time             timestamptz NOT NULL,
  node             text NOT NULL,
  temperature      double precision,
  fps              double precision,
  latency_ms       double precision,
  rss_mb           double precision,
  outbox           bigint,
  dropped_messages bigint
);
CREATE INDEX health_by_node ON health (node, time DESC);

-- One row a stay: the last that is known of it.
CREATE VIEW event_once AS
SELECT DISTINCT ON (id) *
FROM event
ORDER BY id, (type = 'end') DESC, score DESC;

DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb') THEN
    PERFORM create_hypertable('event', 'time');
    PERFORM create_hypertable('health', 'time');
    PERFORM add_retention_policy('event', INTERVAL '1 year');
    PERFORM add_retention_policy('health', INTERVAL '90 days');
  END IF;
END
$$;
