import v8 from 'node:v8'

/** Bytes that a process's heap, with what hangs on it outside, may gain before V8 marks it all again. */
const GROWTH_BYTES = 64 * 1024 * 1024
/** V8 itself lets no heap grow by more than this. */
const GROWING_PERCENT_MAX = 300
const GROWING_PERCENT_MIN = 50
const ADJUST_INTERVAL_MS = 10_000

/**
 * How far a heap of `usedBytes` may grow, as V8's flag `heap_growing_percent` takes it; 0 leaves it to V8, which is right
 * for a large heap.
 */
export function heapGrowingPercent(usedBytes: number): number {
  const percent = Math.floor((100 * GROWTH_BYTES) / usedBytes)
  return percent < GROWING_PERCENT_MIN ? 0 : Math.min(percent, GROWING_PERCENT_MAX)
}

/**
 * Lets small heaps grow between full collections. An agent's are: some 10 to 30 MiB a thread, beside which every socket read and
 * LZ4 block is memory outside, which counts as growth. Left alone, V8 then marks a heap for every 8 MiB of such bytes: five to nine times
 * a second and thread at full load, a quarter of the process's time (docs/performance.md).
 *
 * The flag is one of the whole process, so this is for processes that are ours: the command line, not the library. V8 reads it at each
 * full collection, in all threads.
 */
export function letSmallHeapsGrow(): void {
  const adjust = () => {
    const { used_heap_size } = v8.getHeapStatistics()
    v8.setFlagsFromString(`--heap-growing-percent=${heapGrowingPercent(used_heap_size)}`)
  }
  adjust()
  setInterval(adjust, ADJUST_INTERVAL_MS).unref()
}
