import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { readBoardModel } from '#mobilenetd/platform.js';
import { createCpuMeter, createOwnCpuMeter, parseTicks } from '#mobilenetd/thermal/cpu-meter.js';
import { limitFor } from '#mobilenetd/thermal/limit.js';
import { parseMilliDegrees } from '#mobilenetd/thermal/sensor/milli-degrees.js';
import { createSensor, parseThrottled } from '#mobilenetd/thermal/sensor.js';
import { decodeThrottled } from '#mobilenetd/thermal/throttle-flags.js';

async function fakeSys(
  dir: string,
  zones: readonly (readonly [type: string, temp: string])[],
  throttled?: string,
): Promise<string> {
  for (const [i, [type, temp]] of zones.entries()) {
    const zone = join(dir, 'class/thermal', `thermal_zone${i}`);
    await mkdir(zone, { recursive: true });
    await writeFile(join(zone, 'type'), `${type}\n`);
    await writeFile(join(zone, 'temp'), temp);
  }
  if (throttled !== undefined) {
    const folder = join(dir, 'devices/platform/soc/soc:firmware');
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'get_throttled'), throttled);
  }
  return dir;
}

t.test('the processor zone is found by its type', async (t) => {
  const sysfsRoot = await fakeSys(t.testdir({}), [
    ['gpu-thermal', '90000\n'],
    ['acpitz', '30000\n'],
    ['cpu-thermal', '51121\n'],
  ]);
  const reading = await createSensor({ sysfsRoot, runVcgencmd: null }).read();
  t.equal(reading.tempC, 51.121);
  t.match(reading.source, /thermal_zone2\/temp$/);
  t.equal(reading.flags, null);
});

t.test('a configured path wins', async (t) => {
  const dir = t.testdir({ temp: '42000\n' });
  const sensor = join(dir, 'temp');
  const reading = await createSensor({ sysfsRoot: dir, sensor, runVcgencmd: null }).read();
  t.equal(reading.tempC, 42);
});

t.test('a configured type of zone is the only one that counts', async (t) => {
  const sysfsRoot = await fakeSys(t.testdir({}), [
    ['cpu-thermal', '51000\n'],
    ['board-thermal', '44000\n'],
  ]);
  const wanted = { sysfsRoot, sensor: 'board-thermal', runVcgencmd: null };
  t.equal((await createSensor(wanted).read()).tempC, 44);
  t.equal((await createSensor({ ...wanted, sensor: 'other' }).read()).tempC, null);
});

t.test('a machine without a sensor', async (t) => {
  const reading = await createSensor({ sysfsRoot: t.testdir({}), runVcgencmd: null }).read();
  t.same(reading, { tempC: null, flags: null, source: null });
});

t.test('a sensor that vanishes and comes back', async (t) => {
  const sysfsRoot = await fakeSys(t.testdir({}), [['cpu-thermal', '50000\n']]);
  const sensor = createSensor({ sysfsRoot, runVcgencmd: null });
  t.equal((await sensor.read()).tempC, 50);
  await rm(join(sysfsRoot, 'class/thermal/thermal_zone0/temp'));
  t.equal((await sensor.read()).tempC, null);
  await fakeSys(sysfsRoot, [['cpu-thermal', '55000\n']]);
  t.equal((await sensor.read()).tempC, 55);
});

/** Folders of chips below class/hwmon: name, and files such as temp1_input. */
async function fakeChips(
  sysfsRoot: string,
  chips: readonly (readonly [name: string, files: Readonly<Record<string, string>>])[],
): Promise<void> {
  for (const [i, [name, files]] of chips.entries()) {
    const chip = join(sysfsRoot, 'class/hwmon', `hwmon${i}`);
    await mkdir(chip, { recursive: true });
    await writeFile(join(chip, 'name'), `${name}\n`);
    for (const [file, text] of Object.entries(files)) await writeFile(join(chip, file), text);
  }
}

