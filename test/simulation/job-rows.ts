import type { SegmentSwap, SwapOutcome } from '../../engine/ports/jobs-catalog.js'
import { FakeJobsCatalog } from '../support/fake-jobs-catalog.js'
import type { LayoutFact } from './history.js'

/**
 * The rows of the simulated database: logs, outcomes, segments and leases. The methods of the fake catalog take effect when they are
 * called; when that is, and who learns of it, is the database's and the network's part.
 */
export class JobRows extends FakeJobsCatalog {
  protected checkOpen(): void {}

  /** The bug of a swap that does not look at its inputs: they may have been replaced by now. */
  swapBlindly({ inputs, output }: SegmentSwap): SwapOutcome {
    this.drop(({ segmentId }) => inputs.includes(segmentId))
    if (output === undefined) return { swapped: true }
    const { extents, ...segment } = output
    this.addSegment(segment, extents.length)
    for (const { replaces: _, ...extent } of extents) {
      const log = this.logs.find(extent)
      log?.extents.push({ ...extent, ...segment })
      log?.extents.sort((a, b) => a.endOffset - b.endOffset)
    }
    return { swapped: true }
  }

  /** What the logs are made of now, for the history. */
  layout(): LayoutFact[] {
    return [...this.logs.rows.values()].map(({ logStartOffset, highWatermark, extents }, partition) => ({
      partition,
      logStartOffset,
      highWatermark,
      extents: extents.map(({ baseOffset, endOffset, segmentId }) => ({
        baseOffset,
        endOffset,
        segmentId,
      })),
    }))
  }

  async liveKeys(): Promise<string[]> {
    const totals = await this.segmentTotals()
    const levels = totals.filter(({ state }) => state === 'live')
    const pages = await Promise.all(levels.map(({ level }) => this.liveSegments({ level, limit: 100_000 })))
    return pages.flat().map(({ objectKey }) => objectKey)
  }
}
