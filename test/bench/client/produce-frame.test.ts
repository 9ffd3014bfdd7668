import t from 'tap'
import { BatchPool } from '../../../bench/client/batch-pool.js'
import { ProduceFrame } from '../../../bench/client/produce-frame.js'
import { BATCH_BASE_SEQUENCE, BATCH_PRODUCER_ID, validateProducedBatch } from '../../../format/index.js'

t.test('batches stay valid as they are addressed anew', async (t) => {
  const pool = new BatchPool('json', 3)
  const batches = [pool.take(), pool.take()]
  const frame = new ProduceFrame({ topic: 'topic', batches, recordsPerBatch: 3, producerId: 77 })
  const sequences = new Int32Array(5)
  let end = frame.bytes.byteLength
  const places = [...batches].reverse().map(({ byteLength }) => {
    const position = end - byteLength
    end = position - 8
    return { position, bytes: byteLength }
  })
  places.reverse()
  for (const first of [4, 4, 1]) {
    frame.address(9, first, sequences)
    for (const [number, { position, bytes }] of places.entries()) {
      const batch = frame.bytes.subarray(position, position + bytes)
      validateProducedBatch(new Uint8Array(batch))
      t.equal(frame.bytes.readInt32BE(position - 8), (first + number) % 5, 'the partition, round about')
      t.equal(batch.readBigInt64BE(BATCH_PRODUCER_ID), 77n)
      t.equal(batch.readInt32BE(BATCH_BASE_SEQUENCE), sequences[(first + number) % 5]! - 3)
    }
  }
  t.strictSame([...sequences], [6, 3, 3, 0, 6])
})
