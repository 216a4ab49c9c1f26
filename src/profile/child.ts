import { setPriority } from 'node:os';
import { answerParent } from '../models/install/child-main.js';
import { type ProfileRequest, profileForms } from './measure.js';

export interface ProfileChildRequest extends ProfileRequest {
  /** Whether everything else on this board goes first. */
  readonly background: boolean;
}

const LOWEST_PRIORITY = 19;

answerParent('MND_INFERENCE_FAILED', (request: ProfileChildRequest) => {
  if (request.background) setPriority(LOWEST_PRIORITY);
  return profileForms(request);
});
