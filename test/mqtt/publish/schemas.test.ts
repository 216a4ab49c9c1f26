import { readFileSync } from 'node:fs';
import t from 'tap';
import {
  absentAttributes,
  eventPayload,
  labelsPayload,
  presentAttributes,
} from '#mobilenetd/mqtt/publish/payloads.js';
import type { PresenceEvent } from '#mobilenetd/presence/event.js';
import { WHOLE_PICTURE } from '../../whole-picture.js';
import { schemaFaults as faults, SCHEMA_NAMES as names } from '../payload-rules.js';

const event: PresenceEvent = {
  id: 'e1',
  type: 'new',
  camera: 'front',
  label: 'person',
  score: 0.123456,
  start: 1e12,
  end: null,
  model: 'm',
  alpha: 0.75,
  size: 192,
  count: 2,
  box: [0.05, 1, 2, 3],
  ...WHOLE_PICTURE,
};

t.test('payloads obey their schemas', async (t) => {
  t.equal(faults('event', eventPayload(event)), null);
  t.equal(faults('event', eventPayload({ ...event, type: 'end', end: 1e12 + 5, box: null })), null);
  t.equal(faults('attributes', presentAttributes([event])), null);
  t.equal(faults('attributes', absentAttributes(null)), null);
  t.equal(faults('attributes', absentAttributes(1e12)), null);
  const labels = Array.from({ length: 30 }, (_, index) => ({
    index,
    label: `label ${index}`,
    score: 1 / (index + 1),
    box: index % 2 ? null : ([1, 2, 3, 4] as const),
  }));
  const result = {
    camera: 'front',
    sequence: 1,
    capturedAt: 0,
    time: 1e12,
    model: 'm',
    alpha: 0.5,
    size: 160,
    timings: { decode: 0, preprocess: 0, inference: 1.23, postprocess: 0 },
    labels,
  };
  t.equal(faults('labels', labelsPayload(result)), null);
  t.equal(faults('labels', labelsPayload({ ...result, labels: [] })), null);
  t.equal(faults('response', { transaction: 'a', ok: true }), null);
  t.equal(faults('response', { transaction: 'a', ok: false, code: 'MND_X', message: 'm' }), null);
});

t.test('the schemas can fail', async (t) => {
  const good = eventPayload(event);
  for (const spoilt of [
    { ...good, type: 'begin' },
    { ...good, score: 1.5 },
    { ...good, start: 'yesterday' },
    { ...good, box: [1, 2, 3] },
    { ...good, id: undefined },
  ]) {
    t.not(faults('event', spoilt), null);
  }
  t.not(faults('response', { transaction: 'a', ok: false }), null);
  t.not(faults('request-health', { transaction: 'a', more: 1 }), null);
});

t.test('every schema says what it is of', async (t) => {
  for (const name of names) {
    const schema = JSON.parse(readFileSync(`docs/schema/${name}.json`, 'utf8'));
    t.equal(schema.$id, `urn:mobilenetd:schema:${name}`);
    t.ok(schema.title && schema.description, name);
  }
});
