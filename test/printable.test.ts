import t from 'tap';
import { printable } from '#mobilenetd/printable.js';

t.test('names that strangers chose do nothing to a terminal', (t) => {
  for (const [name, shown] of [
    ['a\u001b[31mred.jpg', 'a\\x1b[31mred.jpg'],
    ['two\nlines.jpg', 'two\\x0alines.jpg'],
    ['\u202egpj.exe', '\\u{202e}gpj.exe'],
    ['Küche ☕.jpg', 'Küche ☕.jpg'],
  ] as const) {
    t.equal(printable(name), shown);
  }
  t.end();
});
