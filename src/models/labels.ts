import { open } from 'node:fs/promises';
import { codedError } from '../errors.js';
import { inputFailed } from '../input-file.js';
import { labelsInText, MAX_LABELS, UNUSED } from './label-formats.js';
import type { ModelHead } from './variant.js';

const MAX_BYTES = 1024 * 1024;
const MAX_LENGTH = 500;

/** How label files name the class that stands for nothing. */
const BACKGROUND = /^(background|none|\?\?\?|)$/i;

/**
 * Reads a label file; see parseLabels. `???` marks an unused class and becomes an empty string.
 *
 * @throws MND_INPUT_MISSING, MND_LABELS_INVALID
 */
export async function readLabels(file: string): Promise<string[]> {
  let bytes: Uint8Array;
  try {
    bytes = await readBounded(file);
  } catch (error) {
    throw inputFailed(file, 'a file with a label a line', error);
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
 * Reads the text of a label file: one label a line, numbered in any usual way or not; JSON (a list, an
 * object by number or of numbers, Teachable Machine's metadata); TensorFlow's label map (.pbtxt); a data
 * set's YAML file.
 *
 * @param subject what an error names
 * @throws MND_LABELS_INVALID if this is no label file, with the line
 */
export function parseLabels(bytes: Uint8Array, subject: string): string[] {
  const invalid = (expected: string, found: string) =>
    codedError('MND_LABELS_INVALID', { subject, expected, found });
  if (bytes.length > MAX_BYTES) throw invalid(`at most ${MAX_BYTES} bytes`, 'more');
  const text = decoded(bytes);
  if (text === null) throw invalid('UTF-8 text', 'bytes that are none');
  const lines = labelsInText(text);
  if (lines.length === 0) throw invalid('one label a line', 'an empty file');
  if (lines.length > MAX_LABELS) throw invalid(`at most ${MAX_LABELS} labels`, `${lines.length}`);
  for (const [index, line] of lines.entries()) {
    const problem = problemOf(line);
    if (problem !== null) throw invalid('one label a line', `${problem} in line ${index + 1}`);
  }
  return lines.map((line) => (line === UNUSED ? '' : line));
}

/** UTF-8, or UTF-16 with a mark in front, as Windows' editors write it; null for anything else. */
function decoded(bytes: Uint8Array): string | null {
  const [first, second] = bytes;
  const encoding =
    first === 0xff && second === 0xfe
      ? 'utf-16le'
      : first === 0xfe && second === 0xff
        ? 'utf-16be'
        : 'utf-8';
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

function problemOf(line: string): string | null {
  if (line === '') return 'nothing';
  if (line.length > MAX_LENGTH) return `${line.length} characters`;
  if (/\p{Cc}/u.test(line)) return 'a control character';
  return null;
}

/** ImageNet's published names have two cranes and two maillots. */
const IMAGENET_CLASSES = [1000, 1001];

/**
 * Two classes of one name could not be told apart in topics and in the database.
 *
 * @throws MND_LABELS_INVALID
 */
export function requireDifferent(lines: readonly string[], subject: string): void {
  const seen = new Map<string, number>();
  for (const [index, line] of lines.entries()) {
    const first = seen.get(line);
    if (first !== undefined && line !== '' && !IMAGENET_CLASSES.includes(lines.length)) {
      throw codedError('MND_LABELS_INVALID', {
        subject,
        expected: 'a name of its own for each class',
        found: `${JSON.stringify(line.slice(0, 80))} in lines ${first + 1} and ${index + 1}`,
        next: 'tell them apart, as in "crane (bird)" and "crane (machine)"',
      });
    }
    seen.set(line, index);
  }
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
    if (hasBackground(head)) return ['', ...labels];
    if (classes === 1001) return ['background', ...labels];
  }
  // The other way round: a file with a background for a network of the 1000 classes alone.
  const [first = '', ...rest] = labels;
  if (head.kind === 'classifier' && rest.length === classes && BACKGROUND.test(first)) return rest;
  throw codedError('MND_LABELS_INVALID', {
    subject,
    expected: `${classes} labels, one a class`,
    found: `${labels.length}`,
    next: 'give one label a line in the order of the classes, or the list that the network was trained with',
  });
}

/** Whether class 0 is what is no object. */
function hasBackground(head: ModelHead): boolean {
  if (head.kind === 'ssd') return head.background ?? true;
  return head.kind === 'boxes' ? head.background : head.kind !== 'classifier';
}

/** The file's text, as {@link parseLabels} reads it. */
export function formatLabels(labels: readonly string[]): string {
  return `${labels.map((label) => (label === '' ? UNUSED : label)).join('\n')}\n`;
}
