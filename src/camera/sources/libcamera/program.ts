import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { codedError } from '../../../errors.js';

/** First the name since 2024, then the one before; the links with the old names went in 2025. */
const NAMES = {
  vid: ['rpicam-vid', 'libcamera-vid'],
  still: ['rpicam-still', 'libcamera-still'],
  hello: ['rpicam-hello', 'libcamera-hello'],
} as const;

/** Absolute path of the first of the programs on `path` (as in `PATH`); null when there is none. */
export async function findProgram(
  kind: keyof typeof NAMES,
  path: string | undefined = process.env.PATH,
): Promise<string | null> {
  const folders = (path ?? '').split(delimiter).filter((folder) => folder.startsWith('/'));
  for (const name of NAMES[kind]) {
    for (const folder of folders) {
      const file = join(folder, name);
      const usable = await access(file, constants.X_OK).then(
        () => true,
        () => false,
      );
      if (usable) return file;
    }
  }
  return null;
}

export function programMissing(kind: keyof typeof NAMES): Error {
  return codedError('MND_CAMERA_MISSING', {
    subject: 'libcamera',
    expected: `the program ${NAMES[kind].join(' or ')}`,
    found: 'neither on the PATH',
    next: 'on Raspberry Pi OS: apt install rpicam-apps-lite',
  });
}
