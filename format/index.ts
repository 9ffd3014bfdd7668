/** `headrace/format`: the segment and record-batch codecs. Pure: no I/O, no clock, no randomness. */
export * from './errors.js'
export * from './types.js'
