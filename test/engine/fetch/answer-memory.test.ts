import t from 'tap'
import { AnswerMemory, type AnswerShare } from '../../../engine/fetch/answer-memory.js'
import { concatenate } from '../../support/test-log.js'
import { settle } from '../../support/virtual-clock.js'

const MIB = 2 ** 20
const NEVER = new AbortController().signal

function bytesOf(count: number, seed: number): Uint8Array {
  return Uint8Array.from({ length: count }, (_, index) => (index * 31 + seed) % 251)
}

function taken(memory: AnswerMemory, bytes: number): AnswerShare {
  const share = memory.tryAcquire(bytes)
  if (share === undefined) throw new Error('there is no memory')
  return share
}

t.test('an answer is what was appended, in few chunks, also across slabs', async (t) => {
  const memory = new AnswerMemory(64 * MIB)
  for (const sizes of [[1, 2, 3], [100_000, 200_000, 300_000, 17, 44], [3 * MIB]]) {
    const share = taken(memory, 4 * MIB)
    const chunks: Uint8Array[] = []
    const sources = sizes.map((size, seed) => bytesOf(size, seed))
    for (const source of sources) share.append(source, chunks)
    const whole = concatenate(sources)
    t.ok(Buffer.from(concatenate(chunks)).equals(whole))
    t.equal(chunks.length, Math.ceil(whole.byteLength / (256 * 1024)))
    share.release()
  }
})

t.test('partitions share slabs, each with chunks of its own', async (t) => {
  const share = taken(new AnswerMemory(64 * MIB), MIB)
  const [first, second]: [Uint8Array[], Uint8Array[]] = [[], []]
  share.append(bytesOf(10, 1), first)
  share.append(bytesOf(20, 2), second)
  share.append(bytesOf(30, 3), first)
  t.same(concatenate(first), concatenate([bytesOf(10, 1), bytesOf(30, 3)]))
  t.same(concatenate(second), bytesOf(20, 2))
  t.equal(first[0]?.buffer, second[0]?.buffer)
})

t.test('slabs are used again, but not before their answer has left', async (t) => {
  const memory = new AnswerMemory(64 * MIB)
  const append = (share: AnswerShare) => {
    const chunks: Uint8Array[] = []
    share.append(bytesOf(300_000, 0), chunks)
    return chunks.map(({ buffer }) => buffer)
  }
  const first = taken(memory, MIB)
  const ofFirst = append(first)
  const ofSecond = append(taken(memory, MIB))
  t.notOk(ofSecond.some((buffer) => ofFirst.includes(buffer)))
  first.release()
  first.release()
  const ofThird = append(taken(memory, MIB))
  t.ok(ofThird.every((buffer) => ofFirst.includes(buffer)))
})

t.test('what is held is counted, and what was granted in vain goes back', async (t) => {
  const memory = new AnswerMemory(64 * MIB)
  const share = taken(memory, 2 * MIB)
  t.equal(memory.bytesHeld, 2 * MIB)
  share.append(bytesOf(300_000, 0), [])
  share.settle()
  t.equal(memory.bytesHeld, 512 * 1024)
  share.append(bytesOf(5 * MIB, 0), [])
  share.settle()
  t.ok(memory.bytesHeld > 5 * MIB, 'a batch larger than the share counts, too')
  share.release()
  share.release()
  t.equal(memory.bytesHeld, 0)
  const small = taken(memory, 1000)
  small.append(bytesOf(500, 0), [])
  small.settle()
  t.equal(memory.bytesHeld, 1000, 'a small answer takes no slab')
})

t.test('answers become smaller as memory becomes scarce', async (t) => {
  const memory = new AnswerMemory(64 * MIB)
  const granted: number[] = []
  for (let share = memory.tryAcquire(50 * MIB); share !== undefined; share = memory.tryAcquire(50 * MIB)) {
    granted.push(share.bytes)
  }
  t.equal(granted[0], 16 * MIB)
  t.same(
    granted,
    [...granted].sort((a, b) => b - a),
  )
  t.ok(granted.at(-1)! <= MIB)
  t.ok(granted.length > 12, `${granted.length} clients that take nothing`)
  t.ok(memory.bytesHeld <= 64 * MIB)
})

t.test('where there is none they wait, in order; who gives up lets the others on', async (t) => {
  const memory = new AnswerMemory(4 * MIB)
  const least = MIB / 4
  const held: AnswerShare[] = []
  for (let share = memory.tryAcquire(least); share !== undefined; share = memory.tryAcquire(least)) held.push(share)
  t.notOk(memory.isWanted)
  const order: string[] = []
  const gone = new AbortController()
  const wait = (name: string, signal = NEVER) =>
    memory.acquire(least, signal).then(
      (share) => {
        order.push(name)
        return share
      },
      () => {
        order.push(`${name} gave up`)
        return undefined
      },
    )
  const waits = [wait('a'), wait('b', gone.signal), wait('c')]
  await settle()
  t.same(order, [])
  t.ok(memory.isWanted)
  t.equal(memory.tryAcquire(1), undefined, 'nobody overtakes who waits')
  gone.abort()
  await settle()
  held[0]?.release()
  await settle()
  t.same(order, ['b gave up', 'a'])
  held[1]?.release()
  await Promise.all(waits)
  t.same(order, ['b gave up', 'a', 'c'])
  t.notOk(memory.isWanted)
})

t.test('a share that comes in the moment of giving up goes back', async (t) => {
  const memory = new AnswerMemory(16 * MIB)
  const held = taken(memory, 16 * MIB)
  const rest: AnswerShare[] = []
  for (let share = memory.tryAcquire(MIB); share !== undefined; share = memory.tryAcquire(MIB)) rest.push(share)
  const before = memory.bytesHeld
  const gone = new AbortController()
  const waiting = memory.acquire(MIB, gone.signal)
  gone.abort()
  held.release()
  await t.rejects(waiting)
  await settle()
  t.equal(memory.bytesHeld, before - held.bytes)
})

t.test('what becomes free is divided among all that wait', async (t) => {
  const memory = new AnswerMemory(16 * MIB)
  const held: AnswerShare[] = []
  for (let share = memory.tryAcquire(50 * MIB); share !== undefined; share = memory.tryAcquire(50 * MIB))
    held.push(share)
  const granted: number[] = []
  const waits = Array.from({ length: 40 }, () =>
    memory.acquire(50 * MIB, NEVER).then((share) => {
      granted.push(share.bytes)
      return share
    }),
  )
  await settle()
  t.equal(granted.length, 0)
  const [first] = held.splice(0, 1)
  t.equal(first?.bytes, 4 * MIB)
  first?.release()
  await settle()
  t.same(granted, new Array(16).fill(MIB / 4), 'none more than the least')
  for (const share of held.splice(0)) share.release()
  await Promise.all(waits)
  t.equal(granted.length, 40)
  t.ok(granted.slice(16).every((bytes) => bytes >= MIB / 4 && bytes <= 2 * MIB))
})
