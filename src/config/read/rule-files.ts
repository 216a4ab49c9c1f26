import { CHANNELS, type ChannelName, type ChannelValues } from '../../notify/registry.js';
import type { ConfigProblem } from '../check/problem.js';
import type { Config } from '../config.js';
import { type CredentialOptions, readSecret } from './credential-file.js';

type Rule = Config['notify'][string];

interface Found {
  readonly options: CredentialOptions;
  readonly origins: Map<string, string>;
  readonly problems: ConfigProblem[];
}

/** The rules with what their channels' files hold: the values of `<key>_file`, and of `header_files`. */
export function applyRuleFiles({ notify }: Config, found: Found): Config['notify'] {
  return Object.fromEntries(
    Object.entries(notify).map(([name, rule]) => [name, withFiles(name, rule, found)]),
  );
}

function withFiles(name: string, rule: Rule, found: Found): Rule {
  const to: ChannelValues = { ...rule.to };
  const path = `notify.${name}.to`;
  const filled = Object.entries(to).map(([channel, values]) => {
    const { secrets } = CHANNELS[channel as ChannelName];
    return [channel, filledIn(`${path}.${channel}`, values, secrets, found)];
  });
  return { ...rule, to: Object.fromEntries(filled) as ChannelValues };
}

function filledIn(
  path: string,
  values: Readonly<Record<string, unknown>>,
  secrets: readonly string[],
  found: Found,
): Readonly<Record<string, unknown>> {
  const read = (key: string, file: string): string | null => {
    const source = { key, file, origin: found.options.originOf(key), required: true };
    return readSecret(source, found.options, found.problems);
  };
  const result = { ...values };
  for (const name of secrets) {
    const file = values[`${name}_file`];
    if (typeof file !== 'string' || (values[name] ?? null) !== null) continue;
    result[name] = read(`${path}.${name}_file`, file);
    found.origins.set(`${path}.${name}`, file);
  }
  const files = values.header_files;
  if (typeof files === 'object' && files !== null) {
    const headers = Object.entries(files).map(([header, file]) => [
      header,
      read(`${path}.header_files.${header}`, String(file)) ?? '',
    ]);
    result.headers = { ...Object.fromEntries(headers), ...(values.headers ?? {}) };
  }
  return result;
}
