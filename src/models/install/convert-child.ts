import { answerParent } from './child-main.js';
import { type ConversionRequest, convertFiles } from './conversion.js';

answerParent('MND_MODEL_INVALID', (request: ConversionRequest) => convertFiles(request));
