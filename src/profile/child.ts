import { setPriority } from 'node:os';
import type { Frame } from '../camera/source.js';
import { answerParent } from '../models/install/child-main.js';
import type { Variant } from '../models/variant.js';
import { type FormCost, type ProfileRequest, profileForms } from './measure.js';
import { measureScale, type ScoreScale } from './scale.js';

export interface ProfileChildRequest extends ProfileRequest {
  /** The variant, and the one whose scores are the scale, each in the form to compare them in. */
  readonly scale: {
    readonly variant: Variant;
    readonly reference: Variant;
    readonly pictures: readonly Frame[];
  };
  /** Whether everything else on this board goes first. */
  readonly background: boolean;
}

export interface ProfileChildAnswer {
  readonly costs: FormCost[];
  readonly scale: ScoreScale;
}

const LOWEST_PRIORITY = 19;

answerParent(
  'MND_INFERENCE_FAILED',
  async (request: ProfileChildRequest): Promise<ProfileChildAnswer> => {
    if (request.background) setPriority(LOWEST_PRIORITY);
    const { variant, reference, pictures } = request.scale;
    const scale = await measureScale(variant, reference, pictures);
    return { costs: await profileForms(request), scale };
  },
);
