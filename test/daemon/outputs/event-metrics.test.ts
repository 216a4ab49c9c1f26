import { Registry } from 'prom-client';
import t from 'tap';
import {
  countEvents,
  countRestarts,
  type Watched,
} from '#mobilenetd/daemon/outputs/event-metrics.js';
import { MetricFamilies } from '#mobilenetd/daemon/outputs/metric-families.js';
import { Signals } from '#mobilenetd/daemon/signals.js';
import { SILENT } from '#mobilenetd/log.js';
import type { PresenceEvent } from '#mobilenetd/presence/event.js';

const event = (type: PresenceEvent['type']) =>
  ({ camera: 'front', label: 'cat', type }) as PresenceEvent;

/** A camera that has seen a cat before anybody counted. */
function watched(phase: ReturnType<Watched['daemon']['phase']>) {
  const signals = new Signals(SILENT);
  const presence = { open: () => [event('new')] };
  const camera = { name: 'front', presence, status: () => 'online' as const };
  return { signals, cameras: { list: () => [camera] }, daemon: { phase: () => phase } };
}

/** Lines that are no comments. */
async function linesOf(registry: Registry): Promise<string[]> {
  const text = await registry.metrics();
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

t.test('what has begun before the counting is counted', async (t) => {
  const registry = new Registry();
  const around = watched('starting');
  const stop = countEvents(new MetricFamilies(registry), around, (_, label) => label);
  const begun = (count: number) =>
    `mobilenetd_events_total{camera="front",label="cat",type="new"} ${count}`;
  t.same(await linesOf(registry), [begun(1)]);
  around.signals.emit('events', {
    events: [event('end'), event('new')],
    result: null,
    sightings: new Map(),
  });
  t.same(await linesOf(registry), [
    begun(2),
    'mobilenetd_events_total{camera="front",label="cat",type="end"} 1',
  ]);
  stop();
});

t.test('but not again at a reload', async (t) => {
  const registry = new Registry();
  countEvents(new MetricFamilies(registry), watched('running'), (_, label) => label);
  t.same(await linesOf(registry), []);
});

t.test('a camera that was there before goes away', async (t) => {
  const registry = new Registry();
  const around = watched('starting');
  const stop = countRestarts(new MetricFamilies(registry), around);
  around.signals.emit('camera', { name: 'front', status: 'offline', reason: null });
  t.same(await linesOf(registry), ['mobilenetd_camera_restarts_total{camera="front"} 1']);
  stop();
});
