import { once } from 'node:events';
import { createWriteStream, rmSync } from 'node:fs';
import { extname } from 'node:path';
import { codedError } from '../errors.js';
import { resultFailed } from '../result-file.js';
import type { CommandContext, Register } from './command.js';
import {
  askHistory,
  DETECTION_FIELDS,
  detectionRow,
  EVENT_FIELDS,
  eventRowsOf,
  type Filter,
  filterOptions,
  toQuery,
} from './history.js';
import { writeJsonLine, writeLine } from './output.js';
import { csvLines, type Format, jsonLines, printRows, type Row } from './rows.js';
import { TIME_HELP } from './times.js';

interface Flags extends Filter {
  readonly detections: boolean;
  readonly pictures: boolean;
  readonly force: boolean;
  readonly json: boolean;
}

type Kind = 'csv' | 'jsonl' | 'sqlite';

const KINDS: Readonly<Record<string, Kind>> = {
  '.csv': 'csv',
  '.jsonl': 'jsonl',
  '.ndjson': 'jsonl',
  '.db': 'sqlite',
  '.sqlite': 'sqlite',
};

export const register: Register = (program, context) => {
  const command = program
    .command('export')
    .summary('write what was seen to a CSV, JSON-lines or SQLite file')
    .description(
      [
        'Writes events (with --detections: detections) to a file: .csv, .jsonl, or .db for a checked SQLite',
        "copy with both. Times are UTC. The file is its owner's alone and appears when it is complete.",
        TIME_HELP,
      ].join('\n'),
    )
    .argument('<file>', 'its ending says the form: .csv, .jsonl, .db');
  filterOptions(command)
    .option('--detections', 'detections instead of events', false)
    .option('--pictures', 'also the pictures of the events, as <file>.pictures.tar', false)
    .option('--force', 'replace a file that exists', false)
    .option('--json', 'one JSON object: file, rows, pictures', false)
    .action((file: string, flags: Flags) => runExport(file, flags, context));
};

async function runExport(file: string, flags: Flags, context: CommandContext): Promise<void> {
  const kind = KINDS[extname(file)];
  if (kind === undefined) {
    throw codedError('MND_USAGE', {
      subject: file,
      expected: `a name that ends in ${Object.keys(KINDS).join(', ')}`,
      found: extname(file) === '' ? 'no ending' : extname(file),
    });
  }
  const query = toQuery(flags);
  if (flags.pictures) {
    const { requireFree } = await import('../store/part-file.js');
    requireFree(archiveOf(file), flags.force);
  }
  const rows =
    kind === 'sqlite'
      ? await exportCopy(file, flags, context)
      : await exportLines(file, kind, flags, context);
  const pictures = flags.pictures ? await exportPictures(file, query, flags.force, context) : null;
  if (flags.json) writeJsonLine(context.stdout, { file, rows, pictures });
  else {
    const what = kind === 'sqlite' || !flags.detections ? 'events' : 'detections';
    writeLine(context.stdout, `${file}: ${rows} ${what}`);
    if (pictures !== null) writeLine(context.stdout, `${archiveOf(file)}: ${pictures} pictures`);
  }
}

async function exportLines(
  file: string,
  kind: 'csv' | 'jsonl',
  flags: Flags,
  context: CommandContext,
): Promise<number> {
  const { queryDetections, queryEvents } = await import('../store/query.js');
  const { writePartFile } = await import('../store/part-file.js');
  const query = toQuery(flags);
  const make = <T>(fields: readonly string[], row: (item: T) => Row): Format<T> =>
    kind === 'csv' ? csvLines(fields, row) : jsonLines(row);
  return writePartFile(file, flags.force, (part) =>
    askHistory(context, async (database, onDamage) => {
      const asked = { ...query, onDamage };
      const write = <T>(items: Iterable<T>, format: Format<T>) =>
        writeAll({ file, part }, items, format, context);
      return flags.detections
        ? write(queryDetections(database, asked), make(DETECTION_FIELDS, detectionRow))
        : write(queryEvents(database, asked), make(EVENT_FIELDS, await eventRowsOf(context)));
    }),
  );
}

async function writeAll<T>(
  { file, part }: { readonly file: string; readonly part: string },
  items: Iterable<T>,
  format: Format<T>,
  { signal }: CommandContext,
): Promise<number> {
  const stream = createWriteStream(part, { flags: 'r+' });
  const failed = once(stream, 'error').then(([cause]) => {
    throw resultFailed(file, cause);
  });
  const written = async () => {
    const count = await printRows(items, format, { stdout: stream, signal });
    if (count === 0 && format.header !== null) stream.write(`${format.header}\n`);
    stream.end();
    await once(stream, 'close');
    return count;
  };
  return Promise.race([written(), failed]);
}

async function exportCopy(file: string, flags: Flags, context: CommandContext): Promise<number> {
  const { backupDatabase } = await import('../store/backup.js');
  const { databaseFile } = await import('../store/path.js');
  const { limit: _, ...filter } = toQuery(flags);
  const { state_dir: stateDir } = context.loadConfig();
  const result = await backupDatabase(databaseFile(stateDir), file, {
    overwrite: flags.force,
    signal: context.signal,
    only: filter,
  });
  return result.events;
}

async function exportPictures(
  file: string,
  query: ReturnType<typeof toQuery>,
  force: boolean,
  context: CommandContext,
): Promise<number> {
  const { archivePictures } = await import('../store/picture-archive.js');
  const { basename } = await import('node:path');
  const { picturesOf, pictureFolder } = await import('../store/pictures.js');
  const { writePartFile } = await import('../store/part-file.js');
  const { queryEvents } = await import('../store/query.js');
  const { state_dir: stateDir } = context.loadConfig();
  const ids = new Set<string>();
  await askHistory(context, async (database, onDamage) => {
    for (const { id } of queryEvents(database, { ...query, onDamage })) ids.add(id);
  });
  const names = [...picturesOf(stateDir, ids).values()].flat().map((path) => basename(path));
  const archive = archiveOf(file);
  if (names.length === 0) {
    // That of an earlier export would be taken for the pictures of this one.
    if (force) rmSync(archive, { force: true });
    return 0;
  }
  return writePartFile(archive, force, (part) =>
    archivePictures(part, pictureFolder(stateDir), names).catch((cause) => {
      throw resultFailed(archive, cause);
    }),
  );
}

/** Where the pictures of an export go. */
function archiveOf(file: string): string {
  return `${file}.pictures.tar`;
}
