import { constants, open } from 'node:fs/promises';
import { type Command, Option } from 'commander';
import { MAX_PICTURE_BYTES } from '../camera/pixels/picture.js';
import { encodedPicture, type Frame } from '../camera/source.js';
import type { Config } from '../config/config.js';
import { codedError, isCodedError, messageOf, reasonOf } from '../errors.js';
import type { RunOptions } from '../inference/protocol.js';
import type { Result } from '../inference/result.js';
import { inputFailed, noFile } from '../input-file.js';
import { maskAddresses } from '../mask.js';
import type { VariantRequest } from '../models/resolve.js';
import type { Shelf } from '../models/shelf.js';
import { NUMERIC_FORMS, type NumericForm, type Task, type Variant } from '../models/variant.js';
import { printable } from '../printable.js';
import { systemClock } from '../time.js';
import type { CommandContext } from './command.js';
import { reportError, writeJsonLine, writeLine } from './output.js';
import { createProgressBar } from './progress-bar.js';
import { columnsOf, wrapText } from './text-width.js';

/** What `classify` and `detect` have in common. */
export interface RecogniseFlags {
  readonly model?: string;
  readonly alpha?: number;
  readonly size?: number;
  readonly form?: NumericForm;
  readonly pull?: boolean;
  readonly json?: boolean;
}

export function addCommonOptions(command: Command): Command {
  return command
    .option('--model <name>', 'an installed model or variant (default: the configured one)')
    .addOption(new Option('--form <form>', 'numeric form of the model').choices(NUMERIC_FORMS))
    .option('--pull', 'fetch a model that is not installed (default on a terminal)')
    .option('--no-pull', 'never fetch a model')
    .option('--json', 'one JSON object a picture');
}

export interface Recognition {
  readonly task: Task;
  readonly files: readonly string[];
  readonly flags: RecogniseFlags;
  readonly run: RunOptions;
  /**
   * @param file as it may be shown
   * @param variant that ran
   */
  print(file: string, result: Result, variant: Variant): void;
  /** Writes the picture with what was found; called before `print`. */
  draw?(picture: string, encoded: Uint8Array, result: Result, variant: Variant): Promise<void>;
}

/**
 * Runs one model, loaded once, over pictures. One that cannot be read or decoded is reported and the
 * others go on; the error thrown at the end then counts them.
 *
 * @throws MND_MODEL_…; MND_INPUT_MISSING or MND_IMAGE_INVALID if a picture failed
 */
export async function recognise(recognition: Recognition, context: CommandContext): Promise<void> {
  const { threadsOf } = await import('../daemon/options/engine.js');
  const { startEngine } = await import('../inference/engine.js');
  const config = context.loadConfig();
  const variant = await chooseVariant(recognition, config, context);
  const engine = await startEngine({ threads: threadsOf(config) });
  const { signal } = context;
  const failures: unknown[] = [];
  try {
    await engine.load(variant);
    for (const [index, file] of recognition.files.entries()) {
      try {
        signal.throwIfAborted();
        const frame = await readFrame(file, index + 1, signal);
        const result = await engine.run(variant.name, frame, recognition.run);
        await recognition.draw?.(file, frame.bytes, result, variant);
        recognition.print(maskAddresses(file), result, variant);
      } catch (error) {
        signal.throwIfAborted();
        if (!isPictureError(error)) throw error;
        failures.push(error);
        if (recognition.flags.json === true) writeFailure(maskAddresses(file), error, context);
        // One picture's error is the command's; of several each is told as it happens.
        if (recognition.files.length > 1) reportError(error, context);
      }
    }
  } finally {
    await engine.close();
  }
  if (failures.length > 0) throw summaryOf(failures, recognition.files.length);
}

/** A failed picture's line among the others; its message goes to stderr as well. */
function writeFailure(file: string, error: unknown, { stdout }: CommandContext): void {
  const code = isCodedError(error) ? error.code : 'MND_INTERNAL';
  writeJsonLine(stdout, { file, error: { code, message: maskAddresses(messageOf(error)) } });
}

function isPictureError(error: unknown): boolean {
  const codes = ['MND_INPUT_MISSING', 'MND_IMAGE_INVALID', 'MND_FRAME_INVALID'];
  return isCodedError(error) && codes.includes(error.code);
}

function summaryOf(failures: readonly unknown[], total: number): unknown {
  if (total === 1) return failures[0];
  const codes = new Set(failures.map((error) => (isCodedError(error) ? error.code : null)));
  const [only] = codes;
  return codedError(codes.size === 1 && only != null ? only : 'MND_IMAGE_INVALID', {
    subject: `${failures.length} of ${total} pictures`,
  });
}

/**
 * The variant to run, in the form and with the threads that `models bench` or the daemon found to be
 * the fastest on this board, where nothing else was asked for.
 *
 * @throws MND_MODEL_UNKNOWN, MND_MODEL_MISSING; what pulling throws
 */
