import { messageOf } from '../../errors.js';
import { createRepeatingLog } from '../../log.js';
import { VERSION } from '../../package-root.js';
import { readSmallText } from '../../small-file.js';
import { type Clock, every } from '../../time.js';
import type { Context } from '../context.js';
import type { Log } from '../diagnostics/log.js';
import type { StopOutput } from './output.js';

const VERSION_TEXT = /^v?[0-9A-Za-z][0-9A-Za-z.+~:-]{0,63}$/;
/** The first line is a version; a file that is longer than this is another one. */
const MAX_BYTES = 64 * 1024;
const VERSION_MS = 60_000;
const REPEAT_MS = 3_600_000;

/** Publishes which version runs and which there is, now and once a minute where the file changes. */
export function startUpdate({
  clock,
  config,
  messaging,
  log,
}: Pick<Context, 'clock' | 'config' | 'messaging' | 'log'>): StopOutput {
  const { publisher, topics } = messaging;
  const file = config.homeassistant.version_file;
  if (file === null) {
    publisher.retained.clear(topics.update);
    return () => {};
  }
  const read = createVersionReader(file, log.child({ part: 'mqtt' }), clock);
  const publish = () => publisher.setUpdate(read());
  publish();
  return every(clock, VERSION_MS, publish);
}

/**
 * Makes the payload of `<base>/update`: the version that runs, and the latest one, which somebody else
 * (a timer of the package manager, a script) writes on the first line of `file`. A file that cannot be
 * read, or holds something else, is logged once an hour and leaves the latest version out.
 */
function createVersionReader(file: string, log: Log, clock: Clock): () => Record<string, unknown> {
  const repeating = createRepeatingLog(log, { clock, interval: REPEAT_MS });
  return () => {
    const payload = { installed_version: VERSION, title: 'mobilenetd' };
    try {
      const [line = ''] = readSmallText(file, MAX_BYTES).split('\n');
      const latest = line.trim();
      if (!VERSION_TEXT.test(latest)) throw new Error('its first line is no version');
      return { ...payload, latest_version: latest.replace(/^v/, '') };
    } catch (error) {
      repeating.warn('version', `homeassistant.version_file ${file}: ${messageOf(error)}`);
      return payload;
    }
  };
}
