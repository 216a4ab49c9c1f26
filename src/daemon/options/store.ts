import { join } from 'node:path';
import type { Config } from '../../config/config.js';
import { parseSize } from '../../config/schema/formats.js';
import type { StoreTuning } from '../../store/store.js';
import { leastScoreOf } from './label-rules.js';

const OUTBOX_ROWS = 10_000;

export function databaseFileOf(config: Config): string {
  return join(config.state_dir, 'mobilenetd.db');
}

export function storeTuningOf(config: Config): StoreTuning {
  return {
    commitInterval: config.store.commit_interval,
    detectionInterval: config.store.detection_interval,
    minScore: leastScoreOf(config),
    retention: {
      days: config.store.retention.days,
      maxBytes: parseSize(config.store.retention.max_size),
    },
    outbox: { maxAge: config.mqtt.max_age, maxRows: OUTBOX_ROWS },
  };
}
