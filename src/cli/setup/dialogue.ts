import { dirname } from 'node:path';
import { describeProblem } from '../../config/check/problem.js';
import { secretsOf } from '../../config/check/secrets.js';
import { type LoadedConfig, loadConfig } from '../../config/load.js';
import { readBounded } from '../../config/read/bytes.js';
import { controlSockets } from '../../control/socket.js';
import { runProgram } from '../../doctor/surroundings.js';
import { createMasker } from '../../mask.js';
import { systemClock } from '../../time.js';
import type { CommandContext } from '../command.js';
import { surroundingsOf } from '../doctor.js';
import { writeJsonLine, writeLine } from '../output.js';
import { requireCamera } from '../require-camera.js';
import { wrapText } from '../text-width.js';
import { realAround } from './around.js';
import { Asker, type Prompt } from './asker.js';
import { PictureFolder } from './camera-look.js';
import { Draft } from './draft.js';
import { bringInForce } from './in-force.js';
import { yesOrNo } from './question.js';
import { readSecret } from './secret-file.js';
import type { StepInput } from './step.js';
import { STEPS } from './steps.js';
import { readTarget, requireWritable, writeConfiguration } from './writing.js';

export interface SetupOptions {
  readonly context: CommandContext;
  /** Absolute path of the configuration. */
  readonly file: string;
  /** Whether it is the file that the service reads. */
  readonly isSystem: boolean;
  /** By option, without dashes. */
  readonly answers: Readonly<Record<string, string>>;
  /** Null: nobody is asked. */
  readonly prompt: Prompt | null;
  readonly json: boolean;
  readonly signal: AbortSignal;
}

/** Questions that come after the file. */
const AFTERWARDS = ['write', 'restart', 'look'];

/** What the parts of one run share. */
interface Run extends StepInput {
  readonly before: string | null;
  readonly say: (text: string) => void;
  readonly tell: (fact: object) => void;
}

/** Asks, tries, writes, puts in force. Until the file is written nothing has changed. */
export async function runSetup(options: SetupOptions): Promise<void> {
  const { context, file, answers, prompt, signal, json } = options;
  requireWritable(file);
  const before = readTarget(file);
  const draft = new Draft(before);
  const load = () => loadDraft(draft, options);
  // A file with mistakes is mended by hand first: what it means is not known.
  const { config } = load();
  const say = (text: string) => writeWrapped(json ? context.stderr : context.stdout, text);
  const tell = (fact: object) => {
    if (json) writeJsonLine(context.stdout, fact);
  };
  const asker = new Asker({ answers, prompt, say, readSecret });
  const pictures = new PictureFolder(context.env);
  const doctor = await surroundingsOf(context);
  const around = realAround({ context, signal, pictures, doctor, before: config });
  const folder = dirname(file);
  const run: Run = { asker, draft, folder, around, load, signal, before, say, tell };
  let isWritten = false;
  try {
    await askAll(run);
    isWritten = await write(options, run);
  } finally {
    if (!isWritten) pictures.remove();
  }
  if (isWritten) await putInForce(options, run);
}

/** Long lines are broken between words on a terminal; a file takes them whole. */
function writeWrapped(stream: NodeJS.WritableStream, text: string): void {
  const columns = 'columns' in stream ? Number(stream.columns) : Number.POSITIVE_INFINITY;
  for (const line of text.split('\n')) {
    const indent = 2 + line.length - line.trimStart().length;
    const isPreview = line.startsWith('  | ');
    const lines = isPreview || line.length <= columns ? [line] : wrapText(line, columns, indent);
    for (const each of lines) writeLine(stream, each);
  }
}

async function askAll(run: Run): Promise<void> {
  for (const step of STEPS) {
    run.signal.throwIfAborted();
    run.say(`\n${step.title}`);
    run.tell({ step: step.name, ...(await step.run(run)) });
  }
  run.asker.requireAllUsed(AFTERWARDS);
}

/** Checks the file as `config --check` does, shows it and writes it. Resolves with whether it is there. */
async function write({ file }: SetupOptions, run: Run): Promise<boolean> {
  const { draft, asker, load, say, tell, signal, before } = run;
  const loaded = load();
  requireCamera(loaded.config);
  say(`\n${file}`);
  for (const warning of warningsOf(loaded, file, draft)) say(`  warning: ${warning}`);
  const text = draft.text();
  if (text === before && draft.secrets.size === 0) {
    say('  Nothing is to be changed.');
    tell({ step: 'write', file, written: false, changed: [] });
    return true;
  }
  const mask = createMasker(secretsOf(loaded.config));
  for (const line of mask(text).trimEnd().split('\n')) say(`  | ${line}`);
  for (const path of draft.secrets.keys()) say(`  and ${path} (mode 0600)`);
  const kept = before === null ? '' : ', keeping a copy of the one that is there';
  const isWanted = await asker.ask(yesOrNo('write', `Write it${kept}`, true));
  signal.throwIfAborted();
  const { changed } = draft;
  if (!isWanted) {
    say('  Nothing was written.');
    tell({ step: 'write', file, written: false, changed });
    return false;
  }
  const backup = writeConfiguration({ file, text, secrets: draft.secrets });
  say(backup === null ? '  Written.' : `  Written; what was there is in ${backup}.`);
  tell({ step: 'write', file, written: true, backup, changed, secrets: [...draft.secrets.keys()] });
  return true;
}

/** What is odd, and what of the file has no effect since something else goes before it. */
function warningsOf({ warnings, origins }: LoadedConfig, file: string, draft: Draft): string[] {
  const hidden = draft.changed.flatMap((key) => {
    const origin = origins.get(key) ?? file;
    return origin.startsWith(file) || origin === 'default'
      ? []
      : [`${key}: ${origin} goes before this file`];
  });
  return [...warnings.map(describeProblem), ...hidden];
}

function putInForce({ context, file, isSystem }: SetupOptions, run: Run): Promise<void> {
  const { config } = run.load();
  const { socket } = config.control;
  return bringInForce({
    ...run,
    file,
    isSystem,
    env: context.env,
    run: runProgram,
    clock: systemClock,
    sockets: socket === null ? controlSockets(config.state_dir, context.env) : [socket],
  });
}

/** The configuration as the daemon would have it once the draft is written. @throws MND_CONFIG_INVALID */
function loadDraft(draft: Draft, { context, file }: SetupOptions): LoadedConfig {
  const pending = new Map([...draft.secrets, [file, draft.text()]]);
  return loadConfig({
    ...context.configOptions(),
    files: [file],
    readFile(path, limit) {
      const text = pending.get(path);
      return text === undefined ? readBounded(path, limit) : Buffer.from(text).subarray(0, limit);
    },
  });
}