function sensorOf(sysfsRoot: string, sensor = 'auto') {
  return createSensor({ sysfsRoot, sensor, runVcgencmd: null });
}

t.test('a zone that cannot be read hides no other one', async (t) => {
  const trees: readonly (readonly (readonly [string, string])[])[] = [
    [
      ['cpu-thermal', ''],
      ['cpu-thermal', '51000'],
    ],
    [
      ['x86_pkg_temp', 'N/A'],
      ['acpitz', '51000'],
    ],
    [
      ['cpu0-thermal', '-274000'],
      ['cpu1-thermal', '51000'],
    ],
  ];
  for (const [i, zones] of trees.entries()) {
    const sysfsRoot = await fakeSys(join(t.testdir({}), String(i)), zones);
    const reading = await sensorOf(sysfsRoot).read();
    t.equal(reading.tempC, 51);
    t.match(reading.source, /thermal_zone1/);
    const sensor = zones[1]?.[0] ?? '';
    t.equal((await sensorOf(sysfsRoot, sensor).read()).tempC, 51, 'by its type as well');
  }
});

t.test('what cannot be a temperature loses against what can, and alone is no sensor', async (t) => {
  for (const [dummy, alone] of [
    ['0', null],
    ['-5000', -5],
    ['-274000', null],
    ['27800', 27.8],
    ['200000', null],
    ['52', null],
    ['-40', null],
  ] as const) {
    const of = async (zones: readonly (readonly [string, string])[]) =>
      (await sensorOf(await fakeSys(join(t.testdir({}), `${dummy}-${zones.length}`), zones)).read())
        .tempC;
    t.equal(
      await of([
        ['acpitz', dummy],
        ['acpitz', '51000'],
      ]),
      51,
      `two of a kind, ${dummy}`,
    );
    const better = dummy === '27800' ? 'acpitz' : 'x86_pkg_temp';
    t.equal(
      await of([
        [better, dummy],
        ['cpu-thermal', dummy],
        ['acpitz', '51000'],
      ]),
      dummy === '27800' ? 27.8 : 51,
      `a better kind, ${dummy}`,
    );
    t.equal(await of([[better, dummy]]), alone, `alone, ${dummy}`);
  }
});

t.test('a zone that stands still while another one moves loses to it', async (t) => {
  const sysfsRoot = await fakeSys(t.testdir({}), [
    ['cpu-thermal', '45000'],
    ['acpitz', '60000'],
  ]);
  const temp = join(sysfsRoot, 'class/thermal/thermal_zone1/temp');
  const sensor = sensorOf(sysfsRoot);
  t.equal((await sensor.read()).tempC, 45, 'nothing tells yet');
  for (let s = 0; s < 300; s += 1) {
    await writeFile(temp, String(60_000 + 100 * (s % 60)));
    await sensor.read();
  }
  const { source } = await sensor.read();
  t.match(source, /thermal_zone1/);
  const first = join(sysfsRoot, 'class/thermal/thermal_zone0/temp');
  for (let s = 0; s < 120; s += 1) {
    await writeFile(first, String(45_000 + 100 * (s % 60)));
    await sensor.read();
  }
  t.match((await sensor.read()).source, /thermal_zone0/, 'and is taken back when it moves');
});

t.test('of two acpitz the constant is left, hot or cold', async (t) => {
  for (const constant of ['27800', '90000']) {
    const sysfsRoot = await fakeSys(join(t.testdir({}), constant), [
      ['acpitz', constant],
      ['acpitz', '50000'],
    ]);
    const temp = join(sysfsRoot, 'class/thermal/thermal_zone1/temp');
    const sensor = sensorOf(sysfsRoot);
    for (let s = 0; s < 300; s += 1) {
      await writeFile(temp, String(50_000 + 1000 * (s % 7)));
      await sensor.read();
    }
    await writeFile(temp, '53000');
    t.equal((await sensor.read()).tempC, 53, constant);
  }
});

