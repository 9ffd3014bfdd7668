import { createHistogram, type RecordableHistogram } from 'node:perf_hooks'
import type { WindowResult } from './load.js'

export interface Percentiles {
  readonly count: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly p999Ms: number
}

/** HdrHistograms with three significant digits, from a microsecond to ten minutes. */
const HISTOGRAM = { lowest: 1, highest: 600_000_000, figures: 3 }

interface Window {
  requestCount: number
  bytes: number
  recordCount: number
  readonly acknowledged: RecordableHistogram
  readonly consumed: RecordableHistogram
}

/**
 * What came of a load, window by window. Bytes belong to the window in which they were acknowledged; a latency belongs to the
 * window in which its request was *due*, however late the answer: an answer that comes after the end counts in full, so that a
 * broker that stands still cannot hide it (coordinated omission).
 */
export class LoadWindows {
  readonly #windows: readonly Window[]
  readonly #windowMs: number
  readonly #all = newWindow()
  #startedAtMs = Number.POSITIVE_INFINITY

  constructor(count: number, durationMs: number) {
    this.#windows = Array.from({ length: count }, newWindow)
    this.#windowMs = durationMs / count
  }

  /** From now on, and for the duration, what happens counts. */
  start(nowMs: number): void {
    this.#startedAtMs = nowMs
  }

  acknowledged(dueAtMs: number, nowMs: number, bytes: number, recordCount: number): void {
    const current = this.#at(nowMs)
    for (const window of current === undefined ? [] : [current, this.#all]) {
      window.requestCount++
      window.bytes += bytes
      window.recordCount += recordCount
    }
    this.#latency('acknowledged', dueAtMs, nowMs)
  }

  consumed(dueAtMs: number, nowMs: number): void {
    this.#latency('consumed', dueAtMs, nowMs)
  }

  results(): readonly WindowResult[] {
    return this.#windows.map((window) => resultOf(window, this.#windowMs))
  }

  total(): WindowResult {
    return resultOf(this.#all, this.#windowMs * this.#windows.length)
  }

  #latency(kind: 'acknowledged' | 'consumed', dueAtMs: number, nowMs: number): void {
    const window = this.#at(dueAtMs)
    if (window === undefined) return
    const microseconds = Math.min(HISTOGRAM.highest, Math.max(1, Math.round((nowMs - dueAtMs) * 1000)))
    window[kind].record(microseconds)
    this.#all[kind].record(microseconds)
  }

  #at(ms: number): Window | undefined {
    return this.#windows[Math.floor((ms - this.#startedAtMs) / this.#windowMs)]
  }
}

function newWindow(): Window {
  return {
    requestCount: 0,
    bytes: 0,
    recordCount: 0,
    acknowledged: createHistogram(HISTOGRAM),
    consumed: createHistogram(HISTOGRAM),
  }
}

function resultOf({ acknowledged, consumed, ...counts }: Window, durationMs: number): WindowResult {
  return { ...counts, durationMs, acknowledged: percentilesOf(acknowledged), consumed: percentilesOf(consumed) }
}

function percentilesOf(histogram: RecordableHistogram): Percentiles {
  const at = (percent: number) => (histogram.count === 0 ? Number.NaN : histogram.percentile(percent) / 1000)
  return { count: histogram.count, p50Ms: at(50), p99Ms: at(99), p999Ms: at(99.9) }
}
