import { constants } from 'node:fs';
import { dirname, join } from 'node:path';
import { descriptionOf } from '../camera/registry.js';
import type { Config } from '../config/config.js';
import { type Finding, findings } from './finding.js';
import { type CheckInput, canUse, readText, type Surroundings } from './surroundings.js';

const { ok, warn, fail } = findings('programs');

/** What this is, as far as it matters for packages. */
interface System {
  /** Raspberry Pi OS has packages that Debian has not. */
  readonly isRaspberryPiOs: boolean;
  /** Whose clock is the host's. */
  readonly isContainer: boolean;
}

/** A program that a fresh system may lack. */
interface Row {
  readonly subject: string;
  /** Any of these will do. */
  readonly names: readonly string[];
  /** Whether the configuration cannot do without it, would be better with it, or has no use for it. */
  readonly need: (config: Config, system: System) => 'must' | 'should' | 'no';
  readonly means: string;
  readonly next: (system: System) => string;
}

const ROWS: readonly Row[] = [
  {
    subject: 'ffmpeg',
    names: ['ffmpeg'],
    need: (config) => byCameras(config, (camera) => /ffmpeg/.test(descriptionOf(camera).through)),
    means: 'USB and network cameras and video files are read through it',
    next: () => 'sudo apt install ffmpeg',
  },
  {
    subject: 'camera programs',
    names: ['rpicam-vid', 'libcamera-vid'],
    need: (config) => byCameras(config, (camera) => descriptionOf(camera).devices === 'libcamera'),
    means:
      'the camera on the ribbon cable is read through rpicam-vid (libcamera-vid in its first releases)',
    next: ({ isRaspberryPiOs }) =>
      isRaspberryPiOs
        ? 'sudo apt install rpicam-apps-lite'
        : 'sudo apt install rpicam-apps where this release has it (apt policy rpicam-apps); else use Raspberry Pi OS, or a USB or network camera',
  },
  {
    subject: 'avahi-daemon',
    names: ['avahi-daemon'],
    need: ({ mqtt }) => (hostsOf(mqtt.url).some((host) => /\.local$/i.test(host)) ? 'must' : 'no'),
    means: 'names that end in .local are asked for in the network by it',
    next: () =>
      'sudo apt install avahi-daemon libnss-mdns, or write the address of the broker instead of its name',
  },
  {
    subject: 'mosquitto',
    names: ['mosquitto'],
    need: ({ mqtt }) => (hostsOf(mqtt.url).some(isHere) ? 'should' : 'no'),
    means: 'mqtt.url names a broker on this board, and the usual one is not installed',
    next: () => 'sudo apt install mosquitto, or mqtt.url: null for the one that is built in',
  },
  {
    subject: 'time program',
    names: ['systemd-timesyncd', 'chronyd', 'ntpd', 'openntpd'],
    need: (_config, { isContainer }) => (isContainer ? 'no' : 'should'),
    means:
      'nothing sets the clock by the network, and the boards have none that runs while they are off',
    next: () => 'sudo apt install systemd-timesyncd',
  },
];

/** Programs that the configuration needs and that a fresh system may lack. */
export async function checkPrograms({ around, config }: CheckInput): Promise<Finding[]> {
  if (config === null) return [];
  const system = {
    isRaspberryPiOs: await isRaspberryPiOs(around),
    isContainer: await isContainer(around),
  };
  const found: Finding[] = [];
  for (const row of ROWS) {
    const need = row.need(config, system);
    if (need === 'no') continue;
    const name = await firstOf(row.names, around.programPath);
    found.push(
      name === null ? missing(row, need, system) : ok(row.subject, `${name} is installed`),
    );
  }
  return found;
}

function missing(
  { subject, names, means, next }: Row,
  need: 'must' | 'should',
  system: System,
): Finding {
  const found = names.length === 1 ? 'not installed' : `none of ${names.join(', ')} is installed`;
  return (need === 'must' ? fail : warn)(subject, found, { means, next: next(system) });
}

/** Without a configured camera whatever is found is taken: then it should be there. */
function byCameras(
  { cameras }: Config,
  needs: (camera: Config['cameras'][string]) => boolean,
): 'must' | 'should' | 'no' {
  const all = Object.values(cameras).filter(({ enabled }) => enabled);
  if (Object.keys(cameras).length === 0) return 'should';
  return all.some(needs) ? 'must' : 'no';
}

function hostsOf(url: Config['mqtt']['url']): readonly string[] {
  const urls = url === null ? [] : typeof url === 'string' ? [url] : url;
  return urls.flatMap((each) => (URL.canParse(each) ? [new URL(each).hostname] : []));
}

function isHere(host: string): boolean {
  return /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/i.test(host);
}

/** Raspberry Pi OS of 64 bits calls itself Debian; pi-gen, which builds it, leaves this file. */
async function isRaspberryPiOs({ etc }: Surroundings): Promise<boolean> {
  return (await readText(etc, 'rpi-issue')) !== '';
}

/** By the marks of systemd-nspawn and others, of Podman, and of Docker. */
async function isContainer({ env, run, proc }: Surroundings): Promise<boolean> {
  if ((env.container ?? '') !== '') return true;
  const marks = [join(run, '.containerenv'), join(dirname(proc), '.dockerenv')];
  return (await Promise.all(marks.map((mark) => canUse(mark, constants.F_OK)))).includes(true);
}

async function firstOf(names: readonly string[], path: string): Promise<string | null> {
  for (const name of names) {
    for (const folder of path.split(':').filter((each) => each !== '')) {
      if (await canUse(join(folder, name), constants.X_OK)) return name;
    }
  }
  return null;
}
