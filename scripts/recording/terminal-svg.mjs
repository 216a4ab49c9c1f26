// Draws a recorded terminal: it stands as it ended, then each line appears again when it did, long waits
// shortened. What shows no animations shows all lines, and so does the first moment of one that does.
const CELL = { width: 8.4, height: 19 };
const MARGIN = 18;
const TITLE = 34;
/** Nobody watches a terminal wait, s. */
const LONGEST_WAIT = 1.2;
/** How long the whole is shown before it begins again, s. */
const STILL = 5;
const COLOURS = [
  [/^\$ /, '#e6edf3'],
  [/^\S+ {2}\+ /, '#7ee787'],
  [/^\S+ {2}~ /, '#ffa657'],
  [/^\S+ {2}- /, '#8b949e'],
];
const PLAIN = '#c9d1d9';

/** `rows` are `{ text, atMs }`, from the top; `label` says what is seen, for those who cannot. */
export function terminalSvg({ rows, columns, title, label }) {
  const width = Math.ceil(columns * CELL.width + 2 * MARGIN);
  const height = Math.ceil(TITLE + rows.length * CELL.height + MARGIN);
  const shown = shortened(rows.map(({ atMs }) => atMs / 1000));
  const period = STILL + Math.max(...shown) + LONGEST_WAIT;
  const moments = [...new Set(shown)];
  const percent = (seconds) => ((100 * seconds) / period).toFixed(2);
  const frames = moments.map(
    (at, index) =>
      `@keyframes a${index} { ${percent(STILL)}%, ${percent(STILL + at)}% { opacity: 0; } ${percent(STILL + at + 0.05)}%, 100% { opacity: 1; } }`,
  );
  const lines = rows.map(({ text }, row) => {
    const y = TITLE + (row + 1) * CELL.height - 5;
    const colour = COLOURS.find(([pattern]) => pattern.test(text))?.[1] ?? PLAIN;
    return `<text x="${MARGIN}" y="${y}" fill="${colour}" style="animation-name:a${moments.indexOf(shown[row])}">${escaped(text)}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escaped(label)}">
<style>
text { font: 14px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; white-space: pre; }
@media (prefers-reduced-motion: no-preference) {
  text[style] { animation: ${period.toFixed(1)}s step-end infinite; }
}
${frames.join('\n')}
</style>
<rect width="${width}" height="${height}" rx="8" fill="#0d1117"/>
<text x="${width / 2}" y="22" text-anchor="middle" fill="#8b949e">${escaped(title)}</text>
${lines.filter((_, row) => rows[row].text !== '').join('\n')}
</svg>
`;
}

/** The text of a picture's lines, from the top. */
export function linesOf(svg) {
  return [...svg.matchAll(/<text x="\d+" y="\d+" fill="[^"]+" style="[^"]+">(.*)<\/text>/g)].map(
    ([, text]) =>
      text
        .replaceAll('&lt;', '<')
        .replaceAll('&gt;', '>')
        .replaceAll('&quot;', '"')
        .replaceAll('&amp;', '&'),
  );
}

function shortened(seconds) {
  const sorted = [...new Set(seconds)].sort((a, b) => a - b);
  const shown = new Map();
  let now = 0;
  for (const [index, at] of sorted.entries()) {
    now += index === 0 ? 0 : Math.min(at - sorted[index - 1], LONGEST_WAIT);
    shown.set(at, now);
  }
  return seconds.map((at) => shown.get(at));
}

function escaped(text) {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
