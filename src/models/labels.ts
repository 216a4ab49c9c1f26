import { open } from 'node:fs/promises';
import { codedError } from '../errors.js';
import { inputFailed } from '../input-file.js';
import type { ModelHead } from './variant.js';

const MAX_BYTES = 1024 * 1024;
const MAX_LABELS = 32_768;
const MAX_LENGTH = 500;

/** How label files name the class that stands for nothing. */
const BACKGROUND = /^(background|none|\?\?\?|)$/i;

/** Stands in label files for a class that does not exist. */
const UNUSED = '???';

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
 * object by number, Teachable Machine's metadata); TensorFlow's label map (.pbtxt).
 *
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
  const lines = labelsInJson(text) ?? labelsInMap(text) ?? labelsInLines(text);
  if (lines.length === 0) throw invalid('one label a line', 'an empty file');
  if (lines.length > MAX_LABELS) throw invalid(`at most ${MAX_LABELS} labels`, `${lines.length}`);
  for (const [index, line] of lines.entries()) {
    const problem = problemOf(line);
    if (problem !== null) throw invalid('one label a line', `${problem} in line ${index + 1}`);
  }
  return lines.map((line) => (line === UNUSED ? '' : line));
}

function labelsInLines(text: string): readonly string[] {
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  while (lines.at(-1) === '') lines.pop();
  return withoutNumbers(lines);
}

/** A list of names, an object of them by number, or an object that has one as `labels` or `names`. */
function labelsInJson(text: string): readonly string[] | null {
  if (!/^\s*[[{]/.test(text)) return null;
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return null;
  }
  const inside = (value: unknown): readonly string[] | null => {
    if (Array.isArray(value)) return value.map((label) => String(nameOf(label)));
    if (typeof value !== 'object' || value === null) return null;
    const entries = Object.entries(value);
    const listed = entries.find(([key]) => /^(labels|names|classes|class_names)$/.test(key));
    if (listed !== undefined) return inside(listed[1]);
    return numbered(entries.map(([key, label]) => [Number(key), String(nameOf(label))]));
  };
  return inside(document);
}

/** What a list's entry is called: itself, or the name that it has. */
function nameOf(entry: unknown): unknown {
  if (typeof entry !== 'object' || entry === null) return entry;
  const found = Object.entries(entry).find(([key]) => /^(name|label|display_name)$/.test(key));
  return found?.[1];
}

/** `item { id: 1 name: 'cat' display_name: 'cat' }`, as TensorFlow's Object Detection API writes it. */
function labelsInMap(text: string): readonly string[] | null {
  const items = [...text.matchAll(/item\s*\{([^}]*)\}/g)];
  if (items.length === 0) return null;
  return numbered(
    items.map(([, body = '']) => {
      const field = (name: string) =>
        new RegExp(`(?:^|\\s)${name}\\s*:\\s*(?:"([^"]*)"|'([^']*)'|(\\d+))`).exec(body);
      const [, double, single] = field('display_name') ?? field('name') ?? [];
      return [Number(field('id')?.[3] ?? Number.NaN), double ?? single ?? ''];
    }),
  );
}

/** Labels by class; numbers that are left out are classes that do not exist. */
function numbered(entries: readonly (readonly [number, string])[]): readonly string[] | null {
  const most = Math.max(...entries.map(([number]) => number));
  const whole = entries.every(([number]) => Number.isInteger(number) && number >= 0);
  if (entries.length === 0 || !whole || most >= MAX_LABELS) return null;
  const names = new Map(entries);
  return Array.from({ length: most + 1 }, (_, index) => names.get(index) ?? UNUSED);
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

/** Ways in which lines begin with their own number, from 0 or from 1. */
const NUMBERED = /^(?:id\s*)?["']?(\d+)["']?[\s:;,.)\]=|-]+(\S.*)$/i;

function withoutNumbers(lines: readonly string[]): readonly string[] {
  const matches = lines.map((line) => NUMBERED.exec(line));
  const numbers = matches.map((match) => Number(match?.[1] ?? Number.NaN));
  const start = numbers[0] ?? Number.NaN;
  const inRow = numbers.every((number, index) => number === start + index);
  if ((start === 0 || start === 1) && inRow && lines.length > 0) {
    return matches.map((match) => unquoted(match?.[2] ?? ''));
  }
  // Files of detectors leave numbers out, as COCO's does: then they say which class a line names.
  const rising = numbers.every((number, at) => at === 0 || number > (numbers[at - 1] ?? 0));
  const most = numbers.at(-1) ?? 0;
  if (lines.length < 2 || !rising || !(most < 2 * lines.length + 10) || Number.isNaN(start)) {
    return lines;
  }
  const names = matches.map((match, at) => [numbers[at] ?? 0, unquoted(match?.[2] ?? '')] as const);
  return numbered(names) ?? lines;
}

function unquoted(label: string): string {
  return label.replace(/^(["'])(.*)\1,?$/, '$2').trim();
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
