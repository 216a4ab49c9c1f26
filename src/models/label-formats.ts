/** Stands in label files for a class that does not exist. */
export const UNUSED = '???';

export const MAX_LABELS = 32_768;

/** The text of a label file in any of the forms that people have: one name a class. */
export function labelsInText(text: string): readonly string[] {
  return labelsInJson(text) ?? labelsInMap(text) ?? labelsInYaml(text) ?? labelsInLines(text);
}

/** JSON, or a list or an object as Python writes it. */
function labelsInJson(text: string): readonly string[] | null {
  if (!/^\s*[[{]/.test(text)) return null;
  const document = parsed(text) ?? parsed(asJson(text));
  return document === null ? null : inside(document);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Single quotes, and numbers as keys: `{0: 'cat', 1: "dog's"}`. */
function asJson(text: string): string {
  const strings = /'((?:[^'\\]|\\.)*)'|"(?:[^"\\]|\\.)*"/g;
  return text
    .replace(strings, (whole, single?: string) =>
      single === undefined ? whole : JSON.stringify(single.replace(/\\(.)/g, '$1')),
    )
    .replace(/([{,]\s*)(\d+)\s*:/g, '$1"$2":')
    .replace(/,\s*([\]}])/g, '$1');
}

/** Where objects keep the names: Teachable Machine, Ultralytics, transformers, COCO. */
const LISTS = ['labels', 'names', 'classes', 'class_names', 'id2label', 'categories', 'label2id'];

/** A list of names, an object of them by number or of numbers by name, or an object that has one. */
function inside(value: unknown): readonly string[] | null {
  if (Array.isArray(value)) return numbered(value.map(numberOf)) ?? value.map(nameOf);
  if (typeof value !== 'object' || value === null) return null;
  const list = LISTS.find((key) => isContainer(Reflect.get(value, key)));
  if (list !== undefined) return inside(Reflect.get(value, list));
  const entries = Object.entries(value);
  // Keras' class_indices: what is a number stands behind the name.
  const turned = entries.every(([key, at]) => !isNumber(key) && isNumber(at));
  return numbered(
    entries.map(([key, label]) =>
      turned ? [Number(label), key] : [isNumber(key) ? Number(key) : Number.NaN, nameOf(label)],
    ),
  );
}

function isContainer(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

function isNumber(value: unknown): boolean {
  return /^\d+$/.test(String(value));
}

/** An entry of a list that says which class it is. */
function numberOf(entry: unknown): readonly [number, string] {
  const number =
    isContainer(entry) && !Array.isArray(entry) ? Reflect.get(Object(entry), 'id') : undefined;
  return [isNumber(number) ? Number(number) : Number.NaN, nameOf(entry)];
}

/** What an entry is called: itself, the last of a list (`["n01440764", "tench"]`), or the name that it has. */
function nameOf(entry: unknown): string {
  if (Array.isArray(entry)) return String(entry.at(-1));
  if (typeof entry !== 'object' || entry === null) return String(entry);
  const found = Object.entries(entry).find(([key]) => /^(name|label|display_name)$/.test(key));
  return String(found?.[1] ?? '');
}

/** `item { id: 1 name: 'cat' display_name: 'cat' }`, as TensorFlow's Object Detection API writes it. */
function labelsInMap(text: string): readonly string[] | null {
  const items = [...text.matchAll(/item\s*:?\s*\{([^}]*)\}/g)];
  if (items.length === 0) return null;
  return numbered(
    items.map(([, body = '']) => {
      const field = (name: string) =>
        new RegExp(`(?:^|[\\s,])${name}\\s*:\\s*(?:"([^"]*)"|'([^']*)'|(\\d+))`).exec(body);
      const [, double, single] = field('display_name') ?? field('name') ?? [];
      return [Number(field('id')?.[3] ?? Number.NaN), double ?? single ?? ''];
    }),
  );
}

