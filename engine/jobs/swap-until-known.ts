import { isHeadraceError } from '../errors.js'
import type { JobsCatalog, SegmentSwap, SwapOutcome } from '../ports/jobs-catalog.js'

const ATTEMPTS_MAX = 3

/** An unknown outcome is asked for: told the same swap again, the catalog knows it. */
export async function swapUntilKnown(
  catalog: JobsCatalog,
  swap: SegmentSwap,
  commitAgeMaxMs: number,
): Promise<SwapOutcome> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await catalog.swapSegments(swap, { commitAgeMaxMs })
    } catch (error) {
      if (attempt === ATTEMPTS_MAX || !isHeadraceError(error) || error.retry === 'never') throw error
    }
  }
}
