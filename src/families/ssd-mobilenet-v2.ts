import { mobilenetV2Backbone } from './mobilenet-v2.js';
import { ssdFamily } from './ssd.js';

/** SSD on MobileNetV2, as in ssd_mobilenet_v2_coco: it looks at an expansion and at the last layer. */
export const SSD_MOBILENET_V2 = ssdFamily({
  name: 'ssd_mobilenet_v2',
  title: 'SSD on MobileNetV2',
  backbone: mobilenetV2Backbone,
  sources: ['expanded_conv_13/expand', 'Conv_1'],
  lite: false,
});
