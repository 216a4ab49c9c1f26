import { setPriority } from 'node:os';
import type { Frame } from '../camera/source.js';
import { answerParent } from '../models/install/child-main.js';
import type { Variant } from '../models/variant.js';
import type { FormCost } from './costs.js';
import { type ProfileRequest, profileForms } from './measure.js';
import { shippedPictures, variedPictures } from './pictures.js';
import { measureScale, type ScoreScale } from './scale.js';

export interface ProfileChildRequest extends Omit<ProfileRequest, 'pictures'> {
  /** Null: the shipped ones. They are made here: a daemon would hold 20 MB more meanwhile. */
  readonly pictures: readonly Frame[] | null;
  /** The variant, and the one whose scores are the scale, each in the form to compare them in. */
  readonly scale: {
    readonly variant: Variant;
    readonly reference: Variant;
    /** Null: those of the request, and variations of the shipped photo. */
    readonly pictures: readonly Frame[] | null;
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
    const { variant, reference } = request.scale;
    const pictures = request.pictures ?? (await shippedPictures());
    const compared = request.scale.pictures ?? [...pictures, ...(await variedPictures())];
    const scale = await measureScale(variant, reference, compared);
    return { costs: await profileForms({ ...request, pictures }), scale };
  },
);
