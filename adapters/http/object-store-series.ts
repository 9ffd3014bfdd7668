import { Counter, Histogram, type Registry } from 'prom-client'

/**
 * What the object store is asked and how it answers, as series. Its shape is that store's `ObjectStoreSink`, unnamed here:
 * these two adapters meet in the composition root only.
 */
export type ObjectStoreSeries = ReturnType<typeof createObjectStoreSeries>

interface Observation {
  readonly operation: string
  readonly outcome: string
  readonly durationMs: number
  readonly bytes: number
  readonly requestCount: number
}

export function createObjectStoreSeries(registry: Registry, bucketsSeconds: number[]) {
  const registers = [registry]
  const requests = new Counter<'operation' | 'outcome'>({
    name: 'headrace_object_store_requests_total',
    help: 'Requests to the object store by operation and outcome (ok, or the error); an upload in parts is several',
    labelNames: ['operation', 'outcome'],
    registers,
  })
  const bytes = new Counter<'operation'>({
    name: 'headrace_object_store_bytes_total',
    help: 'Bytes of objects written to and read from the object store',
    labelNames: ['operation'],
    registers,
  })
  const durations = new Histogram<'operation'>({
    name: 'headrace_object_store_seconds',
    help: 'How long operations of the object store take that succeed',
    labelNames: ['operation'],
    buckets: bucketsSeconds,
    registers,
  })
  return {
    observed: (observation: Observation): void => {
      const { operation, outcome } = observation
      requests.inc({ operation, outcome }, observation.requestCount)
      bytes.inc({ operation }, observation.bytes)
      // A refusal is quick and a timeout is as long as its limit: beside what works they would tell of neither.
      if (outcome === 'ok') durations.observe({ operation }, observation.durationMs / 1000)
    },
  }
}
