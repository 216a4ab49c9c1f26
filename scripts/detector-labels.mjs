// What the test pictures show, in the words of the detectors: ImageNet names its pictures more
// narrowly than COCO or Open Images name their classes.
const DOGS = [
  'Pekinese',
  'bluetick',
  'Norwegian_elkhound',
  'Irish_terrier',
  'Dandie_Dinmont',
  'Lhasa',
  'Gordon_setter',
  'groenendael',
  'Rottweiler',
  'Tibetan_mastiff',
  'pug',
  'Cardigan',
];
const BIRDS = ['indigo_bunting', 'great_grey_owl', 'peacock', 'hummingbird', 'crane', 'pelican'];
const BOATS = ['catamaran', 'fireboat', 'paddlewheel', 'pirate', 'speedboat', 'yawl'];
const ROAD = ['car', 'bus', 'truck', 'vehicle'];

const OBJECTS = new Map([
  ...DOGS.map((name) => [name, ['dog']]),
  ...BIRDS.map((name) => [name, ['bird']]),
  ...BOATS.map((name) => [name, ['boat']]),
  ['Siamese_cat', ['cat']],
  ['brown_bear', ['bear']],
  ['airliner', ['airplane']],
  ['backpack', ['backpack']],
  ['bicycle-built-for-two', ['bicycle']],
  ['coffee_mug', ['cup', 'mug', 'coffee cup']],
  ['minibus', ROAD],
  ['police_van', ROAD],
  ['tow_truck', ROAD],
  ['trolleybus', ROAD],
  ['monitor', ['tv', 'computer monitor']],
  ['parking_meter', ['parking meter']],
  ['bookshop', ['book']],
  ['library', ['book']],
  ['cowboy_boot', ['boot', 'footwear']],
  ['sandal', ['footwear']],
  ['suit', ['person', 'tie']],
  ['kimono', ['person']],
  ['cardigan', ['person']],
  ['banana', ['banana']],
  ['hotdog', ['hot dog']],
]);

/** Labels of which a picture named `<wnid>_<label>.JPEG` should have one; none if that is not known. */
export function objectsIn(file) {
  const name = /^n\d+_(.+)\.jpe?g$/i.exec(file)?.[1] ?? '';
  return OBJECTS.get(name) ?? [];
}
