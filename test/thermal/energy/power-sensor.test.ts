import t from 'tap';
import { findPowerSensor } from '#mobilenetd/thermal/energy/power-sensor.js';

function treeOf(files: Record<string, string>) {
  return {
    async readText(path: string) {
      const text = files[path];
      if (text === undefined) throw new Error(`ENOENT ${path}`);
      return text;
    },
    async listNames(folder: string) {
      const inside = Object.keys(files).filter((path) => path.startsWith(`${folder}/`));
      if (inside.length === 0) throw new Error(`ENOENT ${folder}`);
      return [...new Set(inside.map((path) => path.slice(folder.length + 1).split('/')[0] ?? ''))];
    },
  };
}

t.test('the first chip that measures power is read, in watts', async (t) => {
  const files: Record<string, string> = {
    '/sys/class/hwmon/hwmon10/power1_input': '1\n',
    '/sys/class/hwmon/hwmon0/temp1_input': '50000\n',
    '/sys/class/hwmon/hwmon2/power1_input': '4210000\n',
  };
  const read = await findPowerSensor('/sys', null, treeOf(files));
  t.equal(await read?.(), 4.21);
  for (const nonsense of ['', 'n/a', '-5', '1e12']) {
    files['/sys/class/hwmon/hwmon2/power1_input'] = nonsense;
    t.equal(await read?.(), null, nonsense);
  }
  delete files['/sys/class/hwmon/hwmon2/power1_input'];
  t.equal(await read?.(), null, 'unplugged');
});

t.test('a file that is named is the sensor; without any there is none', async (t) => {
  const read = await findPowerSensor('/sys', '/run/power', treeOf({ '/run/power': '2500000' }));
  t.equal(await read?.(), 2.5);
  t.equal(await findPowerSensor('/sys', null, treeOf({})), null);
});
