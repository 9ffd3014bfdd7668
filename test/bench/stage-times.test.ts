import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { createPrometheusMetrics } from '../../adapters/http/metrics.js'
import { readStage, stageMeanMs, stagePercentileMs, stageSince } from '../../bench/stage-times.js'

t.test("reads an agent's histograms of a stage, as they grew between two readings", async (t) => {
  const metrics = createPrometheusMetrics()
  const server = createServer(async (_, response) => response.end(await metrics.render()))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const agent = { httpPort: (server.address() as AddressInfo).port }
  metrics.stage('upload', 3_000)
  const before = await readStage(agent, 'upload')
  for (let number = 0; number < 98; number++) metrics.stage('upload', 7)
  metrics.stage('upload', 15)
  metrics.stage('upload', 15)
  metrics.stage('commit_run', 500)
  const stage = stageSince(before, await readStage(agent, 'upload'))
  t.equal(stage.count, 100)
  t.equal(stageMeanMs(stage).toFixed(2), '7.16')
  t.ok(stagePercentileMs(stage, 0.5) > 5 && stagePercentileMs(stage, 0.5) <= 10, 'within the bucket from 5 to 10 ms')
  t.equal(stagePercentileMs(stage, 0.99), 15, 'half of the bucket from 10 to 20 ms')
})