/** `names:` of a data set's YAML file, as Ultralytics writes it: in one line, by number, or with dashes. */
function labelsInYaml(text: string): readonly string[] | null {
  const [, inline = '', block = ''] =
    /^names:[ \t]*(.*)$((?:\r?\n(?:[ \t].*|- .*|))*)/m.exec(text) ?? [];
  if (/^[[{]/.test(inline)) return labelsInJson(`${inline}${block}`);
  const lines = linesOf(block);
  return lines.length === 0 ? null : withoutNumbers(withoutDashes(lines));
}

function labelsInLines(text: string): readonly string[] {
  return withoutNumbers(withoutDashes(withoutHeader(linesOf(text, true))));
}

function linesOf(text: string, keepEmpty = false): readonly string[] {
  const lines = text.split(/\r\n|\n|\r/).map((line) => line.trim());
  if (!keepEmpty) return lines.filter((line) => line !== '');
  while (lines.at(-1) === '') lines.pop();
  return lines;
}

/** The names of columns in the first line of a table. */
const HEADER = /^["']?(?:index|id|class|class_id|number|name|label)["']?[,;\t]/i;

function withoutHeader(lines: readonly string[]): readonly string[] {
  const [first = '', ...rest] = lines;
  return HEADER.test(first) && rest.every((line) => /[,;\t]/.test(line)) ? rest : lines;
}

function withoutDashes(lines: readonly string[]): readonly string[] {
  const listed = lines.length > 1 && lines.every((line) => /^- \S/.test(line));
  return listed ? lines.map((line) => line.slice(2).trim()) : lines;
}

/** Ways in which lines begin with their own number, from 0 or from 1. */
const NUMBERED = /^(?:id\s*)?["']?(\d+)["']?[\s:;,.)\]=|-]+(\S.*)$/i;
const BRACKETED = /^[[(](\d+)[\])]\s*:?\s*(\S.*)$/;
/** And end with it. */
const NUMBER_BEHIND = /^(\S.*?)["']?\s*[,;:=\t ]\s*["']?(\d+)["']?$/;
/** A name of WordNet in front, as in ImageNet's lists. */
const WORDNET = /^n\d{8}\s+(\S.*)$/;

type Numbered = readonly [number: number, label: string];

function withoutNumbers(lines: readonly string[]): readonly string[] {
  const front = lines.map((line): Numbered => {
    const [, number, label = ''] = NUMBERED.exec(line) ?? BRACKETED.exec(line) ?? [];
    return [Number(number ?? Number.NaN), unquoted(label)];
  });
  const behind = lines.map((line): Numbered => {
    const [, label = '', number] = NUMBER_BEHIND.exec(line) ?? [];
    return [Number(number ?? Number.NaN), unquoted(label)];
  });
  const named = lines.map((line) => WORDNET.exec(line)?.[1] ?? '');
  const counted = inARow(behind) ?? [];
  // "Class 1", "Class 2" are names.
  const differ = new Set(counted).size === lines.length ? counted : null;
  return inARow(front) ?? leavingOut(front) ?? differ ?? all(named) ?? lines.map(unquoted);
}

/** Every number from 0 or from 1 once, in whatever order the lines stand. */
function inARow(lines: readonly Numbered[]): readonly string[] | null {
  const sorted = [...lines].sort(([a], [b]) => a - b);
  const start = sorted[0]?.[0] ?? Number.NaN;
  const whole = sorted.every(([number], at) => number === start + at);
  const counted = whole && (start === 0 || (start === 1 && lines.length > 0));
  return counted ? sorted.map(([, label]) => label) : null;
}

/** Files of detectors leave numbers out, as COCO's does: then they say which class a line names. */
function leavingOut(lines: readonly Numbered[]): readonly string[] | null {
  const rising = lines.every(([number], at) => at === 0 || number > (lines[at - 1]?.[0] ?? 0));
  const most = lines.at(-1)?.[0] ?? 0;
  const dense = lines.length > 1 && most < 2 * lines.length + 10;
  return rising && dense && !Number.isNaN(lines[0]?.[0] ?? Number.NaN) ? numbered(lines) : null;
}

function all(names: readonly string[]): readonly string[] | null {
  return names.length > 1 && !names.includes('') ? names : null;
}

function unquoted(label: string): string {
  return label.replace(/^(["'])(.*)\1,?$/, '$2').trim();
}

/** Labels by class; numbers that are left out are classes that do not exist. */
function numbered(entries: readonly Numbered[]): readonly string[] | null {
  const most = Math.max(...entries.map(([number]) => number));
  const whole = entries.every(([number]) => Number.isInteger(number) && number >= 0);
  if (entries.length === 0 || !whole || most >= MAX_LABELS) return null;
  const names = new Map(entries);
  // Two names of one class: nobody could say which is right.
  if (names.size < entries.length) return null;
  return Array.from({ length: most + 1 }, (_, index) => names.get(index) ?? UNUSED);
}
