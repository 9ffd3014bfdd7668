import fc from 'fast-check'
import t from 'tap'
import { ChunkCopier } from '../../../engine/intake/chunk-copier.js'

t.test('copies ranges across any split of the request', async () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 200 }),
      fc.array(fc.nat(200), { maxLength: 10 }),
      fc.array(fc.nat(200), { maxLength: 8 }),
      (bytes, cuts, bounds) => {
        const places = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b), bytes.length]
        const chunks = places.slice(1).map((place, number) => bytes.subarray(places[number], place))
        const ends = bounds.map((bound) => Math.min(bound, bytes.length)).sort((a, b) => a - b)
        const copier = new ChunkCopier(chunks)
        for (let i = 0; i + 1 < ends.length; i += 2) {
          const [from, to] = [ends[i]!, ends[i + 1]!]
          const target = new Uint8Array(to - from + 2)
          copier.copy(from, to - from, target, 1)
          if (Buffer.compare(target.subarray(1, 1 + to - from), bytes.subarray(from, to)) !== 0) return false
          if (target[0] !== 0 || target.at(-1) !== 0) return false
        }
        return true
      },
    ),
  )
})

t.test('a range beyond the request, or a step back, is a bug that shows', async (t) => {
  const copier = new ChunkCopier([new Uint8Array(4), new Uint8Array(4)])
  t.throws(() => copier.copy(6, 3, new Uint8Array(10), 0))
  const back = new ChunkCopier([new Uint8Array(4), new Uint8Array(4)])
  back.copy(5, 1, new Uint8Array(1), 0)
  t.throws(() => back.copy(1, 1, new Uint8Array(1), 0))
})
