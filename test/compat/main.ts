import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { describeGroupRun, runGroupFaults } from '../faults/group-run.js'
import { scaleOut } from '../support/store-pairs.js'
import { startCompatCluster } from './cluster.js'
import { JsonLinesDriver } from './drivers/json-lines-driver.js'
import { compileLibrdkafka } from './drivers/librdkafka.js'
import { clients, type OpenClient, runScenario } from './run.js'
import { scenarios } from './scenarios.js'
import { type ClientOutcomes, renderTable, withTable } from './table.js'

const PAGE = new URL('../../../docs/compatibility.md', import.meta.url)

/**
 * `npm run compat`: all clients, all scenarios, two agents; the table goes into the page. `-- --client kcat --scenario group`
 * runs a part of it. `-- --group-chaos 120` kills members and agents of a group for that many seconds.
 */
const { values } = parseArgs({
  options: {
    client: { type: 'string' },
    scenario: { type: 'string' },
    'group-chaos': { type: 'string' },
  },
})
const ends: (() => void | Promise<void>)[] = []
const chaosSeconds = values['group-chaos']
process.exitCode = await (chaosSeconds === undefined ? compat() : groupChaos(Number(chaosSeconds))).finally(
  async () => {
    for (const end of ends.reverse()) await end()
  },
)

async function groupChaos(seconds: number): Promise<number> {
  const run = await runGroupFaults({ seed: 1, runMs: seconds * 1_000, memberCount: 6, partitionCount: 120 })
  console.log(describeGroupRun(run))
  return run.violations.length === 0 ? 0 : 1
}

async function compat(): Promise<number> {
  const t = { teardown: (end: () => void | Promise<void>) => void ends.push(end) }
  const cluster = await startCompatCluster(t, await scaleOut.open(t), 2)
  const results: ClientOutcomes[] = []
  const librdkafka = compileLibrdkafka(t)
  const inC: OpenClient = (brokers) => new JsonLinesDriver(librdkafka, { brokers })
  for (const open of [...clients, inC]) {
    const driver = open(cluster.brokers)
    if (values.client !== undefined && !driver.client.includes(values.client)) {
      await driver.close()
      continue
    }
    const outcomes = []
    for (const scenario of scenarios) {
      if (values.scenario !== undefined && !scenario.id.includes(values.scenario)) continue
      const outcome = await runScenario(cluster, driver, scenario)
      outcomes.push(outcome)
      console.log(
        `${driver.client}: ${scenario.title}: ${outcome.kind} ${Math.round(outcome.durationMs)} ms ${outcome.note}`,
      )
    }
    results.push({ version: await driver.version(), outcomes })
    await driver.close()
  }
  const table = renderTable(results)
  console.log(`\n${table}`)
  // A part of it is no table of all.
  if (values.client === undefined && values.scenario === undefined) {
    writeFileSync(PAGE, withTable(readFileSync(PAGE, 'utf8'), table))
  }
  return results.some(({ outcomes }) => outcomes.some(({ kind }) => kind === 'fails')) ? 1 : 0
}
