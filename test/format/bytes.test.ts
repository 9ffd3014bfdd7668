import t from 'tap'
import { ByteReader, ByteWriter, dataView, FormatError, getSafeInt64, setSafeInt64 } from '../../format/index.js'

const CODES = { bounds: 'RECORD_BOUNDS', value: 'RECORD_VALUES' } as const
const UUID = '01234567-89ab-cdef-0123-456789abcdef'

t.test('what is written is read, through growth', async (t) => {
  const writer = new ByteWriter(1)
  const varints = [0, -1, 1, 63, -64, 64, 300, -301, 2 ** 31 - 1, -(2 ** 31)]
  const varlongs = [...varints, 2 ** 28, -(2 ** 28), 2 ** 35 + 7, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]
  writer.uint8(200)
  writer.int16(-2)
  writer.uint16(65_535)
  writer.int32(-3)
  writer.uint32(0xfffffffe)
  writer.int64(Number.MIN_SAFE_INTEGER)
  writer.int64(-1)
  writer.uuid(UUID)
  writer.raw(Uint8Array.of(1, 2, 3))
  writer.zeros(2)
  for (const value of varints) writer.varint(value)
  for (const value of varlongs) writer.varlong(value)

  const reader = new ByteReader(writer.finish(), CODES)
  t.equal(reader.uint8(), 200)
  t.equal(reader.int16(), -2)
  t.equal(reader.uint16(), 65_535)
  t.equal(reader.int32(), -3)
  t.equal(reader.uint32(), 0xfffffffe)
  t.equal(reader.int64(), Number.MIN_SAFE_INTEGER)
  t.equal(reader.int64(), -1)
  t.equal(reader.uuid(), UUID)
  t.strictSame([...reader.view(3)], [1, 2, 3])
  t.strictSame([...reader.view(2)], [0, 0])
  for (const value of varints) t.equal(reader.varint(), value)
  for (const value of varlongs) t.equal(reader.varlong(), value)
  t.equal(reader.remainingBytes, 0)
  t.throws(() => reader.uint8(), { code: 'RECORD_BOUNDS' })
})

t.test('varints have Kafka’s bytes', async (t) => {
  const bytesOf = (value: number): number[] => {
    const writer = new ByteWriter()
    writer.varint(value)
    return [...writer.finish()]
  }
  t.strictSame(bytesOf(0), [0])
  t.strictSame(bytesOf(-1), [1])
  t.strictSame(bytesOf(1), [2])
  t.strictSame(bytesOf(-65), [0x81, 0x01])
  t.strictSame(bytesOf(2 ** 31 - 1), [0xfe, 0xff, 0xff, 0xff, 0x0f])
})

t.test('numbers without a place are refused', async (t) => {
  const read = (bytes: readonly number[]) => new ByteReader(Uint8Array.from(bytes), CODES)
  t.throws(() => read([0x80, 0x80, 0x80, 0x80, 0x10]).varint(), { code: 'RECORD_VALUES' }, 'the 33rd bit')
  t.throws(() => read(Array(11).fill(0x80)).varlong(), { code: 'RECORD_VALUES' }, 'longer than 64 bits')
  t.throws(() => read([...Array(9).fill(0xff), 0x01]).varlong(), { code: 'RECORD_VALUES' }, 'beyond safe integers')
  t.throws(() => read([0, 0x20, 0, 0, 0, 0, 0, 0]).int64(), { code: 'RECORD_VALUES' })
  t.throws(() => read([0, 1]).view(-1), { code: 'RECORD_BOUNDS' })
  t.throws(() => new ByteReader(new Uint8Array(4), CODES, 2, 5), RangeError)
  const limited = new ByteWriter(4, 6)
  limited.uint32(1)
  t.throws(() => limited.uint32(1), RangeError)
})

t.test('safe 64-bit integers at their edges', async (t) => {
  const view = dataView(new Uint8Array(8))
  for (const value of [0, -1, 1, 2 ** 32, -(2 ** 32) - 1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]) {
    setSafeInt64(view, 0, value)
    t.equal(view.getBigInt64(0), BigInt(value))
    t.equal(getSafeInt64(view, 0), value)
  }
  for (const value of [2n ** 53n, -(2n ** 53n), 2n ** 63n - 1n, -(2n ** 63n)]) {
    view.setBigInt64(0, value)
    t.ok(Number.isNaN(getSafeInt64(view, 0)), String(value))
  }
  t.throws(() => setSafeInt64(view, 0, 2 ** 53), RangeError)
  t.throws(() => setSafeInt64(view, 0, 0.5), RangeError)
})

t.test('a FormatError says where', async (t) => {
  const error = new FormatError('RECORD_BOUNDS', 'cut off', 12)
  t.match(error, { name: 'FormatError', code: 'RECORD_BOUNDS', position: 12, message: 'cut off (at byte 12)' })
})
