import t from 'tap';
import {
  checkCameraNames,
  checkLabelNames,
  createTopics,
  matchesFilter,
  topicSafe,
} from '#mobilenetd/mqtt/topics.js';

t.test('names become one level of a topic', async (t) => {
  const names: Record<string, string> = {
    person: 'person',
    'coffee mug': 'coffee_mug',
    'tabby, tabby cat': 'tabby',
    'Granny Smith': 'Granny_Smith',
    'a/b': 'a_b',
    'a+b#c': 'a_b_c',
    $SYS: 'SYS',
    ' padded ': 'padded',
    'jack-o’-lantern': 'jack-o’-lantern',
    café: 'café',
    犬: '犬',
    'nul\u0000l': 'nul_l',
    'lone\ud800surrogate': 'lone_surrogate',
    'zero\u200bwidth': 'zero_width',
    '#': 'x23',
    '': 'x',
  };
  for (const [name, level] of Object.entries(names)) t.equal(topicSafe(name), level, name);
  const long = topicSafe('犬'.repeat(500));
  t.ok(Buffer.byteLength(long) <= 200);
  t.match(long, /^犬+$/, 'cut between characters');
});

t.test('the topics of the table', async (t) => {
  const topics = createTopics({ base: 'home/cameras', node: 'porch' });
  t.equal(topics.root, 'home/cameras/porch');
  t.equal(topics.state, 'home/cameras/porch/state');
  t.equal(topics.pinSet, 'home/cameras/porch/governor/pin/set');
  t.equal(topics.request('health'), 'home/cameras/porch/request/health');
  const front = topics.camera('front');
  t.equal(front.presence('coffee mug'), 'home/cameras/porch/front/coffee_mug');
  t.equal(front.attributes('cat'), 'home/cameras/porch/front/cat/attributes');
  t.equal(front.detectSet, 'home/cameras/porch/front/detect/set');
  t.equal(topics.camera('front'), front);
});

t.test('a base or node that is no topic is refused', async (t) => {
  const bad = ['', 'a//b', '/a', 'a/', 'a+', '#', '$SYS/a', 'a\u0000', 'x'.repeat(201)];
  for (const base of bad) {
    t.throws(() => createTopics({ base, node: 'n' }), { code: 'MND_MQTT_TOPIC', exitCode: 78 });
  }
  for (const node of ['', 'a/b', '+', 'x#']) {
    t.throws(() => createTopics({ base: 'b', node }), { code: 'MND_MQTT_TOPIC' }, node);
  }
});

t.test('cameras and labels that would collide are refused with the reason', async (t) => {
  t.doesNotThrow(() => checkCameraNames(['front', 'back', 'label']));
  t.throws(() => checkCameraNames(['governor']), { code: 'MND_MQTT_TOPIC', message: /governor/ });
  t.throws(() => checkCameraNames(['a b', 'a_b']), { message: /that of "a b"/ });
  t.doesNotThrow(() => checkLabelNames(['person', 'state', 'person']));
  t.throws(() => checkLabelNames(['events']), { message: /another meaning/ });
  t.throws(() => checkLabelNames(['crane, bird', 'crane, machine']), { message: /"crane"/ });
});

t.test('filters match as MQTT 4.7 says', async (t) => {
  const cases: [string, string, boolean][] = [
    ['a/b', 'a/b', true],
    ['a/+', 'a/b', true],
    ['a/+', 'a/b/c', false],
    ['a/+', 'a', false],
    ['a/#', 'a', true],
    ['a/#', 'a/b/c', true],
    ['#', 'a/b', true],
    ['#', '$SYS/a', false],
    ['+/a', '$SYS/a', false],
    ['$SYS/#', '$SYS/a', true],
    ['+/+', '/a', true],
    ['+', 'a/', false],
    ['a/+/c', 'a//c', true],
    ['a', 'b', false],
    ['a/b/c', 'a/b', false],
  ];
  for (const [filter, topic, expected] of cases) {
    t.equal(matchesFilter(filter, topic), expected, `${filter} ${topic}`);
  }
});
