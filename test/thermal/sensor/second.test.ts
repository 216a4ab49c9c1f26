import t from 'tap';
import { createSecondReader } from '#mobilenetd/thermal/sensor/second.js';
import { SYSTEM_TREE, type Tree } from '#mobilenetd/thermal/sensor/tree.js';

const chip = (name: string, temp: string) => ({ name: `${name}\n`, temp1_input: temp });

t.test('the nearest sensor that is not the processor’s', async (t) => {
  const root = t.testdir({
    class: {
      hwmon: {
        hwmon0: chip('cpu_thermal', '61000\n'),
        hwmon1: chip('nvme', '44850\n'),
        hwmon2: chip('rp1_adc', '52000\n'),
        hwmon3: chip('rpi_volt', '1\n'),
      },
      thermal: { thermal_zone0: { type: 'cpu-thermal\n', temp: '61200\n' } },
    },
  });
  t.equal(await createSecondReader(root, SYSTEM_TREE)(), 52);
});

t.test('the processor’s own sensors are no second one', async (t) => {
  const root = t.testdir({
    class: {
      hwmon: { hwmon0: chip('cpu_thermal', '61000\n') },
      thermal: {
        thermal_zone0: { type: 'cpu-thermal\n', temp: '61200\n' },
        thermal_zone1: { type: 'acpitz\n', temp: '40000\n' },
      },
    },
  });
  t.equal(await createSecondReader(root, SYSTEM_TREE)(), null);
});

t.test('what reads nonsense is passed over; what falls silent is replaced', async (t) => {
  const texts = new Map([
    ['/class/hwmon/hwmon0/name', 'rp1_adc'],
    ['/class/hwmon/hwmon0/temp1_input', '0'],
    ['/class/hwmon/hwmon1/name', 'nvme'],
    ['/class/hwmon/hwmon1/temp1_input', '41000'],
    ['/class/hwmon/hwmon2/name', 'ath10k_hwmon_phy0'],
    ['/class/hwmon/hwmon2/temp1_input', '39000'],
  ]);
  const tree: Tree = {
    readText: async (path) => {
      const text = texts.get(path);
      if (text === undefined) throw new Error(path);
      return text;
    },
    listNames: async (path) => {
      const below = [...texts.keys()].filter((file) => file.startsWith(`${path}/`));
      return [...new Set(below.map((file) => file.slice(path.length + 1).split('/')[0] ?? ''))];
    },
  };
  const read = createSecondReader('/', tree);
  t.equal(await read(), 41, 'exactly 0 is what a dead sensor reads');
  texts.delete('/class/hwmon/hwmon1/temp1_input');
  for (let i = 0; i < 30; i += 1) t.equal(await read(), null);
  t.equal(await read(), 39, 'after half a minute of silence');
});

t.test('where there is none it is not looked for every second', async (t) => {
  let looks = 0;
  const tree: Tree = {
    readText: () => Promise.reject(new Error('none')),
    listNames: async () => {
      looks += 1;
      return [];
    },
  };
  const read = createSecondReader('/', tree);
  for (let i = 0; i < 100; i += 1) t.equal(await read(), null);
  t.equal(looks, 2, 'chips and zones, once');
});
