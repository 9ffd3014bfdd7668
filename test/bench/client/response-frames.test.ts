import t from 'tap'
import { ResponseFrames } from '../../../bench/client/response-frames.js'

t.test('cuts frames wherever chunks end', async (t) => {
  const frames = [0, 1, 5, 300].map((bytes) => {
    const frame = Buffer.alloc(4 + bytes, bytes)
    frame.writeInt32BE(bytes, 0)
    return frame
  })
  const stream = Buffer.concat(frames)
  for (const chunkBytes of [1, 3, 7, 100, stream.byteLength]) {
    const cutter = new ResponseFrames()
    const cut: Buffer[] = []
    for (let at = 0; at < stream.byteLength; at += chunkBytes)
      cut.push(...cutter.take(stream.subarray(at, at + chunkBytes)))
    t.strictSame(cut.map(String), frames.map(String), `chunks of ${chunkBytes}`)
  }
})
