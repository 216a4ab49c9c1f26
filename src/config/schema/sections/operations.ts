import { boolean, integer, nullable } from '../../../schema/format.js';
import type { Section } from '../../../schema/section.js';
import { key } from '../../../schema/section.js';
import { filePath } from '../../../schema/text.js';

export const CONTROL = {
  enabled: key(boolean, true, 'false: `mobilenetd status` and `ctl` cannot reach this daemon.'),
  socket: key(
    nullable(filePath),
    null,
    'A Unix socket, open to the owner and the group. Null takes control.sock in what systemd gives (RUNTIME_DIRECTORY), else in state_dir.',
    { path: true },
  ),
} as const satisfies Section;

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
} as const satisfies Section;
