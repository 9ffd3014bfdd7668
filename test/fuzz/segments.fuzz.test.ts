import fc from 'fast-check'
import t from 'tap'
import { BLOCK_HEADER_CRC, BLOCK_STORED_CRC } from '../../format/block.js'
import {
  BLOCK_HEADER_BYTES,
  crc32c,
  decodeBlock,
  decodeIndex,
  FOOTER_BYTES,
  FormatError,
  iterateBatches,
  openSegment,
  readBlock,
  verifySegment,
} from '../../format/index.js'
import { FOOTER_CRC, FOOTER_INDEX_CRC, FOOTER_INDEX_POSITION } from '../../format/segment-footer.js'
import { smallSegment, sourceOf } from '../format/samples.js'
import { fuzz, fuzzAsync, fuzzSeed, mutated, mutations, randomBytes } from './fuzzing.js'

t.comment(`HEADRACE_FUZZ_SEED=${fuzzSeed}`)

const segments = [smallSegment(0), smallSegment(1)]
const blocks = segments.flatMap(({ bytes, index }) =>
  index.blocks.map(({ position, bytes: length }) => bytes.slice(position, position + length)),
)
const indexes = segments.map(({ bytes }) => {
  const footer = bytes.byteLength - FOOTER_BYTES
  return bytes.slice(indexPositionOf(bytes), footer)
})

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function indexPositionOf(bytes: Uint8Array): number {
  return Number(viewOf(bytes).getBigInt64(bytes.byteLength - FOOTER_BYTES + FOOTER_INDEX_POSITION))
}

/** Whether the bytes were refused. Whatever is thrown that is no FormatError is a bug. */
function refused(error: unknown): true {
  if (error instanceof FormatError) return true
  throw error
}

async function isRefused(action: () => unknown): Promise<boolean> {
  try {
    await action()
    return false
  } catch (error) {
    return refused(error)
  }
}

/** Opens a segment, reads what its index names, verifies it. Verifying finds whatever reading finds. */
async function readWhole(bytes: Uint8Array): Promise<boolean> {
  const source = sourceOf(bytes)
  const failed = await isRefused(async () => {
    const { index } = await openSegment(source)
    for (const entry of index.blocks) {
      const { rawBytes } = await readBlock(source, entry)
      for (const _batch of iterateBatches(rawBytes)) {
        // Walking is the test.
      }
    }
  })
  const { damages } = await verifySegment(source)
  if (failed && damages.length === 0) throw new Error('a segment that cannot be read was found intact')
  return damages.length > 0
}

t.test('any change of a segment is found', async () => {
  await fuzzAsync(fc.tuple(fc.constantFrom(...segments), mutations), 500, async ([{ bytes }, changes]) => {
    const changed = mutated(bytes, changes)
    const damaged = await readWhole(changed)
    if (!damaged && !Buffer.from(changed).equals(bytes)) throw new Error('damage went unnoticed')
  })
})

t.test('random bytes as segments', async () => {
  await fuzzAsync(randomBytes(300), 300, async (bytes) => {
    if (!(await readWhole(bytes))) throw new Error('noise was taken for a segment')
  })
})

t.test('indexes and footers with true CRCs that say anything', async () => {
  await fuzzAsync(fc.tuple(fc.constantFrom(...segments), mutations), 500, async ([{ bytes }, changes]) => {
    const changed = bytes.slice()
    const start = indexPositionOf(bytes)
    const tail = mutated(bytes.subarray(start), changes).subarray(0, bytes.byteLength - start)
    changed.set(tail, start)
    await readWhole(withTrueTail(changed, start))
  })
})

function withTrueTail(bytes: Uint8Array, indexPosition: number): Uint8Array {
  const footer = bytes.byteLength - FOOTER_BYTES
  const view = viewOf(bytes)
  view.setUint32(footer + FOOTER_INDEX_CRC, crc32c(bytes.subarray(indexPosition, footer)))
  view.setUint32(footer + FOOTER_CRC, crc32c(bytes.subarray(footer, footer + FOOTER_CRC)))
  return bytes
}

t.test('indexes', async () => {
  const input = fc.oneof(
    fc.tuple(fc.constantFrom(...indexes), mutations).map(([index, changes]) => mutated(index, changes)),
    randomBytes(400),
  )
  fuzz(input, 2000, (bytes) => {
    try {
      const { blocks } = decodeIndex(bytes)
      const batchCount = blocks.reduce((sum, block) => sum + block.batches.length, 0)
      if (batchCount > bytes.byteLength) throw new Error(`${bytes.byteLength} bytes became ${batchCount} batches`)
    } catch (error) {
      refused(error)
    }
  })
})

t.test('blocks, with and without true CRCs', async () => {
  const input = fc.tuple(fc.constantFrom(...blocks), mutations, fc.boolean())
  fuzz(input, 2000, ([block, changes, repaired]) => {
    const changed = repaired ? withTrueBlockCrcs(mutated(block, changes)) : mutated(block, changes)
    try {
      const { rawBytes } = decodeBlock(changed)
      for (const { position, header } of iterateBatches(rawBytes)) {
        if (position + header.bytes > rawBytes.byteLength) throw new Error('a batch ends beyond its block')
      }
    } catch (error) {
      refused(error)
    }
  })
})

function withTrueBlockCrcs(block: Uint8Array): Uint8Array {
  if (block.byteLength < BLOCK_HEADER_BYTES) return block
  const view = viewOf(block)
  view.setUint32(BLOCK_STORED_CRC, crc32c(block.subarray(BLOCK_HEADER_BYTES)))
  view.setUint32(BLOCK_HEADER_CRC, crc32c(block.subarray(0, BLOCK_HEADER_CRC)))
  return block
}