t.test('the hottest of several of one kind', async (t) => {
  const cores = await fakeSys(t.testdir({}), [
    ['cpu0-thermal', '48000'],
    ['cpu1-thermal', '61500'],
    ['cpu2-thermal', '50000'],
    ['cpu3-thermal', 'broken'],
    ['gpu-thermal', '80000'],
  ]);
  t.equal((await sensorOf(cores).read()).tempC, 61.5);
  const clusters = await fakeSys(join(t.testdir({}), 'rk'), [
    ['soc-thermal', '48000'],
    ['bigcore0-thermal', '66000'],
    ['littlecore-thermal', '50000'],
    ['npu-thermal', '90000'],
  ]);
  t.equal((await sensorOf(clusters).read()).tempC, 66);
  const pc = await fakeSys(join(t.testdir({}), 'pc'), [
    ['x86_pkg_temp', '60000'],
    ['acpitz', '27800'],
  ]);
  await fakeChips(pc, [
    ['nvme', { temp1_input: '70000' }],
    ['coretemp', { temp1_input: '60000', temp2_input: '58000', temp3_input: '64000' }],
  ]);
  t.equal((await sensorOf(pc).read()).tempC, 64);
});

t.test('chips where there is no zone', async (t) => {
  const amd = join(t.testdir({}), 'amd');
  await fakeChips(amd, [
    ['amdgpu', { temp1_input: '80000' }],
    [
      'k10temp',
      {
        temp1_input: '77000',
        temp1_label: 'Tctl',
        temp2_input: '50000',
        temp2_label: 'Tdie',
      },
    ],
  ]);
  t.equal((await sensorOf(amd).read()).tempC, 50, 'Tctl is shifted by a constant');
  const pi = join(t.testdir({}), 'pi');
  await fakeChips(pi, [['cpu_thermal', { temp1_input: '51121' }]]);
  t.equal((await sensorOf(pi).read()).tempC, 51.121);
  t.equal((await sensorOf(pi, 'cpu-thermal').read()).tempC, 51.121, 'by either spelling');
});

t.test('a moment of silence is no reason to go to another kind', async (t) => {
  const sysfsRoot = await fakeSys(t.testdir({}), [
    ['cpu-thermal', '51000'],
    ['acpitz', '40000'],
  ]);
  const temp = join(sysfsRoot, 'class/thermal/thermal_zone0/temp');
  const sensor = sensorOf(sysfsRoot);
  t.equal((await sensor.read()).tempC, 51);
  await rm(temp);
  for (let s = 0; s < 5; s += 1) t.equal((await sensor.read()).tempC, null);
  t.equal((await sensor.read()).tempC, 40, 'a long one is');
});

t.test('nonsense of a sensor that used to work is passed on, to be judged', async (t) => {
  const sysfsRoot = await fakeSys(t.testdir({}), [['cpu-thermal', '51000']]);
  const sensor = sensorOf(sysfsRoot);
  t.equal((await sensor.read()).tempC, 51);
  await writeFile(join(sysfsRoot, 'class/thermal/thermal_zone0/temp'), '-274000');
  t.equal((await sensor.read()).tempC, -274);
});

t.test('throttle flags come from sysfs, else from vcgencmd', async (t) => {
  const withFile = await fakeSys(t.testdir({}), [], '50005\n');
  t.equal((await createSensor({ sysfsRoot: withFile, runVcgencmd: null }).read()).flags, 0x50005);
  const empty = t.testdir({});
  let calls = 0;
  const asked = createSensor({
    sysfsRoot: empty,
    runVcgencmd: async () => {
      calls += 1;
      return 'throttled=0x80008\n';
    },
  });
  t.equal((await asked.read()).flags, 0x80008);
  const absent = createSensor({
    sysfsRoot: empty,
    runVcgencmd: async () => {
      calls += 1;
      throw new Error('ENOENT');
    },
  });
  calls = 0;
  for (let i = 0; i < 5; i += 1) t.equal((await absent.read()).flags, null);
  t.equal(calls, 1, 'a missing program is looked for once');
});

