import t from 'tap';
import type { Log } from '#mobilenetd/daemon/diagnostics/log.js';
import type { Actuators } from '#mobilenetd/daemon/governor/actuators.js';
import type { GovernorHistory } from '#mobilenetd/daemon/governor/history.js';
import type { GovernorInputs } from '#mobilenetd/daemon/governor/inputs.js';
import { GovernorLoop } from '#mobilenetd/daemon/governor/loop.js';
import type { Decision, Governor } from '#mobilenetd/thermal/governor.js';
import type { SensorFault } from '#mobilenetd/thermal/sample.js';
import { createFakeClock } from '../../fake-clock.js';

function decisionOf(fault: SensorFault | null): Decision {
  return {
    rung: 0,
    fps: 1,
    mix: { low: 0, high: 0, fraction: 0 },
    ways: { low: 0, high: 0 },
    reason: 'because',
    mode: fault === null ? 'full' : 'fault',
    fault,
    budget: 1,
    targetC: 78,
    temperatureC: 45,
    headroomC: 35,
    headroomBudget: 0,
    undervoltage: false,
    savesEnergy: false,
    reliesOn: 'sensor',
    board: { gainC: [], timeConstantsS: [], gainErrorC: 0, foreignRatio: 1, knobs: {} },
  };
}

t.test('a sensor that is not believed is logged once, and so is its return', async (t) => {
  const lines: string[] = [];
  const write = (level: string) => (first: unknown, text?: string) => {
    lines.push(`${level} ${text ?? String(first)}`);
  };
  let fault: SensorFault | null = null;
  const clock = createFakeClock();
  const loop = new GovernorLoop(
    { rungs: [], limitC: 80, simulated: null, speed: 50 },
    {
      law: { decide: () => decisionOf(fault) } as unknown as Governor,
      inputs: {
        sample: async () => ({ requestedFps: 0, timeS: 0 }),
        use: () => 0,
        energy: () => null,
      } as unknown as GovernorInputs,
      actuators: { coolCameras: () => {} } as unknown as Actuators,
      history: {} as GovernorHistory,
      clock,
      log: { info: write('info'), warn: write('warn') } as unknown as Log,
      onChange: () => {},
    },
  );
  t.teardown(() => loop.stop());
  const seconds = (count: number) => clock.advance(count * 20);
  const until = async (count: number) => {
    while (lines.length < count) await seconds(1);
    await seconds(5);
    t.equal(lines.length, count, 'and no more');
  };
  await seconds(3);
  t.same(lines, []);
  fault = 'unresponsive';
  await until(1);
  t.match(
    lines[0],
    /^warn governor: the temperature sensor has not answered .*none.*governor\.sensor/,
  );
  fault = null;
  await until(2);
  t.match(lines[1], /^info governor: the temperature sensor is believed again: 45\.0 °C/);
  fault = 'frozen';
  await until(3);
  t.match(lines[2], /^warn governor: the temperature sensor is frozen/);
});
