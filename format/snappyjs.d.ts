/** snappyjs ships no types. */
declare module 'snappyjs' {
  /** @throws Error when damaged or longer than `maxLength` bytes, which is checked before anything is allocated */
  export function uncompress(compressed: Uint8Array, maxLength?: number): Uint8Array
  export function compress(uncompressed: Uint8Array): Uint8Array
}
