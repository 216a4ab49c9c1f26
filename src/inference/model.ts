import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { codedError, isCodedError, messageOf } from '../errors.js';
import { type ModelOutput, outputsOf, sidesOf, type Variant } from '../models/variant.js';
import { ort, sessionOptions } from './runtime.js';

export type Session = ort.InferenceSession;

/**
 * Reads a model file, holds it against its checksum and makes a session of it.
 *
 * @throws MND_MODEL_MISSING, MND_MODEL_INVALID (damaged, or onnxruntime refuses it), MND_MODEL_OPERATOR
 *   (embeddings are wanted, and it has none)
 */
export async function openSession(variant: Variant, threads: number): Promise<Session> {
  const bytes = await readModel(variant.file);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  if (sha256 !== variant.sha256.toLowerCase()) {
    throw codedError('MND_MODEL_INVALID', {
      subject: variant.file,
      expected: `sha256 ${variant.sha256}`,
      found: sha256,
      next: `install ${variant.model} again`,
    });
  }
  try {
    // In this order: what embeddings add is a second part of the graph, which is read by its owner alone.
    const cut = await reduced(bytes, variant);
    const model = variant.embedding === true ? await extended(cut, variant) : cut;
    return await ort.InferenceSession.create(model, sessionOptions(threads, variant.form));
  } catch (error) {
    if (isCodedError(error)) throw error;
    throw codedError('MND_MODEL_INVALID', {
      subject: variant.file,
      expected: 'a model that onnxruntime loads',
      found: messageOf(error),
      next: `install ${variant.model} again`,
      cause: error,
    });
  }
}

/** Loaded for the first variant that gives embeddings: most daemons never parse a graph. */
async function extended(bytes: Uint8Array, { head }: Variant): Promise<Uint8Array> {
  const { withEmbedding } = await import('../convert/embedding/embedding.js');
  return withEmbedding(bytes, head);
}

/** The network that computes what is wanted of it. */
async function reduced(bytes: Uint8Array, { head, keptClasses }: Variant): Promise<Uint8Array> {
  if (keptClasses === undefined || head.kind !== 'ssd') return bytes;
  const { withClasses } = await import('../convert/kept-classes.js');
  return withClasses(bytes, head, keptClasses);
}

async function readModel(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file);
  } catch (error) {
    throw codedError('MND_MODEL_MISSING', {
      subject: file,
      found: messageOf(error),
      next: 'install the model',
      cause: error,
    });
  }
}

/**
 * Holds a session's inputs and outputs, and the labels, against the variant.
 *
 * @throws MND_MODEL_MISMATCH, MND_LABELS_INVALID
 */
export function checkModel(session: Session, variant: Variant): void {
  checkInput(session, variant);
  const { head } = variant;
  if (head.kind === 'classifier') {
    checkOutput(session, variant, head.logits, head.classes);
  } else {
    for (const output of outputsOf(head)) checkOutput(session, variant, output, null);
  }
  if (variant.labels.length !== head.classes) {
    throw codedError('MND_LABELS_INVALID', {
      subject: variant.model,
      expected: `${head.classes} labels, one a class`,
      found: `${variant.labels.length}`,
    });
  }
}

function checkInput(session: Session, variant: Variant): void {
  const { name } = variant.input;
  if (session.inputNames.length !== 1 || session.inputNames[0] !== name) {
    throw mismatch(variant, `one input "${name}"`, quoted(session.inputNames));
  }
  const input = session.inputMetadata[0];
  const shape = input?.isTensor ? input.shape : [];
  const wanted = [1, ...sidesOf(variant.input, variant.size), 3];
  const fits = wanted.every((side, axis) => {
    const found = shape[axis];
    return found === side || typeof found === 'string';
  });
  if (!input?.isTensor || input.type !== 'uint8' || shape.length !== 4 || !fits) {
    const found = input?.isTensor ? `${input.type} [${shape.join(', ')}]` : 'no tensor';
    throw mismatch(variant, `an input of uint8 [${wanted.join(', ')}]`, found);
  }
}

/** @param columns size of the last dimension, where the description says it */
function checkOutput(
  session: Session,
  variant: Variant,
  output: ModelOutput,
  columns: number | null,
): void {
  const found = session.outputMetadata.find(({ name }) => name === output.name);
  if (found === undefined) {
    throw mismatch(variant, `an output "${output.name}"`, quoted(session.outputNames));
  }
  const shape = found.isTensor ? found.shape : [];
  const last = shape.at(-1);
  const fits = columns === null || last === columns || typeof last === 'string';
  if (!found.isTensor || found.type !== output.type || !fits) {
    throw mismatch(
      variant,
      `${output.type} output "${output.name}"${columns === null ? '' : ` of ${columns} classes`}`,
      found.isTensor ? `${found.type} [${shape.join(', ')}]` : 'no tensor',
    );
  }
}

/** @throws MND_MODEL_MISMATCH unless a classifier's logits are one row of `classes` values */
export function checkClasses(variant: Variant, logits: ort.Tensor | undefined): void {
  if (variant.head.kind !== 'classifier') return;
  if (logits?.data.length === variant.head.classes) return;
  const found = logits === undefined ? 'no output' : `[${logits.dims.join(', ')}]`;
  throw mismatch(variant, `logits [1, ${variant.head.classes}]`, found);
}

function mismatch(variant: Variant, expected: string, found: string): Error {
  return codedError('MND_MODEL_MISMATCH', { subject: variant.file, expected, found });
}

function quoted(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(', ') || 'none';
}
