// Finds lines of the documents that are too long to read and to compare, and wraps their paragraphs with --write.
// Tables, code, headings and what has no space to break at stay as they are.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

/** Where lines are wrapped, and from where on one is found too long, columns. */
const WRAP = 110;
const LONG = 115;

/** What begins a line that is not prose, or that has its own place: `<` HTML, `[x]:` a link's address. */
const FIXED = /^\s*(\||#|<|\[[^\]]+\]:|$)/;
const ITEM = /^(\s*)([-*+]|\d+\.)\s+/;
/** Not broken within: code, a link's address, a word. */
const ATOM = /(?:`[^`]+`|\]\([^)]*\)|[^\s`])+/g;

/**
 * Paragraphs and items of a Markdown text, as lines from `first` to before `end`, with what their first line and
 * the others begin with. Code blocks, tables and headings are none of them.
 */
function* paragraphsOf(lines) {
  let isCode = false;
  let paragraph = null;
  for (const [at, line] of [...lines, ''].entries()) {
    const isFence = /^\s*(```|~~~)/.test(line);
    if (isFence) isCode = !isCode;
    const item = ITEM.exec(line);
    const isFixed = isFence || isCode || FIXED.test(line);
    if (paragraph !== null && (isFixed || item !== null)) {
      yield { ...paragraph, end: at };
      paragraph = null;
    }
    if (isFixed || paragraph !== null) continue;
    const indent = /^\s*/.exec(line)[0];
    paragraph = {
      first: at,
      head: item?.[0] ?? indent,
      indent: item ? ' '.repeat(item[0].length) : indent,
    };
  }
}

function wrapped({ head, indent }, text) {
  const lines = [];
  let line = head;
  let isEmpty = true;
  for (const [word] of text.slice(head.length).matchAll(ATOM)) {
    // What would be an item or a heading at the beginning of a line stays where it is.
    const mayBreak = !/^([-*+#|>]|\d+[.)]$)/.test(word);
    if (!isEmpty && mayBreak && line.length + 1 + word.length > WRAP) {
      lines.push(line);
      line = indent;
      isEmpty = true;
    }
    line += isEmpty ? word : ` ${word}`;
    isEmpty = false;
  }
  return [...lines, line];
}

/** The text with every paragraph wrapped that has a line longer than {@link LONG}. */
export function wrapLines(text) {
  const lines = text.split('\n');
  let at = 0;
  const result = [];
  for (const paragraph of paragraphsOf(lines)) {
    const own = lines.slice(paragraph.first, paragraph.end);
    result.push(...lines.slice(at, paragraph.first));
    at = paragraph.end;
    // Two spaces, or a backslash, at the end of a line break it on purpose.
    const isFree =
      own.every((line) => line.length <= LONG) || own.some((line) => /( {2}|\\)$/.test(line));
    const joined = own.map((line, index) => (index === 0 ? line : line.trim())).join(' ');
    result.push(...(isFree ? own : wrapped(paragraph, joined)));
  }
  return [...result, ...lines.slice(at)].join('\n');
}

/** Numbers of the lines that wrapping would shorten, and the length of each. */
export function longLines(text) {
  const lines = text.split('\n');
  const short = new Set(wrapLines(text).split('\n'));
  return lines.flatMap((line, at) =>
    line.length > LONG && !short.has(line) ? [{ line: at + 1, length: line.length }] : [],
  );
}

/** Every Markdown file of the repository. */
export function documents() {
  const listed = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '*.md'], {
    encoding: 'utf8',
  });
  return listed.split('\n').filter((file) => file !== '');
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  for (const file of documents()) {
    const text = readFileSync(file, 'utf8');
    for (const { line, length } of longLines(text))
      console.log(`${file}:${line}: ${length} columns`);
    if (process.argv.includes('--write')) writeFileSync(file, wrapLines(text));
    else if (longLines(text).length > 0) process.exitCode = 1;
  }
}
