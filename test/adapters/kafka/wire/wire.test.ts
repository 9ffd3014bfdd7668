import fc from 'fast-check'
import t from 'tap'
import { WireReader } from '../../../../adapters/kafka/wire/reader.js'
import { WireError } from '../../../../adapters/kafka/wire/wire-error.js'
import { WireWriter } from '../../../../adapters/kafka/wire/writer.js'
import { cut, join } from '../../../support/kafka/bytes.js'

type Value =
  | { kind: 'i8' | 'i16' | 'i32' | 'i64' | 'uvarint'; value: number }
  | { kind: 'string'; value: string }
  | { kind: 'nullableString'; value: string | null }
  | { kind: 'uuid'; value: string }
  | { kind: 'boolean'; value: boolean }
  | { kind: 'array'; value: number[] | null }

const integer = (kind: 'i8' | 'i16' | 'i32' | 'i64' | 'uvarint', min: number, max: number) =>
  fc.record({ kind: fc.constant(kind), value: fc.integer({ min, max }) })

const values: fc.Arbitrary<Value[]> = fc.array(
  fc.oneof(
    integer('i8', -128, 127),
    integer('i16', -32768, 32767),
    integer('i32', -(2 ** 31), 2 ** 31 - 1),
    integer('i64', Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
    integer('uvarint', 0, 2 ** 32 - 1),
    fc.record({ kind: fc.constant('string' as const), value: fc.string({ unit: 'grapheme', maxLength: 300 }) }),
    fc.record({ kind: fc.constant('nullableString' as const), value: fc.option(fc.string({ maxLength: 20 })) }),
    fc.record({ kind: fc.constant('uuid' as const), value: fc.uuid() }),
    fc.record({ kind: fc.constant('boolean' as const), value: fc.boolean() }),
    fc.record({
      kind: fc.constant('array' as const),
      value: fc.option(fc.array(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }))),
    }),
  ),
  { maxLength: 40 },
)

function write(writer: WireWriter, item: Value): void {
  if (item.kind === 'array') writer.nullableArray(item.value, (element) => writer.i32(element))
  else (writer[item.kind] as (value: unknown) => void).call(writer, item.value)
}

function read(reader: WireReader, kind: Value['kind']): unknown {
  return kind === 'array' ? reader.nullableArray(() => reader.i32()) : reader[kind]()
}

t.test('what is written is read back, however the bytes are cut', async (t) => {
  fc.assert(
    fc.property(values, fc.boolean(), fc.integer({ min: 1, max: 50 }), (items, flexible, chunkBytes) => {
      const writer = new WireWriter()
      writer.flexible = flexible
      for (const item of items) write(writer, item)
      const frame = join(writer.finish())
      const reader = new WireReader(cut(frame, chunkBytes))
      reader.flexible = flexible
      if (reader.i32() !== frame.byteLength - 4) return false
      const back = items.map((item) => read(reader, item.kind))
      t.strictSame(
        back,
        items.map((item) => item.value),
      )
      return reader.remaining === 0
    }),
    { numRuns: 200 },
  )
})

t.test('any bytes are either read or refused with a WireError, in bounded memory', async (t) => {
  const kinds = [
    'i8',
    'i16',
    'i32',
    'uvarint',
    'string',
    'nullableString',
    'uuid',
    'boolean',
    'array',
    'records',
  ] as const
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 64 }),
      fc.array(fc.constantFrom(...kinds)),
      fc.boolean(),
      (bytes, reads, flexible) => {
        const reader = new WireReader(cut(bytes, 3), { elementsMax: 16 })
        reader.flexible = flexible
        try {
          for (const kind of reads) {
            if (kind === 'records') reader.records()
            else read(reader, kind)
            reader.tags()
          }
        } catch (error) {
          if (!(error instanceof WireError)) throw error
        }
        return reader.remaining >= 0
      },
    ),
    { numRuns: 500 },
  )
  t.pass()
})

