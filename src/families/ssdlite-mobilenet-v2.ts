import { mobilenetV2Backbone } from './mobilenet-v2.js';
import { ssdFamily } from './ssd.js';

/** SSDLite (Sandler et al. 2018, arXiv 1801.04381, §6.2) on MobileNetV2. */
export const SSDLITE_MOBILENET_V2 = ssdFamily({
  name: 'ssdlite_mobilenet_v2',
  title: 'SSDLite on MobileNetV2',
  backbone: mobilenetV2Backbone,
  sources: ['expanded_conv_13/expand', 'Conv_1'],
  lite: true,
});
