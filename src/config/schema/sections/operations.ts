import type { Config } from '../../config.js';
import { boolean, filePath, integer, nullable } from '../formats.js';
import type { Section } from '../leaf.js';
import { key } from '../leaf.js';

export const CONTROL = {
  enabled: key(boolean, true, 'false: `mobilenetd status` and `ctl` cannot reach this daemon.'),
  socket: key(
    nullable(filePath),
    null,
    'A Unix socket, open to the owner and the group. Null takes control.sock in what systemd gives (RUNTIME_DIRECTORY), else in state_dir.',
    { path: true },
  ),
} as const satisfies Section<Config['control']>;

export const DIAGNOSTICS = {
  crash_reports: key(
    integer(0, 100),
    5,
    'Reports of crashes kept in the folder crashes of state_dir; they never leave the board.',
  ),
  heap_snapshots: key(
    boolean,
    false,
    'Whether SIGUSR2 writes a heap snapshot to state_dir. It holds whatever is in memory, passwords too.',
  ),
} as const satisfies Section<Config['diagnostics']>;
