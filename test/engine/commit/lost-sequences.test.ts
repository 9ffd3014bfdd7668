import t from 'tap'
import type { ProduceResult } from '../../../engine/broker.js'
import { LostSequences } from '../../../engine/commit/lost-sequences.js'
import { judgeSequence } from '../../../engine/commit/producer-state.js'
import { HeadraceError } from '../../../engine/errors.js'
import type { SealedSegment } from '../../../engine/intake/segments.js'
import { encodeRecordBatch, encodeSegment } from '../../../format/index.js'

const TOPIC = '5bd1f5b2-7a2e-4d0c-9d53-111111111111'
const LOST: ProduceResult = { ok: false, error: new HeadraceError('OBJECT_STORE_TIMEOUT', 'safe', 'no') }
const WRITTEN: ProduceResult = { ok: true, baseOffset: 0, logStartOffset: 0 }

function batchOf(producerId: number): Uint8Array {
  return encodeRecordBatch({ records: [{ timestampMs: 1 }], producerId, producerEpoch: 0, baseSequence: 0 })
}

/** A segment of one batch per producer id, all of partition 3; `garbage` follows as one more. */
function sealed(producerIds: readonly number[], garbage = new Uint8Array(0)): SealedSegment {
  const batches = producerIds.map(batchOf)
  if (garbage.byteLength > 0) batches.push(garbage)
  const arena = new SharedArrayBuffer(batches.reduce((bytes, batch) => bytes + batch.byteLength, 0))
  const rows: number[] = []
  let position = 0
  for (const batch of batches) {
    new Uint8Array(arena).set(batch, position)
    rows.push(0, 3, position, batch.byteLength, 0)
    position += batch.byteLength
  }
  const input = { segmentId: 's', objectKey: 'k', createdAtMs: 0, arena, topicIds: [TOPIC] }
  return {
    stage: 'sealed',
    segmentId: 's',
    input: { ...input, batches: Int32Array.from(rows) },
    arena: { buffer: arena, keep() {}, release: () => {} },
    requests: [],
    batchCount: batches.length,
    bytes: position,
    openedAtMs: 0,
    sealedAtMs: 0,
  }
}

t.test('remembers the producers of what was lost, until they are in the log', async (t) => {
  const lost = new LostSequences()
  t.ok(lost.empty)
  lost.remember(sealed([7, 8, -1], Uint8Array.of(1, 2)), [LOST, WRITTEN, LOST, LOST])
  t.ok(lost.has(TOPIC, 3, 7))
  t.notOk(lost.has(TOPIC, 3, 8), 'written')
  t.notOk(lost.has(TOPIC, 3, -1), 'not idempotent')
  t.notOk(lost.has(TOPIC, 2, 7), 'another partition')
  lost.forget(TOPIC, 3, 7)
  t.ok(lost.empty, 'what cannot be read is not remembered')
})

t.test('remembers a bounded number, the latest', async (t) => {
  const lost = new LostSequences()
  const producerIds = Array.from({ length: 10_001 }, (_, producerId) => producerId)
  lost.remember(
    sealed(producerIds),
    producerIds.map(() => LOST),
  )
  t.notOk(lost.has(TOPIC, 3, 0))
  t.ok(lost.has(TOPIC, 3, 1))
  t.ok(lost.has(TOPIC, 3, 10_000))
})

t.test('inside one commit an earlier segment may be refused as too old', async (t) => {
  const lost = new LostSequences()
  lost.remember(sealed([6]), [LOST])
  const commit = lost.forCommit()
  t.ok(commit.has(TOPIC, 3, 6))
  t.notOk(commit.has(TOPIC, 3, 7))
  const header = { segmentId: '018bcfe5-6800-7000-8000-000000000001', level: 0, createdAtMs: 1 }
  const batches = [7, -1].map((producerId) => ({ topicId: TOPIC, partition: 3, bytes: batchOf(producerId) }))
  const object = encodeSegment(header, batches)
  commit.mayBeLost(object.index)
  t.ok(commit.has(TOPIC, 3, 7))
  t.notOk(commit.has(TOPIC, 3, -1))
  t.notOk(lost.has(TOPIC, 3, 7), 'only for this commit')
})

t.test('after a loss an unknown producer begins at 0, a known one goes on', async (t) => {
  const batch = { producerEpoch: 0, baseSequence: 4, offsetCount: 1 }
  t.equal(judgeSequence(undefined, batch).kind, 'accept')
  t.match(judgeSequence(undefined, { ...batch, afterLoss: true }), { kind: 'refuse', code: 'SEQUENCE_GAP' })
  t.equal(judgeSequence(undefined, { ...batch, baseSequence: 0, afterLoss: true }).kind, 'accept')
  const known = { epoch: 0, sequenceCount: 4, batches: [{ baseSequence: 0, lastSequence: 3, baseOffset: 0 }] }
  t.equal(judgeSequence(known, { ...batch, afterLoss: true }).kind, 'accept')
})
