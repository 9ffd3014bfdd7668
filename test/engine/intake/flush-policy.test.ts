import fc from 'fast-check'
import t from 'tap'
import { decideFlush, eagerDelayMs, fullBucket, takeToken } from '../../../engine/intake/flush-policy.js'

const idle = { inFlightCount: 0, recentMs: undefined }
const busy = { inFlightCount: 1, recentMs: undefined }
const limits = { flushBytes: 1000, flushIntervalMs: 250 }

t.test('size and age seal', async (t) => {
  const empty = { count: 0, asOfMs: 0 }
  t.same(decideFlush(limits, { openedAtMs: 0, bytes: 1000, uploads: busy, tokens: empty }, 1), { seal: true })
  t.same(decideFlush(limits, { openedAtMs: 0, bytes: 1, uploads: busy, tokens: empty }, 250), { seal: true })
  t.same(decideFlush(limits, { openedAtMs: 0, bytes: 1, uploads: busy, tokens: empty }, 249), {
    seal: false,
    recheckAtMs: 250,
  })
})

t.test('with a token and nothing in flight it seals after the eager delay', async (t) => {
  const state = { openedAtMs: 100, bytes: 1, uploads: idle, tokens: fullBucket(limits, 100) }
  t.same(decideFlush(limits, state, 100), { seal: false, recheckAtMs: 100 + eagerDelayMs(limits, idle) })
  t.same(decideFlush(limits, state, 100 + eagerDelayMs(limits, idle)), { seal: true })
  t.same(decideFlush(limits, { ...state, uploads: busy }, 200), { seal: false, recheckAtMs: 350 })
})

t.test('the eager delay is a small part of what an upload took lately', async (t) => {
  t.equal(eagerDelayMs(limits, { inFlightCount: 0, recentMs: 200 }), 5)
  t.equal(eagerDelayMs(limits, { inFlightCount: 0, recentMs: 4 }), 0.2)
  t.equal(eagerDelayMs({ ...limits, flushIntervalMs: 10 }, idle), 2)
  const state = {
    openedAtMs: 100,
    bytes: 1,
    uploads: { inFlightCount: 0, recentMs: 4 },
    tokens: fullBucket(limits, 100),
  }
  t.same(decideFlush(limits, state, 100), { seal: false, recheckAtMs: 100.2 })
})

t.test('without a token it waits for one, or for the interval', async (t) => {
  const state = { openedAtMs: 100, bytes: 1, uploads: idle, tokens: { count: 0.5, asOfMs: 100 } }
  t.same(decideFlush(limits, state, 110), { seal: false, recheckAtMs: 225 })
  t.same(decideFlush(limits, state, 225), { seal: true })
})

t.test('eagerness costs no more requests than the timer, but for the saved tokens', async () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0.1, max: 400, noNaN: true }), { minLength: 50, maxLength: 400 }),
      (gapsMs) => {
        let nowMs = 0
        let openedAtMs: number | undefined
        let tokens = fullBucket(limits, 0)
        let seals = 0
        const seal = (atMs: number): void => {
          seals++
          tokens = takeToken(limits, tokens, atMs)
          openedAtMs = undefined
        }
        for (const gapMs of gapsMs) {
          const arrivalMs = nowMs + gapMs
          while (openedAtMs !== undefined) {
            const decision = decideFlush(limits, { openedAtMs, bytes: 1, uploads: idle, tokens }, nowMs)
            if (decision.seal) seal(nowMs)
            else if (decision.recheckAtMs > arrivalMs) break
            else nowMs = decision.recheckAtMs
          }
          nowMs = arrivalMs
          openedAtMs ??= nowMs
        }
        return seals <= nowMs / limits.flushIntervalMs + 5
      },
    ),
  )
})
