import { readFile, stat } from 'node:fs/promises';
import { type Calibration, parseCalibration } from '../../convert/calibration.js';
import { codedError, messageOf } from '../../errors.js';
import { inputFailed } from '../../input-file.js';

/** The largest file that is read into memory; the converter has its own, narrower bounds. */
const MAX_BYTES = 128 * 1024 * 1024;

/** @throws MND_INPUT_MISSING, MND_MODEL_TOO_LARGE */
export async function readBytes(file: string): Promise<Uint8Array> {
  let size: number;
  try {
    ({ size } = await stat(file));
    if (size <= MAX_BYTES) return await readFile(file);
  } catch (error) {
    throw inputFailed(file, 'a file', error);
  }
  throw codedError('MND_MODEL_TOO_LARGE', {
    subject: file,
    expected: `at most ${MAX_BYTES} bytes`,
    found: `${size}`,
  });
}

/** @throws MND_MODEL_INVALID besides */
export async function readCalibration(file: string): Promise<Calibration> {
  const text = Buffer.from(await readBytes(file)).toString('utf8');
  try {
    return parseCalibration(JSON.parse(text));
  } catch (error) {
    throw codedError('MND_MODEL_INVALID', {
      subject: file,
      expected: 'a calibration',
      found: messageOf(error),
    });
  }
}
