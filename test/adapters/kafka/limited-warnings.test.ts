import t from 'tap'
import { LimitedWarnings, PERIOD_MS, WARNINGS_PER_PERIOD_MAX } from '../../../adapters/kafka/limited-warnings.js'
import { NO_LOGGER } from '../../../engine/ports/logger.js'
import { VirtualClock } from '../../support/virtual-clock.js'

function setUp() {
  const clock = new VirtualClock()
  const lines: { readonly fields: object; readonly message: string }[] = []
  const logger = { ...NO_LOGGER, warn: (fields: object, message: string) => lines.push({ fields, message }) }
  const warnings = new LimitedWarnings(logger, clock)
  const flood = (count: number) => {
    for (let each = 1; each <= count; each++) warnings.warn('API_UNKNOWN', { remoteAddress: 'a' }, `unknown ${each}`)
  }
  return { clock, lines, warnings, flood }
}

t.test('a flood of one reason is some lines, and one that counts the rest', async (t) => {
  const { clock, lines, flood } = setUp()
  flood(12_000)
  t.equal(lines.length, WARNINGS_PER_PERIOD_MAX)
  t.strictSame(lines[0], { fields: { reason: 'API_UNKNOWN', remoteAddress: 'a' }, message: 'unknown 1' })
  await clock.advance(PERIOD_MS - 1)
  flood(1)
  t.equal(lines.length, WARNINGS_PER_PERIOD_MAX)
  await clock.advance(1)
  t.equal(lines.length, WARNINGS_PER_PERIOD_MAX + 1)
  t.match(lines.at(-1), {
    fields: { reason: 'API_UNKNOWN', leftOut: 12_001 - WARNINGS_PER_PERIOD_MAX, periodMs: PERIOD_MS },
    message: /^Left out 11991 more warnings of this kind, the last of them: unknown 1$/,
  })
  t.equal(clock.timerCount, 0, 'a quiet listener has no timers')

  flood(WARNINGS_PER_PERIOD_MAX + 1)
  t.equal(lines.length, 2 * WARNINGS_PER_PERIOD_MAX + 1, 'the next period begins anew')
})

t.test('few warnings are all written, and nothing is said of none', async (t) => {
  const { clock, lines, flood } = setUp()
  flood(WARNINGS_PER_PERIOD_MAX)
  await clock.advance(PERIOD_MS)
  t.equal(lines.length, WARNINGS_PER_PERIOD_MAX)
  t.equal(clock.timerCount, 0)
})

t.test('a flood of one reason hides no other', async (t) => {
  const { lines, warnings, flood } = setUp()
  flood(100)
  warnings.warn('LENGTH_INVALID', {}, 'no Kafka client')
  t.match(lines.at(-1), { fields: { reason: 'LENGTH_INVALID' }, message: 'no Kafka client' })
})

t.test('closing says what was left out, and leaves nothing out afterwards', async (t) => {
  const { clock, lines, warnings, flood } = setUp()
  flood(WARNINGS_PER_PERIOD_MAX + 3)
  warnings.warn('LENGTH_INVALID', {}, 'no Kafka client')
  warnings.close()
  t.equal(lines.length, WARNINGS_PER_PERIOD_MAX + 2)
  t.match(lines.at(-1), { fields: { reason: 'API_UNKNOWN', leftOut: 3 } })
  t.equal(clock.timerCount, 0)
  flood(2 * WARNINGS_PER_PERIOD_MAX)
  t.equal(lines.length, 3 * WARNINGS_PER_PERIOD_MAX + 2)
  t.equal(clock.timerCount, 0)
  warnings.close()
  t.equal(lines.length, 3 * WARNINGS_PER_PERIOD_MAX + 2)
})
