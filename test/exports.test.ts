import { type ConvertedModel, convertTflite } from 'mobilenetd/convert';
import { FAMILIES } from 'mobilenetd/families';
import { createGovernor, type Governor } from 'mobilenetd/governor';
import { createPresence, type Presence } from 'mobilenetd/presence';
import t from 'tap';

t.test('what docs/architecture.md offers as a library has its types', (t) => {
  const made: readonly [
    (...options: Parameters<typeof createGovernor>) => Governor,
    (...options: Parameters<typeof createPresence>) => Presence,
  ] = [createGovernor, createPresence];
  const convert: (bytes: Uint8Array, options: { form: 'exact' }) => ConvertedModel = convertTflite;
  t.ok(made.every((make) => typeof make === 'function'));
  t.type(convert, 'function');
  t.ok(FAMILIES.length > 3);
  t.end();
});
