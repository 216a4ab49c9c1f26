import { readFile, readlink, realpath } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { CameraFinding } from './finding.js';
import { GROUP_ADVICE, type MayUse, namesIn } from './programs.js';

export interface DeviceRoots {
  /** Default `/dev`. */
  readonly devRoot: string;
  /** Default `/sys`. */
  readonly sysfsRoot: string;
}

interface VideoDevice {
  readonly name: string;
  /** As its driver calls it, e.g. `HD Pro Webcam C920`. */
  readonly title: string;
  readonly driver: string;
  /** 0 is where a USB camera's pictures come from; its other nodes have metadata. */
  readonly index: number;
}

/** Drivers of USB cameras and of grabbers that deliver pictures to whoever opens the node. */
const PICTURE_DRIVERS = new Set([
  'uvcvideo',
  'em28xx',
  'usbtv',
  'stk1160',
  'cx231xx',
  'gspca_main',
]);
/** Drivers behind a Raspberry Pi camera: their pictures come through libcamera only. */
const RIBBON_DRIVERS = /^(unicam|bcm2835-unicam|rp1-cfe|pisp|bcm2835-isp)/;

/** Looks at every `/dev/video*`: what it is, and whether this user may open it. */
export async function findVideoDevices(
  { devRoot, sysfsRoot }: DeviceRoots,
  configured: readonly string[],
  may: MayUse,
): Promise<CameraFinding[]> {
  const names = await namesIn(devRoot, /^video\d+$/);
  const stable = await stableNames(devRoot);
  const findings: CameraFinding[] = [];
  let others = 0;
  for (const name of names) {
    const device = await describe(sysfsRoot, name);
    const path = stable.get(name) ?? `/dev/${name}`;
    const isUsed = configured.includes(path) || configured.includes(`/dev/${name}`);
    const delivers = PICTURE_DRIVERS.has(device.driver) && device.index === 0;
    if (delivers || isUsed) {
      findings.push(await findingOf(device, path, isUsed, await may(join(devRoot, name))));
    } else {
      others += 1;
    }
  }
  if (others > 0 || names.length === 0) {
    const found =
      names.length === 0
        ? 'there is no video device'
        : `${others} more video device${others === 1 ? '' : 's'} (codecs, image processors, metadata)`;
    findings.push({ subject: '/dev/video*', level: 'info', found, next: null });
  }
  return findings;
}

/** A device that delivers pictures to whoever opens it. */
export interface PictureDevice {
  /** By a name that stays, where there is one. */
  readonly path: string;
  /** Where it lies below `devRoot`. */
  readonly node: string;
  readonly title: string;
}

/** USB cameras and grabbers, in the order of their numbers. */
export async function pictureDevices({
  devRoot,
  sysfsRoot,
}: DeviceRoots): Promise<PictureDevice[]> {
  const stable = await stableNames(devRoot);
  const found: PictureDevice[] = [];
  for (const name of await namesIn(devRoot, /^video\d+$/)) {
    const { title, driver, index } = await describe(sysfsRoot, name);
    if (!PICTURE_DRIVERS.has(driver) || index !== 0) continue;
    const path = stable.get(name) ?? `/dev/${name}`;
    found.push({ path, node: join(devRoot, name), title: title === '' ? name : title });
  }
  return found;
}

async function findingOf(
  { title, driver }: VideoDevice,
  path: string,
  isUsed: boolean,
  allowed: boolean,
): Promise<CameraFinding> {
  const subject = path;
  const what = title === '' ? 'a video device' : title;
  if (!allowed) {
    return {
      subject,
      level: 'fail',
      found: `${what}; this user may not open it`,
      next: GROUP_ADVICE,
    };
  }
  if (RIBBON_DRIVERS.test(driver)) {
    const next = 'a camera on the ribbon cable delivers through libcamera: source: libcamera';
    return { subject, level: 'warn', found: `${what} is the raw end of a ribbon cable`, next };
  }
  const next = isUsed ? null : `to use it: { source: v4l2, device: ${path} }`;
  return { subject, level: 'ok', found: what, next };
}

async function describe(sysfsRoot: string, name: string): Promise<VideoDevice> {
  const folder = join(sysfsRoot, 'class/video4linux', name);
  const text = (file: string) =>
    readFile(join(folder, file), 'utf8').then(
      (content) => content.trim(),
      () => '',
    );
  const driver = await readlink(join(folder, 'device/driver')).catch(() => '');
  return {
    name,
    title: await text('name'),
    driver: basename(driver),
    index: Number(await text('index')) || 0,
  };
}

/** `video0` → `/dev/v4l/by-id/…`, a name that stays when another camera is plugged in first. */
async function stableNames(devRoot: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const link of await namesIn(join(devRoot, 'v4l/by-id'), /./)) {
    const target = await realpath(join(devRoot, 'v4l/by-id', link)).catch(() => null);
    if (target !== null) found.set(basename(target), `/dev/v4l/by-id/${link}`);
  }
  return found;
}