async function chooseVariant(
  { task, flags }: Recognition,
  config: Config,
  context: CommandContext,
): Promise<Variant> {
  const { openShelf } = await import('../models/shelf.js');
  const shelf = openShelf({ dir: config.models_dir, env: context.env });
  const { alpha, size } = flags;
  const knobs = alpha !== undefined || size !== undefined;
  // The configured model is for the configured task, and α or a size ask for another one.
  const usual = config.model.task === task && !knobs ? config.model.name : 'auto';
  const request = {
    task,
    name: flags.model ?? usual,
    alpha,
    size,
    form: flags.form ?? config.model.form,
  };
  const variant =
    (flags.pull ?? isInteractive(context))
      ? await ensure(shelf, request, context)
      : await shelf.resolve(request);
  return request.form === 'auto' ? inMeasuredForm(variant, shelf, config) : variant;
}

async function ensure(
  shelf: Shelf,
  request: VariantRequest,
  context: CommandContext,
): Promise<Variant> {
  const bar = createProgressBar(context.stderr);
  try {
    return await shelf.ensure(request, { onProgress: bar.onProgress, signal: context.signal });
  } finally {
    bar.clear();
  }
}

async function inMeasuredForm(variant: Variant, shelf: Shelf, config: Config): Promise<Variant> {
  const {
    chooseVariant: choose,
    formsOf,
    readProfiles,
    thisBoard,
  } = await import('../profile/profiles.js');
  const { readBoardModel } = await import('../platform.js');
  const forms = await formsOf(shelf, variant.task);
  const own = forms.find(([{ name }]) => name === variant.name);
  if (own === undefined) return variant;
  const board = thisBoard(readBoardModel(config.governor.proc_root));
  return choose(variant, own, await readProfiles(config.state_dir, board), config.model).variant;
}

function isInteractive({ stderr }: CommandContext): boolean {
  return process.stdin.isTTY === true && 'isTTY' in stderr && stderr.isTTY === true;
}

async function readFrame(file: string, sequence: number, signal: AbortSignal): Promise<Frame> {
  return {
    sequence,
    camera: printable(maskAddresses(file)),
    capturedAt: systemClock.now(),
    time: systemClock.wall(),
    ...encodedPicture(await readAny(file, signal)),
  };
}

/** A picture from standard input (`-`), an address or a file. */
function readAny(file: string, signal: AbortSignal): Promise<Uint8Array> {
  if (file === '-') return readStandardInput(signal);
  const scheme = /^([a-z][a-z\d+.-]*):\/\//i.exec(file)?.[1]?.toLowerCase();
  if (scheme === undefined) return readPicture(file);
  if (scheme === 'http' || scheme === 'https') return fetchPicture(file, signal);
  throw codedError('MND_INPUT_MISSING', {
    subject: printable(maskAddresses(file)),
    expected: 'a file, - for standard input, or an http or https address',
    found: `an address with ${scheme}`,
  });
}

async function readStandardInput(signal: AbortSignal): Promise<Uint8Array> {
  const { addAbortSignal } = await import('node:stream');
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of addAbortSignal(signal, process.stdin)) {
    length += (chunk as Buffer).length;
    if (length > MAX_PICTURE_BYTES) throw tooLarge('standard input', length);
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}

async function fetchPicture(url: string, signal: AbortSignal): Promise<Uint8Array> {
  const { createSnapshotSource } = await import('../camera/sources/snapshot.js');
  const stop = new AbortController();
  let bytes: Uint8Array | null = null;
  const reason = await createSnapshotSource({ url, fps: 1 }).run(
    AbortSignal.any([signal, stop.signal]),
    (frame) => {
      bytes = frame.bytes;
      stop.abort();
    },
  );
  if (bytes !== null) return bytes;
  if (!isCodedError(reason) || reason.code !== 'MND_CAMERA_FAILED') throw reason;
  throw codedError('MND_INPUT_MISSING', {
    subject: printable(maskAddresses(url)),
    expected: 'an address that sends one picture',
    found: reasonOf(reason),
    cause: reason,
  });
}

function tooLarge(subject: string, size: number): Error {
  return codedError('MND_IMAGE_INVALID', {
    subject,
    expected: `at most ${MAX_PICTURE_BYTES} bytes`,
    found: `${size}`,
  });
}

const A_PICTURE = 'a picture';

/** @throws MND_INPUT_MISSING, MND_IMAGE_INVALID (too large) */
async function readPicture(file: string): Promise<Uint8Array> {
  try {
    const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const found = await handle.stat();
      if (!found.isFile()) {
        throw noFile(file, A_PICTURE, found.isDirectory());
      }
      if (found.size > MAX_PICTURE_BYTES) throw tooLarge(printable(file), found.size);
      return await handle.readFile();
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw inputFailed(file, A_PICTURE, error);
  }
}

/** Milliseconds as they are printed. */
export function roundMs(ms: number): number {
  return Math.round(ms * 100) / 100;
}

/** A picture's heading in the output for people. */
export function writeHeading(stream: NodeJS.WritableStream, file: string, result: Result): void {
  const { model, size, timings } = result;
  const heading = `${printable(file)}  (${model}, ${size} px, ${timings.inference.toFixed(1)} ms)`;
  for (const line of wrapText(heading, columnsOf(stream), 2)) writeLine(stream, line);
}
