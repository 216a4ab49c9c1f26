import { open } from 'node:fs/promises';
import { codedError, messageOf } from '../errors.js';
import type { ModelHead } from './variant.js';

const MAX_BYTES = 1024 * 1024;
const MAX_LABELS = 32_768;
const MAX_LENGTH = 500;

/** How label files name the class that stands for nothing. */
const BACKGROUND = /^(background|none|\?\?\?|)$/i;

/** Stands in label files for a class that does not exist. */
const UNUSED = '???';

/**
 * Reads a label file: UTF-8 text, one label a line. `???` marks an unused class and becomes an empty
 * string. Lines that all begin with their own number (`0 cat`, as Teachable Machine writes them) lose it.
 *
 * @throws MND_INPUT_MISSING, MND_LABELS_INVALID
 */
export async function readLabels(file: string): Promise<string[]> {
  let bytes: Uint8Array;
  try {
    bytes = await readBounded(file);
  } catch (error) {
    throw codedError('MND_INPUT_MISSING', { subject: file, found: messageOf(error), cause: error });
  }
  return parseLabels(bytes, file);
}

async function readBounded(file: string): Promise<Uint8Array> {
  const handle = await open(file);
  try {
    const buffer = new Uint8Array(MAX_BYTES + 1);
    let length = 0;
    for (;;) {
      const { bytesRead } = await handle.read(buffer, length, buffer.length - length);
      if (bytesRead === 0) return buffer.subarray(0, length);
      length += bytesRead;
    }
  } finally {
    await handle.close();
  }
}

/**
 * @param subject what an error names
 * @throws MND_LABELS_INVALID if this is no label file, with the line
 */
export function parseLabels(bytes: Uint8Array, subject: string): string[] {
  const invalid = (expected: string, found: string) =>
    codedError('MND_LABELS_INVALID', { subject, expected, found });
  if (bytes.length > MAX_BYTES) throw invalid(`at most ${MAX_BYTES} bytes`, 'more');
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw invalid('UTF-8 text', 'bytes that are none');
  }
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  while (lines.at(-1) === '') lines.pop();
  if (lines.length === 0) throw invalid('one label a line', 'an empty file');
  if (lines.length > MAX_LABELS) throw invalid(`at most ${MAX_LABELS} labels`, `${lines.length}`);
  for (const [index, line] of lines.entries()) {
    const problem = problemOf(line);
    if (problem !== null) throw invalid('one label a line', `${problem} in line ${index + 1}`);
  }
  return withoutNumbers(lines).map((line) => (line === UNUSED ? '' : line));
}

function problemOf(line: string): string | null {
  if (line === '') return 'nothing';
  if (line.length > MAX_LENGTH) return `${line.length} characters`;
  if (/\p{Cc}/u.test(line)) return 'a control character';
  return null;
}

function withoutNumbers(lines: readonly string[]): readonly string[] {
  const rest = lines.map((line, index) => {
    const match = /^(\d+)[\s:]+(\S.*)$/.exec(line);
    return match !== null && Number(match[1]) === index ? match[2] : undefined;
  });
  return rest.every((label) => label !== undefined) ? rest : lines;
}

/**
 * One label a class of the network. A file that leaves out the background, which TensorFlow's
 * networks have as class 0, gets it: a detector always has one, a classifier when it is ImageNet's
 * (1001 classes, 1000 names). A file of one label too many whose first is the background loses it.
 *
 * @throws MND_LABELS_INVALID if the number is not the network's
 */
export function fitLabels(labels: readonly string[], head: ModelHead, subject: string): string[] {
  const { classes } = head;
  if (labels.length === classes) return [...labels];
  if (labels.length === classes - 1) {
    if (head.kind === 'ssd') return ['', ...labels];
    if (classes === 1001) return ['background', ...labels];
  }
  // The other way round: a file with a background for a network of the 1000 classes alone.
  const [first = '', ...rest] = labels;
  if (head.kind === 'classifier' && rest.length === classes && BACKGROUND.test(first)) return rest;
  throw codedError('MND_LABELS_INVALID', {
    subject,
    expected: `${classes} labels, one a class`,
    found: `${labels.length}`,
  });
}

/** The file's text, as {@link parseLabels} reads it. */
export function formatLabels(labels: readonly string[]): string {
  return `${labels.map((label) => (label === '' ? UNUSED : label)).join('\n')}\n`;
}
