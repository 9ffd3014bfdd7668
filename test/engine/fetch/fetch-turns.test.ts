import t from 'tap'
import { FetchTurns } from '../../../engine/fetch/index.js'

const ref = (partition: number) => ({ topicId: '11111111-0000-4000-8000-000000000000', partition })

t.test('a partition that eight answers in a row passed over is due, until it is served', async (t) => {
  const turns = new FetchTurns()
  for (let answer = 0; answer < 7; answer++) turns.answered([ref(1), ref(2)])
  t.notOk(turns.dueCount(ref(1)))
  turns.answered([ref(2)])
  turns.answered([ref(1), ref(2)])
  t.notOk(turns.dueCount(ref(1)), 'it was served in between')
  t.equal(turns.dueCount(ref(2)), 9)
  turns.answered([])
  t.notOk(turns.dueCount(ref(2)))
})

t.test('each 32nd answer serves a partition that is due whatever it costs', async (t) => {
  const turns = new FetchTurns()
  const forced: number[] = []
  for (let answer = 1; answer <= 96; answer++) {
    if (turns.isDueForced) forced.push(answer)
    turns.answered([])
  }
  t.same(forced, [32, 64, 96])
})
