import type { JsonSchema } from './format.js';
import type { NamedItems, Node, Section } from './section.js';
import { isLeaf, isNamedItems } from './section.js';

/** What a section is for, by its dotted path; items of a named section count as `NAME`. */
export type SectionDocs = Readonly<Record<string, string>>;

/**
 * The JSON Schema (draft 7, which editors know best) of a section. A file holds any part of the
 * configuration, so nothing is required, and a section may be left empty.
 */
export function sectionSchema(
  section: Section,
  docs: SectionDocs,
  path: readonly string[] = [],
): JsonSchema {
  const properties = Object.entries(section).map(([name, node]) => [
    name,
    nodeSchema(node, docs, [...path, name]),
  ]);
  return {
    ...describe(docs[path.join('.')]),
    type: ['object', 'null'],
    properties: Object.fromEntries(properties),
    // The user's own, for anchors and notes.
    patternProperties: { '^x-': {} },
    additionalProperties: false,
  };
}

function nodeSchema(node: Node, docs: SectionDocs, path: readonly string[]): JsonSchema {
  if (isLeaf(node)) {
    const hasDefault = !node.required && !node.optional;
    return {
      description: `${node.doc} Expected: ${node.type.expected}.`,
      ...(hasDefault && { default: node.default }),
      anyOf: [node.type.json, node.address ? SECRET_ADDRESS : REFERENCE],
    };
  }
  if (isNamedItems(node)) {
    const item = nodeSchema(node.item, docs, [...path, 'NAME']);
    const named = {
      type: ['object', 'null'],
      propertyNames: node.names.json,
      additionalProperties: item,
    };
    if (node.isListed !== true) return { ...describe(node.doc), ...named };
    return { ...describe(node.doc), anyOf: [named, { type: 'array', items: listed(node, item) }] };
  }
  return sectionSchema(node, docs, path);
}

/** An item of a list, which says its name itself. */
function listed({ names }: NamedItems, item: JsonSchema): JsonSchema {
  const properties = item.properties as JsonSchema;
  return { ...item, properties: { name: names.json, ...properties } };
}

/** `${NAME}` may stand for any value. */
const REFERENCE = { type: 'string', pattern: '\\$\\{[^}]*\\}' };
/** Editors see the bare name of `!secret NAME`, which is no address. */
const SECRET_ADDRESS = { type: 'string', pattern: '\\$\\{[^}]*\\}|^[A-Za-z_]\\w*$' };

function describe(doc: string | undefined): JsonSchema {
  return doc === undefined || doc === '' ? {} : { description: doc };
}
