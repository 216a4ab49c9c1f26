import { join } from 'node:path';
import t from 'tap';
import { createClockReader, parseMeasuredClock } from '#mobilenetd/thermal/sensor/clock.js';
import { SYSTEM_TREE } from '#mobilenetd/thermal/sensor/tree.js';

const policy = (now: string, most: string, cooled = most) => ({
  scaling_cur_freq: now,
  scaling_max_freq: cooled,
  cpuinfo_max_freq: most,
});
const sysOf = (policies: Record<string, string | ReturnType<typeof policy>>) => ({
  devices: { system: { cpu: { cpufreq: policies } } },
});

t.test('all clusters, relative to what they can have', async (t) => {
  const root = t.testdir(
    sysOf({
      policy0: policy('1800000\n', '1800000\n'),
      policy4: policy('1200000\n', '2400000\n', '1200000\n'),
      boost: '0\n',
    }),
  );
  t.equal(await createClockReader(root, SYSTEM_TREE, null)(), 0.75, 'a cooled cluster shows');
});

t.test('what cannot be read is unknown', async (t) => {
  const root = t.testdir(
    sysOf({ policy0: policy('1800000', '1800000'), policy4: policy('junk', '2400000') }),
  );
  t.equal(await createClockReader(root, SYSTEM_TREE, null)(), null, 'half of it says nothing');
  const none = createClockReader(join(root, 'nowhere'), SYSTEM_TREE, null);
  t.equal(await none(), null);
});

t.test('without cpufreq the firmware is asked, and a missing program once', async (t) => {
  const root = t.testdir({});
  const answers = ['frequency(48)=1500000000', 'frequency(48)=1200000000\n', 'error=1'];
  const read = createClockReader(root, SYSTEM_TREE, async () => answers.shift() ?? '');
  t.same([await read(), await read(), await read()], [1, 0.8, null]);
  let asked = 0;
  const missing = createClockReader(root, SYSTEM_TREE, () => {
    asked += 1;
    return Promise.reject(new Error('ENOENT'));
  });
  t.same([await missing(), await missing()], [null, null]);
  t.equal(asked, 1);
});

t.test('answers', (t) => {
  t.equal(parseMeasuredClock('frequency(0)=600169920\n'), 600_169_920);
  for (const text of ['', 'frequency(48)=0', 'frequency(48)=-1', 'frequency=1', 'x'])
    t.equal(parseMeasuredClock(text), null);
  t.end();
});
