import t from 'tap'
import { embedded } from '../support/store-pairs.js'
import { startCompatCluster } from './cluster.js'
import type { Driver } from './driver.js'
import { clients, runScenario } from './run.js'
import { scenarios } from './scenarios.js'

/** Every client's core scenarios against one agent; `npm run compat` runs all of them against two. */
t.test('clients that people run', { timeout: 240_000 }, async (t) => {
  const cluster = await startCompatCluster(t, await embedded.open(t), 1)
  const drivers: Driver[] = clients.map((open) => open(cluster.brokers))
  t.teardown(async () => {
    for (const driver of drivers) await driver.close()
  })
  for (const driver of drivers) t.comment(await driver.version())
  for (const scenario of scenarios.filter(({ core }) => core)) {
    await t.test(scenario.title, async (t) => {
      // All clients at once: most of a scenario is waiting. Cut connections are nobody else's business.
      const outcomes = scenario.cuts
        ? await oneByOne(drivers, (driver) => runScenario(cluster, driver, scenario))
        : await Promise.all(drivers.map((driver) => runScenario(cluster, driver, scenario)))
      for (const [place, { client }] of drivers.entries()) {
        const { kind, note, durationMs } = outcomes[place]!
        if (kind === 'not-in-client') t.comment(`${client}: ${note}`)
        else t.equal(kind, 'works', `${client}, ${Math.round(durationMs)} ms ${note}`)
      }
    })
  }
})

async function oneByOne<Item, Result>(items: readonly Item[], run: (item: Item) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = []
  for (const item of items) results.push(await run(item))
  return results
}
