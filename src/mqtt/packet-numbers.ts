import { writeToStream } from 'mqtt-packet';

/**
 * mqtt-packet makes a buffer of every number that two bytes can hold before it writes its first packet:
 * 65 536 objects, 7 MB, for lengths and packet ids that are as fast to write one by one.
 */
writeToStream.cacheNumbers = false;
