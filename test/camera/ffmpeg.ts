import { spawnSync } from 'node:child_process';

/** Why tests with a real ffmpeg are skipped; false where it is installed. */
export const skipWithoutFfmpeg =
  spawnSync('ffmpeg', ['-version'], { stdio: 'ignore' }).status === 0
    ? false
    : 'ffmpeg is not installed';
