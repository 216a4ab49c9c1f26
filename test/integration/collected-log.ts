import { Writable } from 'node:stream';
import { createLog, type Log } from '#mobilenetd/daemon/diagnostics/log.js';

/** A daemon's log, whose lines (JSON) are added to `lines`. */
export function logTo(lines: string[]): Log {
  const destination = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk));
      done();
    },
  });
  return createLog({ level: 'info', format: 'json', destination });
}
