import t from 'tap'
import { FetchTurns } from '../../../engine/fetch/index.js'

const ref = (partition: number) => ({ topicId: '11111111-0000-4000-8000-000000000000', partition })

t.test('a partition that eight answers in a row passed over is due, until it is served', async (t) => {
  const turns = new FetchTurns()
  for (let answer = 0; answer < 7; answer++) turns.answered([ref(1), ref(2)])
  t.notOk(turns.isDue(ref(1)))
  turns.answered([ref(2)])
  turns.answered([ref(1), ref(2)])
  t.notOk(turns.isDue(ref(1)), 'it was served in between')
  t.ok(turns.isDue(ref(2)))
  turns.answered([])
  t.notOk(turns.isDue(ref(2)))
})
