import t from 'tap';
import { describeUnknownLabel, unknownLabels } from '#mobilenetd/config/check/labels.js';
import { loadConfig } from '#mobilenetd/config/load.js';

const MODEL = new Set(['person', 'cat', 'dog', 'coffee mug']);

function unknownIn(flags: Readonly<Record<string, unknown>>) {
  const { config } = loadConfig({
    env: { MOBILENETD_STATE: '/state' },
    systemFile: '/nonexistent/config.yaml',
    boardModel: null,
    flags: { cameras: { front: { source: 'demo' } }, ...flags },
  });
  return unknownLabels(config, MODEL).map(describeUnknownLabel);
}

t.test('labels that the model cannot say are named wherever they stand', async (t) => {
  const camera = (labels: readonly string[]) => ({ front: { source: 'demo', labels } });
  t.same(unknownIn({ cameras: camera(['persn', 'cat']) }), [
    'cameras.front.labels: "persn" is no label of the model (did you mean person?)',
  ]);
  const area = [
    [0, 0],
    [1, 0],
    [1, 1],
  ];
  const zones = { porch: { area, labels: ['cat', 'persn'] }, yard: { area } };
  t.same(unknownIn({ cameras: { front: { source: 'demo', zones } } }), [
    'cameras.front.zones.porch.labels: "persn" is no label of the model (did you mean person?)',
  ]);
  t.same(
    unknownIn({ cameras: { front: { source: 'demo', objects: { dogg: { min_area: 9 } } } } }),
    ['cameras.front.objects: "dogg" is no label of the model (did you mean dog?)'],
  );
  t.same(unknownIn({ 'presence.labels': { doq: { enter: 0.5 } } }), [
    'presence.labels: "doq" is no label of the model (did you mean dog?)',
  ]);
  t.same(unknownIn({ 'presence.groups': { pets: ['cat', 'dgo'] } }), [
    'presence.groups.pets: "dgo" is no label of the model (did you mean dog?)',
  ]);
  t.same(unknownIn({ 'homeassistant.labels': ['cofee mug', 'submarine'] }), [
    'homeassistant.labels: "cofee mug" is no label of the model (did you mean coffee mug?)',
    'homeassistant.labels: "submarine" is no label of the model',
  ]);
});

t.test('groups are labels too, but not of each other', async (t) => {
  const groups = { pets: ['cat', 'dog'] };
  t.same(
    unknownIn({
      cameras: { front: { source: 'demo', labels: ['pets', 'person'] } },
      'presence.groups': groups,
      'homeassistant.labels': ['pets'],
    }),
    [],
  );
  t.same(unknownIn({ 'presence.groups': { ...groups, all: ['pets', 'person'] } }), [
    'presence.groups.all: "pets" is no label of the model',
  ]);
});
