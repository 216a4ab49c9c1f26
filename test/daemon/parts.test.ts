import t from 'tap';
import { PARTS } from '#mobilenetd/daemon/parts.js';

t.test('every part comes after what it needs, and is named once', async (t) => {
  const before = new Set<string>();
  for (const { name, needs } of PARTS) {
    for (const needed of needs) t.ok(before.has(needed), `${name} needs ${needed}`);
    t.notOk(before.has(name), `${name} is there once`);
    before.add(name);
  }
});

t.test('a part that is exchanged takes along all that keep it', async (t) => {
  const exchanged = new Set(
    PARTS.filter((part) => part.change === null && part.keys.length > 0).map(({ name }) => name),
  );
  for (const { name, needs, follows } of PARTS) {
    // They ask the context for the governor every time.
    if (['profiling', 'secondNetwork'].includes(name)) continue;
    for (const needed of needs) {
      if (exchanged.has(needed)) t.ok(follows.includes(needed), `${name} follows ${needed}`);
    }
    for (const followed of follows) t.ok(needs.includes(followed), `${name} needs ${followed}`);
  }
});
