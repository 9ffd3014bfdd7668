import type { PartitionRef } from '../model.js'
import type { ExtentPlace } from '../ports/catalog.js'

/** An extent row to be, without what its segment says. */
export interface ExtentDraft extends PartitionRef, ExtentPlace {
  /** Greatest timestamp of the partition up to and including this extent: grows with the offsets, so it can be searched. */
  readonly runningMaxTimestampMs: number
}

/** What an extent needs to know of a block. */
export interface ExtentBlock extends PartitionRef {
  readonly position: number
  readonly bytes: number
  readonly batches: { readonly length: number }
}

type OpenExtent = { -readonly [Name in keyof ExtentDraft]: ExtentDraft[Name] }

/**
 * Collapses a segment's accepted batches, given in index order, into extents. A batch joins the open extent when it follows it without a
 * gap: the next batch of the same block, or the first of the block that begins where the last one ended, read to its end.
 */
export class ExtentCollector {
  readonly #extents: ExtentDraft[] = []
  #open: OpenExtent | undefined
  #lastBlock: ExtentBlock | undefined
  #lastIndex = -1

  get extents(): readonly ExtentDraft[] {
    return this.#extents
  }

  /** The batch at `index` of `block` has the offsets from `baseOffset` to before `endOffset`. */
  add(
    block: ExtentBlock,
    index: number,
    baseOffset: number,
    endOffset: number,
    maxTimestampMs: number,
    runningMaxTimestampMs: number,
  ): void {
    const open = this.#open
    if (open && this.#follows(block, index)) {
      open.bytes = block.position + block.bytes - open.position
      open.batchCount++
      open.endOffset = endOffset
      open.maxTimestampMs = Math.max(open.maxTimestampMs, maxTimestampMs)
      open.runningMaxTimestampMs = runningMaxTimestampMs
    } else {
      this.#open = {
        topicId: block.topicId,
        partition: block.partition,
        baseOffset,
        endOffset,
        position: block.position,
        bytes: block.bytes,
        batchSkipCount: index,
        batchCount: 1,
        maxTimestampMs,
        runningMaxTimestampMs,
      }
      this.#extents.push(this.#open)
    }
    this.#lastBlock = block
    this.#lastIndex = index
  }

  #follows(block: ExtentBlock, index: number): boolean {
    const last = this.#lastBlock
    if (!last) return false
    if (last === block) return index === this.#lastIndex + 1
    return (
      index === 0 &&
      this.#lastIndex === last.batches.length - 1 &&
      block.position === last.position + last.bytes &&
      block.partition === last.partition &&
      block.topicId === last.topicId
    )
  }
}
