/** What the drawn camera can look at. */
export const SCENE_NAMES = ['street', 'parade', 'mugs'] as const;

export type SceneName = (typeof SCENE_NAMES)[number];
