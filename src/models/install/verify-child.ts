import { answerParent } from './child-main.js';
import { type VerifyRequest, verifyVariants } from './verify.js';

answerParent('MND_MODEL_VERIFY', (request: VerifyRequest) => verifyVariants(request));
