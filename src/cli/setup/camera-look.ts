import { chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSource } from '../../camera/create.js';
import { pictureDevices } from '../../camera/discover/devices.js';
import { findLibcamera, GROUP_ADVICE, mayUse } from '../../camera/discover/programs.js';
import { tryFrame } from '../../camera/discover/trial.js';
import { encodeJpeg } from '../../camera/pixels/jpeg.js';
import type { CapturedFrame } from '../../camera/source.js';
import type { CameraConfig } from '../../config/config.js';
import { pictureOf } from '../../daemon/pictures.js';
import type { CameraLook, FoundCamera } from './step.js';

const QUALITY = 85;

/** Cameras on the ribbon cable and on USB, in this order. */
export async function findCameras(signal: AbortSignal): Promise<readonly FoundCamera[]> {
  const { cameras } = await findLibcamera({}, false, signal);
  const devices = await pictureDevices({ devRoot: '/dev', sysfsRoot: '/sys' });
  return [
    ...cameras.map(({ index, sensor }) => ({
      name: index === 0 ? 'libcamera' : `libcamera:${index}`,
      what: sensor,
      settings: { source: 'libcamera', ...(index > 0 && { controls: { camera: index } }) },
    })),
    ...devices.map(({ path, title }) => ({
      name: path,
      what: title,
      settings: { source: 'v4l2', device: path },
    })),
  ];
}

/** A folder of pictures that only the user can see who has asked, through sudo as well. */
export class PictureFolder {
  #path: string | null = null;
  #count = 0;

  constructor(private readonly env: NodeJS.ProcessEnv) {}

  keep(jpeg: Uint8Array): string {
    this.#path ??= this.#make();
    this.#count += 1;
    const file = join(this.#path, `camera-${this.#count}.jpg`);
    writeFileSync(file, jpeg, { mode: 0o600 });
    this.#give(file);
    return file;
  }

  remove(): void {
    if (this.#path !== null) rmSync(this.#path, { recursive: true, force: true });
    this.#path = null;
  }

  #make(): string {
    const folder = mkdtempSync(join(tmpdir(), 'mobilenetd-setup-'));
    this.#give(folder);
    return folder;
  }

  #give(path: string): void {
    const { SUDO_UID: uid, SUDO_GID: gid } = this.env;
    if (process.getuid?.() !== 0 || uid === undefined || gid === undefined) return;
    if (/^\d+$/.test(uid) && /^\d+$/.test(gid)) chownSync(path, Number(uid), Number(gid));
  }
}

/** Runs a camera until its first frame, which is kept as a picture. */
export async function lookThrough(
  camera: CameraConfig,
  pictures: PictureFolder,
  signal: AbortSignal,
): Promise<CameraLook> {
  const { device } = camera;
  if (camera.source === 'v4l2' && device !== null && !(await mayUse(device))) {
    return {
      delivers: false,
      found: 'this user may not open it',
      next: GROUP_ADVICE,
      picture: null,
    };
  }
  let first: CapturedFrame | null = null;
  const keepingFirst: typeof createSource = (options) => {
    const source = createSource(options);
    return {
      run: (stop, onFrame, onAlive) =>
        source.run(
          stop,
          (frame) => {
            // Its bytes are the source's again afterwards.
            first ??= { ...frame, bytes: Uint8Array.from(frame.bytes) };
            return onFrame(frame);
          },
          onAlive,
        ),
    };
  };
  const { level, found, next } = await tryFrame('', camera, { createSource: keepingFirst }, signal);
  const picture = first === null ? null : pictures.keep(await jpegOf(first));
  return { delivers: level !== 'fail', found, next, picture };
}

async function jpegOf(frame: CapturedFrame): Promise<Uint8Array> {
  const whole = { ...frame, sequence: 1, camera: '', capturedAt: 0, time: 0 };
  return encodeJpeg(pictureOf(whole), QUALITY);
}