t.test('numbers', async (t) => {
  t.equal(parseMilliDegrees('-5000\n'), -5);
  for (const bad of ['', 'abc', '1.5', '99999999', 'NaN', '0x10']) {
    t.equal(parseMilliDegrees(bad), null, bad);
  }
  t.equal(parseThrottled('0'), 0);
  t.equal(parseThrottled('throttled=0x4\n'), 4);
  t.equal(parseThrottled('error=1'), null);
});

t.test('flags: only current heat acts', async (t) => {
  t.same(decodeThrottled(0xf0000), { heat: false, soft: false, undervoltage: false });
  t.same(decodeThrottled(0x50005), { heat: false, soft: false, undervoltage: true });
  t.same(decodeThrottled(0b0011), { heat: false, soft: false, undervoltage: true });
  t.same(decodeThrottled(0b0100), { heat: true, soft: false, undervoltage: false });
  t.same(decodeThrottled(0b0010), { heat: true, soft: false, undervoltage: false });
  t.same(decodeThrottled(0b1001), { heat: true, soft: true, undervoltage: true });
  for (const bad of [null, undefined, Number.NaN, -1, 1.5]) {
    t.same(decodeThrottled(bad), { heat: false, soft: false, undervoltage: false });
  }
});

t.test('CPU utilisation', async (t) => {
  const texts = [
    'cpu  100 0 100 800 0 0 0 0 0 0\ncpu0 1 2 3\n',
    'cpu  150 0 100 850 0 0 0 0 0 0\n',
    'cpu  150 0 100 850 0 0 0 0 0 0\n',
    'garbage',
  ];
  const meter = createCpuMeter('/proc', async () => texts.shift() ?? '');
  t.equal(await meter.read(), null, 'nothing to compare with');
  t.equal(await meter.read(), 0.5);
  t.equal(await meter.read(), null, 'no time has passed');
  t.equal(await meter.read(), null, 'unreadable');
  t.equal(parseTicks('cpu  1 2'), null);
  t.same(parseTicks('cpu  10 0 10 70 10 0 0 0 5 0'), { busy: 20, total: 100 }, 'iowait is idle');
});

t.test('limits', async (t) => {
  t.equal(limitFor('Raspberry Pi 4 Model B Rev 1.4', 'auto', 1.5).limitC, 80);
  t.equal(limitFor('Raspberry Pi 3 Model B Plus Rev 1.3', 'auto', 1.5).limitC, 60);
  t.equal(limitFor('Raspberry Pi 3 Model A Plus Rev 1.0', 'auto', 1.5).limitC, 60);
  t.equal(limitFor('Raspberry Pi 3 Model B Rev 1.2', 'auto', 1.5).limitC, 80);
  t.equal(limitFor(null, 'auto', 1.5).limitC, 80);
  t.equal(limitFor('Raspberry Pi 3 Model B Plus', 70, 1.5).limitC, 70, 'the user knows');
  t.throws(() => limitFor(null, 45, 10), { code: 'MND_CONFIG_INVALID' });
  t.throws(() => limitFor(null, Number.NaN, 1), { code: 'MND_CONFIG_INVALID' });
  const procRoot = t.testdir({ 'device-tree': { model: 'Raspberry Pi 5 Model B Rev 1.0\0' } });
  t.equal(readBoardModel(procRoot), 'Raspberry Pi 5 Model B Rev 1.0');
  t.equal(readBoardModel(t.testdir({})), null);
});

t.test('what this process takes of all cores', async (t) => {
  let nowMs = 0;
  let user = 0;
  const meter = createOwnCpuMeter(
    4,
    () => ({ user, system: 0 }),
    () => nowMs,
  );
  t.equal(meter.read(), null);
  t.equal(meter.read(), null, 'no time has passed');
  nowMs += 1000;
  user += 2_000_000;
  t.equal(meter.read(), 0.5, 'two of four cores');
  nowMs += 1000;
  t.equal(meter.read(), 0);
});
