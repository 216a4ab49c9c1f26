/** Made when a text needs it: that takes longer than most commands have to write. */
let graphemes: Intl.Segmenter | null = null;

function segmentsOf(text: string): Intl.Segments {
  graphemes ??= new Intl.Segmenter(undefined, { granularity: 'grapheme' });
  return graphemes.segment(text);
}

/** East Asian scripts, full-width forms and emoji take two places on a terminal (UAX #11). */
const WIDE =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}\u3000-\u30ff\uff01-\uff60\uffe0-\uffe6]|\p{Extended_Pictographic}\ufe0f/u;

/** Places of a terminal; where there is none lines are as long as they are. */
export function columnsOf(stream: NodeJS.WritableStream): number {
  return 'columns' in stream && typeof stream.columns === 'number' ? stream.columns : Infinity;
}

/** How many places a text takes on a terminal. */
export function textWidth(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  let width = 0;
  for (const { segment } of segmentsOf(text)) width += graphemeWidth(segment);
  return width;
}

function graphemeWidth(grapheme: string): number {
  if (/^[\p{Mn}\p{Me}\p{Cf}]+$/u.test(grapheme)) return 0;
  return WIDE.test(grapheme) ? 2 : 1;
}

/** A text cut to so many places; `…` stands for what is missing. */
export function cutText(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  let [cut, taken] = ['', 0];
  for (const { segment } of segmentsOf(text)) {
    const next = taken + graphemeWidth(segment);
    if (next > width - 1) break;
    [cut, taken] = [cut + segment, next];
  }
  return `${cut}…`;
}

/** A text cut to so many places, of which the end stays; `…` stands for what is missing before it. */
export function cutStart(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  let [kept, taken] = ['', 0];
  for (const { segment } of [...segmentsOf(text)].reverse()) {
    const next = taken + graphemeWidth(segment);
    if (next > width - 1) break;
    [kept, taken] = [segment + kept, next];
  }
  return `…${kept}`;
}

/** A text filled up with spaces to so many places; `right` puts it to the right. */
export function padText(text: string, width: number, right = false): string {
  const space = ' '.repeat(Math.max(0, width - textWidth(text)));
  return right ? space + text : text + space;
}

/**
 * A text as lines of at most so many places, broken between words where that is possible; all but the
 * first begin with `indent` spaces.
 */
export function wrapText(text: string, width: number, indent = 0): string[] {
  const lines: string[] = [];
  let line: string | null = null;
  for (const word of text.split(' ')) {
    const longer: string = line === null ? word : `${line} ${word}`;
    if (line !== null && textWidth(longer) > width) {
      lines.push(line);
      line = ' '.repeat(indent) + word;
    } else line = longer;
  }
  return [...lines, line ?? ''];
}
