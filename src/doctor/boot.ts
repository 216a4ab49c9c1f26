import { join } from 'node:path';
import { descriptionOf } from '../camera/registry.js';
import { readBoardModel } from '../platform.js';
import { type Finding, findings } from './finding.js';
import { type CheckInput, readText, type Surroundings } from './surroundings.js';

const { ok, info, warn } = findings('boot');

/** Overlays by which a camera is named to the kernel that does not tell who it is. */
const CAMERA_OVERLAY = /^dtoverlay=((?:imx|ov)\d+|arducam|camera-mux|irs1125|tc358743|adv728)/m;
/**
 * MB. Without the graphics overlay of a fresh system less is reserved, and a Pi 3 could not start its
 * camera (https://github.com/raspberrypi/rpicam-apps/issues/144).
 */
const LEAST_CMA_MB = 100;

/** What is written in the files of the boot partition and decides whether a ribbon camera can work. */
export async function checkBoot({ around, config }: CheckInput): Promise<Finding[]> {
  if (!/^Raspberry Pi/.test(readBoardModel(around.proc) ?? '')) return [];
  const cameras = Object.values(config?.cameras ?? {}).filter(({ enabled }) => enabled);
  const isWanted = cameras.some((camera) => descriptionOf(camera).devices === 'libcamera');
  if (!isWanted && cameras.length > 0) return [];
  return [...(await detection(around, isWanted)), ...(await contiguousMemory(around))];
}

async function detection(around: Surroundings, isWanted: boolean): Promise<Finding[]> {
  const { file, text } = await bootConfiguration(around);
  if (text === '') return [];
  const subject = `/boot/${file}`;
  const overlay = CAMERA_OVERLAY.exec(text)?.[1];
  if (/^start_x=1$/m.test(text)) {
    return [
      warn(subject, 'start_x=1 starts the old camera system, which libcamera cannot use', {
        next: `take that line out of ${subject}, and restart the board`,
      }),
    ];
  }
  if (overlay !== undefined) return [ok(subject, `the camera is named: dtoverlay=${overlay}`)];
  const last = [...text.matchAll(/^camera_auto_detect=(\d+)$/gm)].at(-1)?.[1];
  if (last === '1') return [ok(subject, 'camera_auto_detect=1')];
  const found = last === undefined ? 'no camera_auto_detect' : `camera_auto_detect=${last}`;
  return [
    (isWanted ? warn : info)(subject, `${found}, and no dtoverlay of a camera`, {
      means: 'the kernel does not look for a camera on the ribbon cable',
      next: `write camera_auto_detect=1 into ${subject} (for a sensor of another maker its dtoverlay), and restart the board`,
    }),
  ];
}

/** Bookworm and later mount the partition one folder deeper than releases before. */
async function bootConfiguration({ boot }: Surroundings): Promise<{ file: string; text: string }> {
  for (const file of ['firmware/config.txt', 'config.txt']) {
    const text = await readText(boot, file);
    // The file of old is a note that says where it went.
    if (text !== '' && !/DO NOT EDIT/i.test(text)) return { file, text };
  }
  return { file: 'firmware/config.txt', text: '' };
}

async function contiguousMemory({ proc, boot }: Surroundings): Promise<Finding[]> {
  const kilobytes = /^CmaTotal:\s*(\d+) kB/m.exec(await readText(proc, 'meminfo'))?.[1];
  if (kilobytes === undefined) return [];
  const total = Math.round(Number(kilobytes) / 1024);
  const subject = 'memory for the camera';
  if (total >= LEAST_CMA_MB) return [ok(subject, `${total} MB are reserved (CMA)`)];
  const line = /\bcma=\S+/.exec(await readText(join(boot, 'firmware'), 'cmdline.txt'))?.[0];
  const cause = line === undefined ? '' : `take ${line} out of /boot/firmware/cmdline.txt, or `;
  return [
    warn(subject, `${total} MB are reserved (CMA)`, {
      means:
        'libcamera takes its buffers from it, and a large sensor may find too little: “failed to allocate capture buffers”',
      next: `if that happens, ${cause}write dtoverlay=vc4-kms-v3d,cma-128 into /boot/firmware/config.txt and restart the board`,
    }),
  ];
}
