import { answerParent } from './child-main.js';
import { convertFiles } from './conversion.js';
import type { ConversionRequest } from './request.js';

answerParent('MND_MODEL_INVALID', (request: ConversionRequest) => convertFiles(request));
