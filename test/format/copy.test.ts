import t from 'tap'
import { copyBytes } from '../../format/index.js'

const memory = [
  ['private', (bytes: number) => new Uint8Array(bytes)],
  ['shared', (bytes: number) => new Uint8Array(new SharedArrayBuffer(bytes))],
] as const

for (const [from, allocateSource] of memory) {
  for (const [to, allocateTarget] of memory) {
    t.test(`${from} to ${to} memory, at every alignment and length`, async (t) => {
      const source = allocateSource(100)
      for (let index = 0; index < 100; index += 1) source[index] = index + 1
      const wrong: string[] = []
      for (let start = 0; start < 9; start += 1) {
        for (let length = 0; length < 70; length += 1) {
          for (let position = 0; position < 9; position += 1) {
            const target = allocateTarget(90).fill(200)
            copyBytes(source.subarray(start, start + length), target, position)
            const right = target.every((value, index) => {
              const inside = index >= position && index < position + length
              return value === (inside ? start + index - position + 1 : 200)
            })
            if (!right) wrong.push(`${length} bytes from ${start} to ${position}`)
          }
        }
      }
      t.strictSame(wrong, [])
    })
  }
}

t.test('views stay within their bounds', async (t) => {
  const whole = new Uint8Array(20)
  copyBytes(Uint8Array.of(1, 2), whole.subarray(5, 8), 1)
  t.strictSame([...whole], [0, 0, 0, 0, 0, 0, 1, 2, ...Array(12).fill(0)])
  t.throws(() => copyBytes(Uint8Array.of(1, 2), whole.subarray(5, 8), 2), RangeError)
  t.throws(() => copyBytes(Uint8Array.of(1), whole, -1), RangeError)
})
