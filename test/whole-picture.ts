/** What an event of a label of the whole picture says of objects and zones. */
export const WHOLE_PICTURE = {
  ...{ object: null, stationary: false, zones: [], loitering: [] },
  ...{ subLabel: null, subScore: null },
} as const;
