import t from 'tap'
import { createPrometheusMetrics } from '../../../adapters/http/index.js'

t.test('engine metrics become Prometheus series', async (t) => {
  const metrics = createPrometheusMetrics()
  metrics.stage('upload', 120)
  metrics.count('produce_bytes', 500)
  metrics.count('produce_bytes', 24)
  metrics.gauge('arena_bytes_in_use', 7)
  const text = await metrics.render()
  t.match(text, 'headrace_write_stage_seconds_bucket{le="0.1",stage="upload"} 0')
  t.match(text, 'headrace_write_stage_seconds_bucket{le="0.15",stage="upload"} 1')
  t.match(text, 'headrace_write_stage_seconds_sum{stage="upload"} 0.12')
  t.match(text, 'headrace_produce_bytes_total 524')
  t.match(text, 'headrace_commits_total 0', 'what never happened is 0, not absent')
  t.match(text, 'headrace_arena_bytes_in_use 7')
  t.match(text, /headrace_event_loop_utilization_ratio [01](\.\d+)?\n/)
  t.match(text, 'process_resident_memory_bytes')
  t.match(text, 'nodejs_eventloop_lag_p99_seconds')
})

t.test('Kafka traffic tells what crosses zones', async (t) => {
  const metrics = createPrometheusMetrics()
  metrics.kafka.requestDone('Produce', 9, 30)
  metrics.kafka.requestBytes(100, true)
  metrics.kafka.responseBytes(7, false)
  metrics.kafka.connectionCount(2)
  metrics.kafka.connectionFailed()
  const text = await metrics.render()
  t.match(text, 'headrace_kafka_request_seconds_sum{api="Produce"} 0.03')
  t.match(text, 'headrace_kafka_traffic_bytes_total{direction="in",across_zones="true"} 100')
  t.match(text, 'headrace_kafka_traffic_bytes_total{direction="out",across_zones="false"} 7')
  t.match(text, 'headrace_kafka_connections 2')
  t.match(text, 'headrace_kafka_connections_failed_total 1')
})

t.test('requests to the object store count by operation and outcome', async (t) => {
  const { objectStore, render } = createPrometheusMetrics()
  objectStore.observed({ operation: 'put', outcome: 'ok', durationMs: 120, bytes: 500, requestCount: 3 })
  objectStore.observed({
    operation: 'put',
    outcome: 'OBJECT_STORE_TIMEOUT',
    durationMs: 9_000,
    bytes: 0,
    requestCount: 1,
  })
  const text = await render()
  t.match(text, 'headrace_object_store_requests_total{operation="put",outcome="ok"} 3')
  t.match(text, 'headrace_object_store_requests_total{operation="put",outcome="OBJECT_STORE_TIMEOUT"} 1')
  t.match(text, 'headrace_object_store_bytes_total{operation="put"} 500')
  t.match(text, 'headrace_object_store_seconds_sum{operation="put"} 0.12', 'only what succeeded')
})

t.test('two agents in one process do not share numbers', async (t) => {
  const [one, other] = [createPrometheusMetrics(), createPrometheusMetrics()]
  one.count('commits', 1)
  t.match(await other.render(), 'headrace_commits_total 0')
})
