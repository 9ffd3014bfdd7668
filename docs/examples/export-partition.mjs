/**
 * A job of one's own over Headrace's format: writes the records of one partition as JSON lines, in offset order, straight from the
 * objects, without an agent and without the catalog.
 *
 *   node docs/examples/export-partition.mjs DIRECTORY TOPIC_ID PARTITION
 *
 * DIRECTORY holds segments: that of a `file://` store, or a copy of a bucket (`aws s3 sync s3://bucket/prefix DIRECTORY`).
 * To read a bucket directly, give `openSegment` and `readBlock` a `readRange` that makes ranged GETs; nothing else changes.
 *
 * Segments of level 1 and above know their offsets. What compaction has not taken in yet (level 0) does not, and may hold batches that the
 * commit refused; its offsets are in the catalog. So this exports what is compacted, which `headrace compact --once
 * --compaction-fan-in 2 --compaction-delay 0ms` makes everything but the last segment.
 */
import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { iterateRecords, openSegment, readBlock } from 'headrace/format'

const [directory, topicId, partitionText] = process.argv.slice(2)
if (partitionText === undefined) {
  console.error('usage: export-partition.mjs DIRECTORY TOPIC_ID PARTITION')
  process.exit(2)
}
const partition = Number(partitionText)
const BLOCKS_OPEN_MAX = 16

// One pass over the tails: a read or two per segment, and only the batches of our partition stay in memory, as index entries.
const batches = []
for (const file of await readdir(directory, { recursive: true })) {
  if (!file.endsWith('.seg')) continue
  await withSegment(join(directory, file), async (source) => {
    const { index } = await openSegment(source)
    if (index.level === 0) return
    for (const block of index.blocks) {
      if (block.topicId !== topicId || block.partition !== partition) continue
      for (const batch of block.batches) batches.push({ file, block, batch })
    }
  })
}

// An input of compaction may still be there beside its output, so a batch may come twice; they are the same.
batches.sort((a, b) => a.batch.baseOffset - b.batch.baseOffset)
let nextOffset = 0
const opened = []
for (const { file, block, batch } of batches) {
  if (batch.baseOffset < nextOffset) continue
  const rawBytes = await blockBytes(file, block)
  const bytes = rawBytes.subarray(batch.position, batch.position + batch.bytes)
  for (const { offset, timestampMs, key, value } of iterateRecords(bytes, { baseOffset: batch.baseOffset })) {
    process.stdout.write(`${JSON.stringify({ offset, timestampMs, key: text(key), value: text(value) })}\n`)
  }
  nextOffset = batch.baseOffset + batch.lastOffsetDelta + 1
}

/** The decompressed block; the last few stay open, because segments may share a stretch of the log. */
async function blockBytes(file, block) {
  const known = opened.find((other) => other.block === block)
  if (known !== undefined) return known.rawBytes
  if (opened.length === BLOCKS_OPEN_MAX) opened.shift()
  await withSegment(join(directory, file), async (source) => {
    opened.push({ block, rawBytes: (await readBlock(source, block)).rawBytes })
  })
  return opened.at(-1).rawBytes
}

function text(bytes) {
  return bytes === null ? null : new TextDecoder().decode(bytes)
}

/** Opens a file as a `SegmentSource`: its size, and a way to read a range of it. */
async function withSegment(path, use) {
  const file = await open(path)
  try {
    const { size } = await file.stat()
    const readRange = async (position, bytes) => {
      const { bytesRead, buffer } = await file.read(new Uint8Array(bytes), 0, bytes, position)
      if (bytesRead < bytes) throw new Error(`${path} ends before ${position + bytes}`)
      return buffer
    }
    await use({ objectBytes: size, readRange })
  } finally {
    await file.close()
  }
}
