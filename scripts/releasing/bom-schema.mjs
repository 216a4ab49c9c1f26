// The published schema of CycloneDX, which a bill of materials is held to.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';

/** What is wrong with a bill of materials of version 1.5; null when nothing is. */
export function validateBom(bom, root) {
  const folder = join(root, 'node_modules/@cyclonedx/cyclonedx-library/res/schema');
  if (!existsSync(folder)) return 'the schema is not installed; next: npm ci';
  const read = (name) =>
    JSON.parse(readFileSync(join(folder, `${name}.SNAPSHOT.schema.json`), 'utf8'));
  // Formats as `iri-reference` need a package of their own.
  const ajv = new Ajv({ strict: false, validateFormats: false });
  ajv.addSchema(read('spdx'), 'http://cyclonedx.org/schema/spdx.SNAPSHOT.schema.json');
  ajv.addSchema(read('jsf-0.82'), 'http://cyclonedx.org/schema/jsf-0.82.SNAPSHOT.schema.json');
  const validate = ajv.compile(read('bom-1.5'));
  if (validate(bom)) return null;
  return validate.errors
    .map(({ instancePath, message }) => `${instancePath} ${message}`)
    .join('; ');
}
