import { mobilenetV1Backbone } from './mobilenet-v1.js';
import { ssdFamily } from './ssd.js';

/** SSD (Liu et al. 2016, arXiv 1512.02325) on MobileNetV1, as in ssd_mobilenet_v1_coco. */
export const SSD_MOBILENET_V1 = ssdFamily({
  name: 'ssd_mobilenet_v1',
  title: 'SSD on MobileNetV1',
  backbone: mobilenetV1Backbone,
  sources: ['Conv2d_11_pointwise', 'Conv2d_13_pointwise'],
  lite: false,
});
