import type { Config } from '../../config/config.js';
import { parseSize } from '../../config/schema/formats.js';
import type { VariantRequest } from '../../models/resolve.js';
import type { CropBounds } from '../../taught/shelf.js';
import type { TaughtTask } from '../../taught/task.js';

export function cropBoundsOf({ teach }: Config): CropBounds {
  return { maxCrops: teach.max_crops, maxBytes: parseSize(teach.max_size) };
}

/** What is asked of the models for a task: objects are looked at by the second network, if there is one. */
export function taughtRequest({ model }: Config, { of }: TaughtTask): VariantRequest {
  const { task, name, form, second } = model;
  return of !== null && second.name !== null
    ? { task: 'classify', name: second.name, form: 'auto' }
    : { task, name, form };
}
