import type { WriteStage } from '../engine/ports/metrics.js'
import type { AgentProcess } from '../test/support/agent-process.js'

/** What an agent's histogram of a stage has counted. */
export interface StageTimes {
  readonly count: number
  readonly sumMs: number
  /** Upper bounds and how many observations lie at or below each; the last bound is infinite. */
  readonly buckets: readonly { readonly uptoMs: number; readonly count: number }[]
}

/** Reads an agent's own histograms from its `/metrics`, where they are for everybody. */
export async function readStage({ httpPort }: Pick<AgentProcess, 'httpPort'>, stage: WriteStage): Promise<StageTimes> {
  const text = await (await fetch(`http://127.0.0.1:${httpPort}/metrics`)).text()
  const series = (suffix: string) =>
    Number(new RegExp(`^headrace_write_stage_seconds_${suffix}\\{stage="${stage}"\\} (.*)$`, 'm').exec(text)?.[1] ?? 0)
  const bucket = new RegExp(
    `^headrace_write_stage_seconds_bucket\\{(?=[^}]*stage="${stage}")[^}]*le="([^"]+)"[^}]*\\} (.*)$`,
    'gm',
  )
  const buckets = [...text.matchAll(bucket)].map(([, le = '', count = '0']) => ({
    uptoMs: le === '+Inf' ? Number.POSITIVE_INFINITY : Number(le) * 1000,
    count: Number(count),
  }))
  return { count: series('count'), sumMs: series('sum') * 1000, buckets }
}

/** What was observed between two readings. */
export function stageSince(before: StageTimes, after: StageTimes): StageTimes {
  return {
    count: after.count - before.count,
    sumMs: after.sumMs - before.sumMs,
    buckets: after.buckets.map(({ uptoMs, count }, number) => ({
      uptoMs,
      count: count - (before.buckets[number]?.count ?? 0),
    })),
  }
}

export function stageMeanMs({ sumMs, count }: StageTimes): number {
  return sumMs / count
}

/** Within the bucket it lies in, as if observations were spread evenly there: what Prometheus' `histogram_quantile` does. */
export function stagePercentileMs({ buckets, count }: StageTimes, fraction: number): number {
  const rank = fraction * count
  let belowMs = 0
  let below = 0
  for (const bucket of buckets) {
    if (bucket.count >= rank && bucket.count > below) {
      if (!Number.isFinite(bucket.uptoMs)) return belowMs
      return belowMs + ((bucket.uptoMs - belowMs) * (rank - below)) / (bucket.count - below)
    }
    belowMs = bucket.uptoMs
    below = bucket.count
  }
  return Number.NaN
}
