import t from 'tap'
import { createLogger } from '../../adapters/logging.js'

function capture(logFormat: 'json' | 'pretty', logLevel: 'debug' | 'info' = 'info') {
  const lines: string[] = []
  return { lines, logger: createLogger({ logLevel, logFormat }, { write: (line) => lines.push(line) }) }
}

t.test('JSON lines: time, level, fields, message', async (t) => {
  const { lines, logger } = capture('json')
  logger.info({ nodeId: 3 }, 'Started')
  logger.debug({}, 'not at this level')
  t.equal(lines.length, 1)
  t.match(JSON.parse(lines[0]!), { level: 'info', time: /^\d{4}-\d\d-\d\dT/, nodeId: 3, message: 'Started' })
})

t.test('readable lines', async (t) => {
  const { lines, logger } = capture('pretty')
  logger.info({ nodeId: 3, place: 'a b' }, 'Started')
  logger.warn({ error: new Error('store is gone') }, 'Retrying')
  logger.error({ error: new Error('bug') }, 'Failed')
  t.match(lines[0], /^\d\d:\d\d:\d\d\.\d{3} INFO {2}Started nodeId=3 place="a b"\n$/)
  t.match(lines[1], /WARN {2}Retrying error="store is gone"\n$/)
  t.match(lines[2], /ERROR Failed error=bug\n {2}Error: bug\n/)
})

t.test('credentials do not get out, wherever they stand', async (t) => {
  for (const format of ['json', 'pretty'] as const) {
    const { lines, logger } = capture(format)
    const error = new Error('connect mysql://root:hunter2@db refused', { cause: new Error('at s3://k:hunter2@x') })
    logger.error({ error, url: 'mysql://root:hunter2@db/x' }, 'Cannot reach mysql://root:hunter2@db/x')
    logger.info({ password: 'hunter2', connection: { password: 'hunter2', secretAccessKey: 'hunter2' } }, 'fields')
    t.notMatch(lines.join(''), 'hunter2')
    t.match(lines.join(''), 'root:***@db')
  }
})
