import { parseArgs } from 'node:util'
import { describeEvent } from './history.js'
import { runSeed } from './run-seed.js'
import type { SeededBug } from './world.js'

/**
 * `npm run simulate -- --seeds 10000 --seed 1`: runs seeds one after another and stops at the first that breaks a promise.
 * One seed alone prints its whole history.
 */
const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    seeds: { type: 'string', default: '1' },
    bug: { type: 'string' },
  },
})

const first = Number(values.seed)
const count = Number(values.seeds)
const bug = values.bug as SeededBug | undefined
for (let seed = first; seed < first + count; seed++) {
  const { violations, events, hash } = await runSeed(seed, bug)
  if (count === 1) for (const event of events) console.log(describeEvent(event))
  if (count === 1) console.log(`seed ${seed}: history ${hash().slice(0, 16)}, ${events.length} events`)
  if (violations.length > 0) {
    console.error(`seed ${seed} breaks promises:\n  ${violations.slice(0, 20).join('\n  ')}`)
    if (count > 1) console.error(`replay it with: npm run simulate -- --seed ${seed}${bug ? ` --bug ${bug}` : ''}`)
    process.exit(1)
  }
}
console.log(`${count} seeds from ${first} on: every promise kept`)
