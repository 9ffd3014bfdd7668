/** Cuts a byte stream into frames, length prefixes included. Copies only frames that arrive in pieces. */
export class ResponseFrames {
  #rest: Buffer = Buffer.alloc(0)

  take(chunk: Buffer): Buffer[] {
    const frames: Buffer[] = []
    let bytes = this.#rest.byteLength === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    while (bytes.byteLength >= 4) {
      const end = 4 + bytes.readInt32BE(0)
      if (bytes.byteLength < end) break
      frames.push(bytes.subarray(0, end))
      bytes = bytes.subarray(end)
    }
    this.#rest = bytes
    return frames
  }
}
