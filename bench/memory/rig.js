// A USB camera without one, for a daemon that runs as its unit runs it.
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const PHOTO = join(root, 'assets/demo/coffee.jpg');
/** What is seen in it. */
export const LABEL = 'cup';
/** A name below /dev that can be opened; the stand-in never reads it. */
export const DEVICE = '/dev/null';

/**
 * A program in ffmpeg's place: where it is told to read a V4L2 device as MJPEG, it has ffmpeg read a
 * file of JPEGs at the camera's pace. All else is as it was. Perl is part of every Debian.
 */
const standIn = (ffmpeg, file) => `#!/usr/bin/perl
my $words = join("\\x00", @ARGV);
$words =~ s{-f\\x00v4l2\\x00-framerate\\x00([^\\x00]+)\\x00-video_size\\x00640x480\\x00-input_format\\x00mjpeg\\x00-i\\x00${DEVICE}(?=\\x00)}
          {-stream_loop\\x00-1\\x00-re\\x00-f\\x00mjpeg\\x00-framerate\\x00$1\\x00-i\\x00${file}} or die "no MJPEG camera of 640 x 480 was asked for";
exec '${ffmpeg}', split(/\\x00/, $words);
`;

/** Variables of the service, as its unit sets them: flags of Node and of the allocator. */
export function environmentOfUnit() {
  const unit = readFileSync(join(root, 'systemd/mobilenetd.service'), 'utf8');
  const lines = unit.matchAll(/^Environment=([A-Z0-9_]+)=(.*)$/gm);
  return Object.fromEntries([...lines].map(([, name, value]) => [name, value]));
}

/** Puts the camera into a new folder and returns the PATH on which it is ffmpeg. */
export function installCamera(folder) {
  mkdirSync(folder);
  const file = join(folder, 'camera.mjpeg');
  const scale = 'scale=640:480:force_original_aspect_ratio=increase,crop=640:480';
  const pictures = ['-loop', '1', '-i', PHOTO, '-vf', scale, '-frames:v', '20', '-q:v', '4'];
  execFileSync('ffmpeg', ['-v', 'error', ...pictures, '-f', 'mjpeg', file]);
  const ffmpeg = execFileSync('sh', ['-c', 'command -v ffmpeg'], { encoding: 'utf8' }).trim();
  writeFileSync(join(folder, 'ffmpeg'), standIn(ffmpeg, file));
  chmodSync(join(folder, 'ffmpeg'), 0o755);
  return `${folder}:${process.env.PATH}`;
}
