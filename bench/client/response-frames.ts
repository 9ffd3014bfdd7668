const LENGTH_BYTES = 4

/** Cuts a byte stream into frames, length prefixes included. Copies only frames that arrive in pieces, and those once. */
export class ResponseFrames {
  #pieces: Buffer[] = []
  #pieceBytes = 0
  /** Of the frame whose pieces are being gathered; 0 while its length is not known. */
  #frameBytes = 0

  take(chunk: Buffer): Buffer[] {
    this.#pieces.push(chunk)
    this.#pieceBytes += chunk.byteLength
    if (this.#pieceBytes < Math.max(LENGTH_BYTES, this.#frameBytes)) return []
    const frames: Buffer[] = []
    let bytes = this.#pieces.length === 1 ? chunk : Buffer.concat(this.#pieces)
    this.#frameBytes = 0
    while (bytes.byteLength >= LENGTH_BYTES) {
      const end = LENGTH_BYTES + bytes.readInt32BE(0)
      if (bytes.byteLength < end) {
        this.#frameBytes = end
        break
      }
      frames.push(bytes.subarray(0, end))
      bytes = bytes.subarray(end)
    }
    this.#pieces = bytes.byteLength === 0 ? [] : [bytes]
    this.#pieceBytes = bytes.byteLength
    return frames
  }
}