t.test('declared lengths are refused before anything is made of them', async (t) => {
  const refused = (bytes: number[], code: string, readIt: (reader: WireReader) => unknown, flexible = false) => {
    const reader = new WireReader([Uint8Array.from(bytes)], { elementsMax: 4 })
    reader.flexible = flexible
    t.throws(() => readIt(reader), { name: 'WireError', code })
  }
  refused([0x7f, 0xff, 0xff, 0xff], 'FRAME_TOO_SHORT', (reader) => reader.array(() => reader.i8()))
  refused([0xff, 0xff, 0xff, 0xfe], 'LENGTH_INVALID', (reader) => reader.nullableArray(() => reader.i8()))
  refused([0xff, 0xff, 0xff, 0xff], 'VALUE_INVALID', (reader) => reader.array(() => reader.i8()))
  refused([0, 0, 0, 5, 0, 0, 0, 0, 0], 'LENGTH_TOO_LARGE', (reader) => reader.array(() => reader.i8()))
  refused([0xff, 0xff, 0xff, 0xff, 0x0f], 'FRAME_TOO_SHORT', (reader) => reader.array(() => reader.i8()), true)
  refused([0xff, 0xff, 0xff, 0xff, 0xff, 0x01], 'VALUE_INVALID', (reader) => reader.uvarint())
  refused([0xff, 0xff, 0xff, 0xff, 0x1f], 'VALUE_INVALID', (reader) => reader.uvarint())
  refused([0x7f, 0xff, 0], 'FRAME_TOO_SHORT', (reader) => reader.string())
  refused([0xff, 0xfe], 'LENGTH_INVALID', (reader) => reader.nullableString())
  refused([0x81, 0x80, 0x02], 'LENGTH_TOO_LARGE', (reader) => reader.string(), true)
  refused([0xff, 0xff], 'VALUE_INVALID', (reader) => reader.string())
  refused([0, 0x20, 0, 0, 0, 0, 0, 0], 'VALUE_INVALID', (reader) => reader.i64())
  refused([0, 0, 1, 0], 'FRAME_TOO_SHORT', (reader) => reader.records())
  refused([0x80, 0, 0, 0], 'LENGTH_INVALID', (reader) => reader.records())
  refused([1, 0, 9], 'FRAME_TOO_SHORT', (reader) => reader.tags(), true)
})

t.test('unknown tags are skipped, known ones read, and none may overrun its length', async (t) => {
  const bytes = Uint8Array.from([3, 0, 2, 9, 9, 1, 4, 0, 0, 0, 7, 5, 0, 42])
  for (let chunkBytes = 1; chunkBytes <= bytes.length; chunkBytes++) {
    const reader = new WireReader(cut(bytes, chunkBytes))
    reader.flexible = true
    let seen = 0
    reader.tags((tag) => {
      if (tag === 1) seen = reader.i32()
    })
    t.equal(seen, 7)
    t.equal(reader.i8(), 42)
  }
  const reader = new WireReader([bytes])
  reader.flexible = true
  t.throws(() => reader.tags(() => reader.i32()), { code: 'LENGTH_INVALID' })
})

t.test('records are described, not read, wherever the chunks end', async (t) => {
  const batch = Buffer.alloc(70, 0xee)
  batch.writeInt32BE(58, 8)
  batch.writeInt8(2, 16)
  const writer = new WireWriter()
  writer.records([batch.subarray(0, 30), batch.subarray(30)], 70)
  writer.i8(5)
  const frame = join(writer.finish())
  for (let position = 1; position < frame.byteLength; position++) {
    const reader = new WireReader(cut(frame, [position]))
    reader.skip(4)
    t.strictSame(reader.records(), { position: 8, bytes: 70, batchBytes: 70, magic: 2 })
    t.equal(reader.i8(), 5)
  }
})

t.test('record chunks pass through the writer uncopied', async (t) => {
  const chunk = new Uint8Array(100_000).fill(7)
  const writer = new WireWriter()
  writer.i32(1)
  writer.records([chunk], chunk.byteLength)
  writer.i32(2)
  const chunks = writer.finish()
  t.ok(chunks.includes(chunk))
  t.equal(chunks.length, 3)
  t.equal(new WireReader(chunks).i32(), 4 + 4 + 100_000 + 4)
})

t.test('the writer grows over many pieces', async (t) => {
  const writer = new WireWriter()
  for (let value = 0; value < 10_000; value++) writer.i32(value)
  writer.nullableShortString('é'.repeat(9000))
  const reader = new WireReader(writer.finish())
  t.equal(reader.i32(), 40_000 + 2 + 18_000)
  for (let value = 0; value < 10_000; value++) if (reader.i32() !== value) t.fail(`lost ${value}`)
  t.equal(reader.nullableShortString(), 'é'.repeat(9000))
})
