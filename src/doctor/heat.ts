import { messageOf } from '../errors.js';
import { readBoardModel } from '../platform.js';
import { limitFor } from '../thermal/limit.js';
import { createSensor, type ZoneFinding } from '../thermal/sensor.js';
import { type Finding, findings } from './finding.js';
import type { CheckInput, Surroundings } from './surroundings.js';

const { ok, info, warn, fail } = findings('heat');
const power = findings('power');

const VCGENCMD_MS = 1000;
/** Bits of `get_throttled`; 16 higher the same since the board was switched on. */
const UNDER_VOLTAGE = 0;
const CAPPED = 1;
const THROTTLED = 2;
const SOFT_LIMIT = 3;
const SINCE_BOOT = 16;
const SUPPLY =
  'use the power supply made for the board (5 V 3 A for a Pi 4, 5 V 5 A for a Pi 5) and a short thick cable; take hungry USB devices off';

/** The temperature sensor, what the firmware says of heat, and what it says of power. */
export async function checkHeat({ around, config }: CheckInput): Promise<Finding[]> {
  const sensor = createSensor({
    sysfsRoot:
      config?.governor.sysfs_root === '/sys'
        ? around.sys
        : (config?.governor.sysfs_root ?? around.sys),
    ...(config !== null && config !== undefined && { sensor: config.governor.sensor }),
    runVcgencmd: () => vcgencmd(around),
  });
  const zones = await sensor.survey();
  const { tempC, source, flags } = await sensor.read();
  const zone = zones.find(({ path }) => path === source);
  const model = readBoardModel(around.proc);
  return [
    tempC === null
      ? noTemperature(zones, config)
      : temperature({ tempC, doubt: zone?.doubt ?? null }, model, config),
    ...(flags === null ? [noFlags(model)] : [...heatFlags(flags), ...powerFlags(flags)]),
  ];
}

async function vcgencmd({ runProgram }: Surroundings): Promise<string> {
  const { status, stdout } = await runProgram('vcgencmd', ['get_throttled'], VCGENCMD_MS);
  if (status !== 0) throw new Error('vcgencmd does not answer');
  return stdout;
}

/** No sensor, or none that can be believed: each of those is named with what it says. */
function noTemperature(zones: readonly ZoneFinding[], config: CheckInput['config']): Finding {
  const wanted = config?.governor.enabled === true;
  const seen = zones.map(describeZone).join('; ');
  const found =
    seen === ''
      ? 'no processor temperature in /sys/class/thermal or /sys/class/hwmon'
      : `no processor temperature that can be believed: ${seen}`;
  return (wanted ? fail : warn)('sensor', found, {
    means: wanted
      ? 'governor.enabled is true, and it has nothing to go by'
      : 'the governor stays off, so nothing keeps this machine from getting too hot',
    next:
      seen === ''
        ? 'in a container, pass /sys in; on another board, see whether its kernel has a thermal driver'
        : 'governor.sensor names another zone’s type or a file, if this machine has a better one',
  });
}

function describeZone({ type, tempC, doubt }: ZoneFinding): string {
  const value = tempC === null ? '' : ` ${tempC.toFixed(1)} °C`;
  return `${type}${value}${doubt === null ? '' : ` (${doubt})`}`;
}

function temperature(
  { tempC, doubt }: { readonly tempC: number; readonly doubt: string | null },
  model: string | null,
  config: CheckInput['config'],
): Finding {
  const found = `${tempC.toFixed(1)} °C`;
  let limit: number;
  try {
    const { limit: configured = 'auto', margin = 0 } = config?.governor ?? {};
    limit = limitFor(model, configured, margin).limitC;
  } catch (error) {
    return fail('limit', messageOf(error), { means: 'the governor does not start with it' });
  }
  if (doubt !== null) {
    return warn('sensor', `${found}: ${doubt}`, {
      means: 'if it does not change with the load, the governor will treat it as no sensor',
      next: 'look again after a minute of load; governor.sensor names another zone’s type or a file',
    });
  }
  if (tempC < limit) return ok('sensor', found);
  return warn('sensor', `${found}, and the limit is ${limit} °C`, {
    means: 'the board is too hot before the daemon has done anything',
    next: 'a heat sink, a fan or a cooler place; docs/governor.md',
  });
}

function noFlags(model: string | null): Finding {
  const means = 'under-voltage and throttling cannot be told from other causes';
  return /^Raspberry Pi/.test(model ?? '')
    ? warn('throttling', 'neither sysfs nor vcgencmd has the firmware’s flags', {
        means,
        next: 'sudo usermod -aG video USER lets a user ask vcgencmd (it needs /dev/vcio)',
      })
    : info('throttling', 'no flags of a Raspberry Pi’s firmware here');
}

function heatFlags(flags: number): Finding[] {
  const has = (bit: number) => ((flags >> bit) & 1) === 1;
  const flagsText = `flags 0x${flags.toString(16)}`;
  const cool = 'a heat sink or fan; the governor keeps below the limit from now on';
  // A weak supply slows the clock as well: only without it is a slow clock a sign of heat.
  const slowed = has(THROTTLED) && !has(UNDER_VOLTAGE);
  if (slowed || has(SOFT_LIMIT)) {
    return [
      warn('throttling', `the firmware slows the clock because of heat, now (${flagsText})`, {
        next: cool,
      }),
    ];
  }
  const wasSlowed = has(THROTTLED + SINCE_BOOT) && !has(UNDER_VOLTAGE + SINCE_BOOT);
  if (wasSlowed || has(SOFT_LIMIT + SINCE_BOOT)) {
    return [
      info(
        'throttling',
        `the clock has been slowed since the board was switched on (${flagsText})`,
        {
          next: cool,
        },
      ),
    ];
  }
  return [ok('throttling', `none (${flagsText})`)];
}

function powerFlags(flags: number): Finding[] {
  const has = (bit: number) => ((flags >> bit) & 1) === 1;
  if (has(UNDER_VOLTAGE)) {
    const clock = has(CAPPED) || has(THROTTLED) ? ', and the clock is held down for it' : '';
    return [
      power.fail('supply', `under-voltage now${clock}`, {
        means:
          'a matter of power, not of heat: cameras drop out, SD cards get damaged, the board may restart',
        next: SUPPLY,
      }),
    ];
  }
  if (has(UNDER_VOLTAGE + SINCE_BOOT)) {
    return [
      power.warn('supply', 'there was under-voltage since the board was switched on', {
        means: 'the supply is too weak under load',
        next: SUPPLY,
      }),
    ];
  }
  return [power.ok('supply', 'no under-voltage')];
}
