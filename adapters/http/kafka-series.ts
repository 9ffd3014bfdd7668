import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

/**
 * What a Kafka listener reports, as series. Its shape is the listener's `KafkaMetrics`, unnamed here: these two adapters
 * meet in the composition root only.
 */
export type KafkaSeries = ReturnType<typeof createKafkaSeries>

export function createKafkaSeries(registry: Registry, bucketsSeconds: number[]) {
  const registers = [registry]
  const requests = new Histogram<'api'>({
    name: 'headrace_kafka_request_seconds',
    help: 'From the complete request to its response being handed to the socket',
    labelNames: ['api'],
    buckets: bucketsSeconds,
    registers,
  })
  const traffic = new Counter<'direction' | 'across_zones'>({
    name: 'headrace_kafka_traffic_bytes_total',
    help: 'Bytes exchanged with Kafka clients; across_zones: with clients known to be in another zone',
    labelNames: ['direction', 'across_zones'],
    registers,
  })
  const connections = new Gauge({ name: 'headrace_kafka_connections', help: 'Open Kafka connections', registers })
  const failures = new Counter({
    name: 'headrace_kafka_connections_failed_total',
    help: 'Connections closed for what their client did',
    registers,
  })
  return {
    requestDone: (api: string, _version: number, durationMs: number) => requests.observe({ api }, durationMs / 1000),
    requestBytes: (bytes: number, acrossZones: boolean) =>
      traffic.inc({ direction: 'in', across_zones: String(acrossZones) }, bytes),
    responseBytes: (bytes: number, acrossZones: boolean) =>
      traffic.inc({ direction: 'out', across_zones: String(acrossZones) }, bytes),
    connectionCount: (count: number) => connections.set(count),
    connectionFailed: () => failures.inc(),
  }
}
