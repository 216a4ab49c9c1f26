import { readdirSync, readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { matchesFilter } from '#mobilenetd/mqtt/topics.js';

const ajv = new Ajv({ allErrors: true, allowUnionTypes: true });

/** The schemas of payloads in docs/schema; config.json there is that of the configuration. */
export const SCHEMA_NAMES = readdirSync('docs/schema')
  .map((file) => file.replace(/\.json$/, ''))
  .filter((name) => name !== 'config');

const validators = new Map(
  SCHEMA_NAMES.map((name) => [
    name,
    ajv.compile(JSON.parse(readFileSync(`docs/schema/${name}.json`, 'utf8'))),
  ]),
);

/** What is wrong with a payload by the schema of that name; null for nothing. */
export function schemaFaults(name: string, value: unknown): unknown {
  const validate = validators.get(name);
  if (validate === undefined) throw new Error(`no schema ${name}`);
  // Through text, as it travels.
  return validate(JSON.parse(JSON.stringify(value))) ? null : validate.errors;
}

interface Row {
  readonly topic: string;
  readonly schema?: string;
  readonly text?: string;
  readonly jpeg?: boolean;
  readonly retained: boolean;
  readonly qos: number;
}

const TOPICS: readonly Row[] = JSON.parse(readFileSync('docs/topics.json', 'utf8')).topics;

export interface Published {
  /** Below `<base>/<node>`. */
  readonly topic: string;
  readonly payload: Buffer;
  /** As it was published. */
  readonly retain: boolean;
  readonly qos: number;
}

/** What is wrong with a published message by docs/topics.json; empty for nothing. */
export function messageFaults({ topic, payload, retain, qos }: Published): string[] {
  const row = TOPICS.find((candidate) => matchesFilter(candidate.topic, topic));
  if (row === undefined) return [`${topic} is not in docs/topics.json`];
  if (payload.length === 0) return [];
  const faults: string[] = [];
  if (retain !== row.retained) faults.push(`${topic}: retained ${retain}`);
  if (qos !== row.qos) faults.push(`${topic}: QoS ${qos}`);
  const text = payload.toString();
  if (row.text !== undefined && !new RegExp(row.text).test(text)) faults.push(`${topic}: ${text}`);
  if (row.jpeg && payload.readUInt16BE(0) !== 0xffd8) faults.push(`${topic} is no JPEG`);
  if (row.schema === undefined) return faults;
  const wrong = schemaFaults(row.schema, JSON.parse(text));
  return wrong === null ? faults : [...faults, `${topic}: ${JSON.stringify(wrong)} in ${text}`];
}
