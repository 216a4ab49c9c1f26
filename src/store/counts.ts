import type { Database } from 'better-sqlite3';

/** Events of one label at one camera that began since a time. */
export interface EventCount {
  readonly camera: string;
  readonly label: string;
  readonly events: number;
}

const COUNTED = `
  SELECT camera.name AS camera, label.name AS label, count(*) AS events
  FROM event JOIN camera ON camera.id = event.camera JOIN label ON label.id = event.label
  WHERE event.start >= @since`;

/**
 * Counts events by camera and label from the time (ms) they began; labels without any are left out.
 *
 * @param label that one only, which an index answers
 */
export function countEvents(
  database: Database,
  since: number,
  label: string | null,
): readonly EventCount[] {
  const named =
    label === null ? '' : ' AND event.label = (SELECT id FROM label WHERE name = @label)';
  const sql = `${COUNTED}${named} GROUP BY event.camera, event.label`;
  const query = database.prepare<[object], EventCount>(sql);
  return query.all({ since, ...(label !== null && { label }) });
}
