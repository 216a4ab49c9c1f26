import type { JsonSchema } from './format.js';
import type { Node, Section } from './section.js';
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
    additionalProperties: false,
  };
}

function nodeSchema(node: Node, docs: SectionDocs, path: readonly string[]): JsonSchema {
  if (isLeaf(node)) {
    const hasDefault = !node.required && !node.optional;
    return {
      description: `${node.doc} Expected: ${node.type.expected}.`,
      ...(hasDefault && { default: node.default }),
      ...node.type.json,
    };
  }
  if (isNamedItems(node)) {
    return {
      ...describe(node.doc),
      type: ['object', 'null'],
      propertyNames: node.names.json,
      additionalProperties: nodeSchema(node.item, docs, [...path, 'NAME']),
    };
  }
  return sectionSchema(node, docs, path);
}

function describe(doc: string | undefined): JsonSchema {
  return doc === undefined || doc === '' ? {} : { description: doc };
}
