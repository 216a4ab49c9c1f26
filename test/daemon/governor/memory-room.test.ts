import t from 'tap';
import { memoryRoom } from '#mobilenetd/daemon/governor/memory-room.js';

/** Reads from a table of files, as from a kernel that has no others. */
const room = (files: Readonly<Record<string, string>>) =>
  memoryRoom((file) => {
    const text = files[file];
    if (text === undefined) throw new Error(`ENOENT ${file}`);
    return text;
  });

const V1 = '/sys/fs/cgroup/memory';
const V2 = '/sys/fs/cgroup';

t.test('what the kernel lets the process have, by every way it says so', async (t) => {
  const meminfo = 'MemTotal: 4000000 kB\nMemAvailable:    2000000 kB\n';
  const unit = '/system.slice/mobilenetd.service';
  const unlimited = '9223372036854771712\n';
  for (const [what, files, expected] of [
    ['nothing is known', {}, null],
    ['the machine', { '/proc/meminfo': meminfo }, 2_048_000_000],
    [
      'a unit, version 2',
      {
        '/proc/meminfo': meminfo,
        '/proc/self/cgroup': `0::${unit}\n`,
        [`${V2}${unit}/memory.max`]: '600000000\n',
        [`${V2}${unit}/memory.current`]: '250000000\n',
        [`${V2}${unit}/memory.stat`]: 'anon 1\ninactive_file 10000000\n',
        [`${V2}/system.slice/memory.max`]: 'max\n',
        [`${V2}/system.slice/memory.current`]: '900000000\n',
      },
      360_000_000,
    ],
    [
      'a unit, version 1',
      {
        '/proc/meminfo': meminfo,
        '/proc/self/cgroup': `9:name=systemd:${unit}\n4:memory:${unit}\n0::${unit}\n`,
        [`${V1}${unit}/memory.limit_in_bytes`]: '600000000\n',
        [`${V1}${unit}/memory.usage_in_bytes`]: '590000000\n',
        [`${V1}${unit}/memory.stat`]: 'inactive_file 3\ntotal_inactive_file 40000000\n',
        [`${V1}/memory.limit_in_bytes`]: unlimited,
        [`${V1}/memory.usage_in_bytes`]: '700000000\n',
      },
      50_000_000,
    ],
    [
      'a limit above the group',
      {
        '/proc/self/cgroup': '0::/pod/container\n',
        [`${V2}/pod/container/memory.max`]: 'max\n',
        [`${V2}/pod/container/memory.current`]: '1\n',
        [`${V2}/pod/memory.max`]: '100\n',
        [`${V2}/pod/memory.current`]: '120\n',
      },
      0,
    ],
    [
      'a container that sees its own group as the root',
      {
        '/proc/self/cgroup': '0::/\n',
        [`${V2}/memory.max`]: '500\n',
        [`${V2}/memory.current`]: '100\n',
      },
      400,
    ],
  ] as const) {
    t.equal(room(files), expected, what);
  }
});

t.test('this machine', async (t) => {
  const found = memoryRoom();
  t.ok(found === null || (Number.isSafeInteger(found) && found >= 0), String(found));
});
