import t from 'tap';
import { parse } from 'yaml';
import { Draft } from '#mobilenetd/cli/setup/draft.js';

const OWN = `# mine
node: old   # of the porch

# cameras of the house
cameras:
  front: # by the door
    source: v4l2
    size: [640, 480]
    mask: [ # the neighbours
      [[0, 0], [10, 0], [10, 10]],
    ]
# the end
secret: !secret broker
`;

t.test('comments, order and keys that nobody asked about stay', async (t) => {
  const draft = new Draft(OWN);
  draft.set(['node'], 'new', 'not written: the key is there');
  const lines = draft.text().split('\n');
  t.match(lines[0], '# mine');
  t.match(lines[1], /^node: new +# of the porch$/);
  for (const comment of [
    '# cameras of the house',
    '# by the door',
    '# the neighbours',
    '# the end',
  ]) {
    t.match(draft.text(), comment);
  }
  t.match(draft.text(), 'size: [640, 480]');
  t.match(draft.text(), 'secret: !secret broker');
  t.notMatch(draft.text(), 'not written');
  t.same(draft.changed, ['node']);
});

t.test('what is not changed is the file as it was, byte by byte', async (t) => {
  const draft = new Draft(OWN);
  draft.set(['node'], 'old');
  draft.set(['cameras', 'front', 'size'], [640, 480]);
  draft.remove(['mqtt', 'url']);
  t.equal(draft.text(), OWN);
  t.same(draft.changed, []);
});

t.test('new keys come with a comment, new sections after an empty line', async (t) => {
  const draft = new Draft(OWN);
  draft.set(['mqtt', 'url'], 'mqtt://192.0.2.1', 'The broker.\nOf the house.');
  draft.set(['cameras', 'front', 'labels'], ['person', 'cat']);
  t.match(draft.text(), '\n\nmqtt:\n  # The broker.\n  # Of the house.\n  url: mqtt://192.0.2.1\n');
  t.match(draft.text(), '    labels: [person, cat]\n');
});

t.test(
  'empty files, files of comments and sections without keys are places to write',
  async (t) => {
    for (const text of [
      null,
      '',
      '# mine\n',
      '---\n',
      'cameras:\n',
      'cameras: # mine\n',
      'cameras: null\n',
    ]) {
      const draft = new Draft(text);
      draft.set(['cameras', 'front', 'source'], 'libcamera');
      const written = draft.text();
      t.same(parse(written).cameras, { front: { source: 'libcamera' } }, JSON.stringify(text));
      if (text?.includes('mine')) t.match(written, '# mine', JSON.stringify(text));
    }
  },
);

t.test('sections in braces are written in', async (t) => {
  const draft = new Draft('mqtt: { url: mqtt://a, username: b } # mine\n');
  draft.set(['mqtt', 'url'], 'mqtt://c', 'has no place in braces');
  t.equal(draft.text(), 'mqtt: { url: mqtt://c, username: b } # mine\n');
});

t.test('anchors stay; what is an alias is not written through', async (t) => {
  const text = 'a: &a { source: demo }\ncameras:\n  front: *a\n  back: { <<: *a, fps: 2 }\n';
  const draft = new Draft(text);
  draft.set(['cameras', 'back', 'fps'], 3);
  t.match(draft.text(), 'back: { <<: *a, fps: 3 }');
  t.throws(() => draft.set(['cameras', 'front', 'fps'], 3), /MND_CONFIG_INVALID|alias/);
});

t.test('lists keep the way in which they are written', async (t) => {
  const spaced = new Draft('a: [ 1, 2 ]\nnode: x\n');
  spaced.set(['node'], 'y');
  t.match(spaced.text(), 'a: [ 1, 2 ]');
  const quoted = new Draft('a: ["[ b ]", c]\nnode: x\n');
  quoted.set(['node'], 'y');
  t.same(parse(quoted.text()).a, ['[ b ]', 'c']);
});
