import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { loadConfig } from '#mobilenetd/config/load.js';
import { cameraOf, labelRulesOf } from '#mobilenetd/daemon/options/label-rules.js';
import type { Box } from '#mobilenetd/inference/result.js';
import { createPresence } from '#mobilenetd/presence/presence.js';

const STEP = 200;
const WALL = 1_700_000_000_000;

/** The block of a page that has these words, word for word. */
function blockWith(page: string, words: string): string {
  const blocks = readFileSync(page, 'utf8').match(/^```yaml\n[\s\S]*?^```$/gm) ?? [];
  const found = blocks.filter((block) => block.includes(words));
  t.equal(found.length, 1, `one block of ${page} has ${words}`);
  return (found[0] ?? '').replaceAll(/^```.*$/gm, '');
}

/** Someone copies the block into a file, and nothing else. */
function cameraAsWritten(folder: string, block: string) {
  const file = join(folder, 'config.yaml');
  writeFileSync(file, block);
  const { config, warnings } = loadConfig({ files: [file], env: {}, boardModel: null });
  t.same(warnings, []);
  let ids = 0;
  const createId = () => `event-${String(++ids).padStart(8, '0')}`;
  return { config, options: labelRulesOf(config, 'front', createId).presenceOptions.stream };
}

t.test('the example of zones does what its page says', async (t) => {
  const block = blockWith('docs/cameras.md', 'required_zones: [porch, gate]');
  const { config, options } = cameraAsWritten(t.testdir(), block);
  const [width, height] = cameraOf(config, 'front').size;
  t.equal(config.cameras.front?.zones.porch?.name, 'Veranda');

  /** Shows something for so many seconds: its middle's place on the ground, and its sides, in shares. */
  function show(label: string, seconds: number, at: (second: number) => readonly number[]) {
    const presence = createPresence('front', options);
    const told: string[] = [];
    const zones = new Map<string, { count: number; loitering: boolean }>();
    for (let now = 0; now < seconds * 1000; now += STEP) {
      const [x = 0, y = 0, wide = 0, high = 0] = at(now / 1000);
      const box: Box = [
        ...([(x - wide / 2) * width, (y - high) * height] as const),
        ...([wide * width, high * height] as const),
      ];
      const events = presence.update({
        ...{ camera: 'front', sequence: now / STEP + 1, capturedAt: now, time: WALL + now },
        ...{ model: 'net', alpha: 1, size: 300, labels: [{ index: 1, label, score: 0.9, box }] },
        timings: { decode: 0, preprocess: 1, inference: 10, postprocess: 1 },
      });
      for (const event of events) {
        told.push(
          [event.type, ...event.zones, ...event.loitering.map((zone) => `!${zone}`)].join(' '),
        );
      }
      for (const { zone, label: who, count, loitering } of presence.zoneChanges()) {
        zones.set(`${zone}/${who}`, { count, loitering });
      }
    }
    return { told, zones };
  }

  const person = [0.06, 0.3];
  const stays = (x: number, y: number, sides: readonly number[]) => () => [x, y, ...sides];
  t.same(show('person', 30, stays(0.1, 0.9, person)).told, [], 'on the street');
  t.same(show('person', 30, stays(0.6, 0.8, [0.02, 0.04])).told, [], 'as small as a bird');
  t.same(show('dog', 30, stays(0.6, 0.8, person)).told, [], 'not followed');

  const visitor = show('person', 20, (second) => [
    Math.min(0.7, 0.05 + 0.1 * second),
    0.8,
    ...person,
  ]);
  t.same(visitor.told.slice(0, 2), ['new gate', 'update gate porch'], 'in order of entry');
  t.ok(visitor.told.includes('update gate porch !porch'), 'who loiters');
  t.same(visitor.zones.get('porch/person'), { count: 1, loitering: true });
  t.same(
    visitor.zones.get('gate/person'),
    { count: 0, loitering: false },
    'it shows for five seconds',
  );

  const leaving = show('person', 8, (second) => [0.28 - 0.05 * second, 0.8, ...person]);
  t.same(leaving.told, [], 'the gate counts one way');

  t.match(show('car', 5, stays(0.1, 0.9, [0.3, 0.2])).told, ['new'], 'a car needs no zone');
  t.same(show('car', 5, stays(0.1, 0.9, [0.1, 0.1])).told, [], 'a car far away');
  t.same(show('car', 5, stays(0.5, 0.9, [0.9, 0.1])).told, [], 'what is no car, by its shape');
});
