import { getEventListeners } from 'node:events'
import t from 'tap'
import { abortable } from '../../../engine/fetch/abortable.js'

t.test('what settles first counts', async (t) => {
  const controller = new AbortController()
  t.equal(await abortable(Promise.resolve(5), controller.signal), 5)
  await t.rejects(abortable(Promise.reject(new Error('failed')), controller.signal), { message: 'failed' })
  const waiting = abortable(new Promise(() => {}), controller.signal)
  controller.abort(new Error('gone'))
  await t.rejects(waiting, { message: 'gone' })
})

t.test('a signal that has aborted already ends the wait; a later failure of the work harms nobody', async (t) => {
  let fail: (error: Error) => void = () => {}
  const work = new Promise((_, reject) => {
    fail = reject
  })
  await t.rejects(abortable(work, AbortSignal.abort(new Error('gone'))), { message: 'gone' })
  fail(new Error('late'))
  await new Promise((resolve) => setImmediate(resolve))
})

t.test('any number of waits cost one listener', async (t) => {
  const controller = new AbortController()
  const waits = Array.from({ length: 100 }, () => abortable(new Promise(() => {}), controller.signal))
  await abortable(Promise.resolve(), controller.signal)
  t.equal(getEventListeners(controller.signal, 'abort').length, 1)
  controller.abort(new Error('gone'))
  for (const result of await Promise.allSettled(waits)) t.equal(result.status, 'rejected')
})
