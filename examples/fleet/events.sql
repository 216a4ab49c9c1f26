-- One row for each id and type (docs/schema/event.json), whatever was delivered how often.
CREATE TABLE event (
  id      text NOT NULL,        -- the same in new, update and end of one stay
  type    text NOT NULL CHECK (type IN ('new', 'update', 'end')),
  node    text NOT NULL,
  start   timestamptz NOT NULL,
  payload jsonb NOT NULL,
  PRIMARY KEY (id, type)
);
CREATE INDEX event_by_time ON event (start);

-- Stores [{"node": …, "payload": …}, …]; of repetitions, and of several updates of one stay, the last best.
CREATE FUNCTION store_events(batch jsonb) RETURNS void LANGUAGE sql AS $$
  INSERT INTO event
  SELECT DISTINCT ON (id, type)
    p ->> 'id' AS id, p ->> 'type' AS type, e ->> 'node', (p ->> 'start')::timestamptz, p
  FROM jsonb_array_elements(batch) WITH ORDINALITY AS element (e, place),
    LATERAL (SELECT e -> 'payload' AS p) AS payload
  ORDER BY id, type, (p ->> 'score')::float DESC, place DESC
  ON CONFLICT (id, type) DO UPDATE SET payload = excluded.payload
    WHERE (event.payload ->> 'score')::float <= (excluded.payload ->> 'score')::float;
$$;
