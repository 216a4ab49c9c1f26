import type { Step } from './step.js';
import { BROKER_STEP } from './steps/broker.js';
import { CAMERA_STEP } from './steps/camera.js';
import { HEAT_STEP } from './steps/heat.js';
import { LABELS_STEP } from './steps/labels.js';
import { NAME_STEP } from './steps/name.js';
import { NOTIFY_STEP } from './steps/notify.js';
import { PAGE_STEP } from './steps/page.js';
import { NEEDS_STEP, SYSTEM_STEP } from './steps/system.js';

/** The dialogue, in its order. */
export const STEPS: readonly Step[] = [
  SYSTEM_STEP,
  NAME_STEP,
  CAMERA_STEP,
  LABELS_STEP,
  BROKER_STEP,
  HEAT_STEP,
  NOTIFY_STEP,
  PAGE_STEP,
  NEEDS_STEP,
];
