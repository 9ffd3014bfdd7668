import fc from 'fast-check'

/**
 * What every fuzz test shares. A failure prints the seed and the shrunken input; `HEADRACE_FUZZ_SEED` sets the
 * seed, so that a plain test run is the same every time and a search takes others; `HEADRACE_FUZZ_RUNS` sets how many inputs each property gets (the default keeps the whole folder under a minute).
 */
export const fuzzSeed = numberFrom('HEADRACE_FUZZ_SEED') ?? 1

/** How often the inputs of one property are tried where nobody says. */
export function fuzzRuns(runsDefault: number): number {
  return numberFrom('HEADRACE_FUZZ_RUNS') ?? runsDefault
}

/** No single input may keep its decoder longer: generous, so that a busy machine does not fail, and far from a hang. */
export const INPUT_TIME_MAX_MS = 10_000

/** Tries `property` on generated inputs. @throws with the seed and the smallest input that fails */
export function fuzz<T>(arbitrary: fc.Arbitrary<T>, runsDefault: number, property: (input: T) => void): void {
  const timed = (input: T) => {
    const startedMs = performance.now()
    property(input)
    const tookMs = performance.now() - startedMs
    if (tookMs > INPUT_TIME_MAX_MS) throw new Error(`one input took ${Math.round(tookMs)} ms`)
  }
  fc.assert(fc.property(arbitrary, timed), { seed: fuzzSeed, numRuns: fuzzRuns(runsDefault) })
}

/** The same for properties that wait. */
export function fuzzAsync<T>(
  arbitrary: fc.Arbitrary<T>,
  runsDefault: number,
  property: (input: T) => Promise<void>,
): Promise<void> {
  return fc.assert(fc.asyncProperty(arbitrary, property), { seed: fuzzSeed, numRuns: fuzzRuns(runsDefault) })
}

/** Numbers at which lengths, counts and offsets go wrong. */
const TELLING_NUMBERS = [-(2 ** 31), -2, -1, 0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 2 ** 28, 2 ** 31 - 1]

/** One change of bytes; `at` is a place from 0 to 1, so that it fits inputs of every length and shrinks well. */
export interface Mutation {
  readonly kind: 'flip' | 'byte' | 'int16' | 'int32' | 'varint' | 'cut' | 'insert' | 'remove' | 'repeat'
  readonly at: number
  readonly value: number
}

const mutation: fc.Arbitrary<Mutation> = fc.record({
  kind: fc.constantFrom('flip', 'byte', 'int16', 'int32', 'varint', 'cut', 'insert', 'remove', 'repeat'),
  at: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
  value: fc.oneof(fc.constantFrom(...TELLING_NUMBERS), fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })),
})

export const mutations: fc.Arbitrary<Mutation[]> = fc.array(mutation, { minLength: 1, maxLength: 4 })

/** A changed copy. */
export function mutated(bytes: Uint8Array, changes: readonly Mutation[]): Uint8Array {
  return changes.reduce((changed, change) => new Uint8Array(apply(Buffer.from(changed), change)), bytes)
}

const LONGEST_VARINT = [0xff, 0xff, 0xff, 0xff, 0x0f]

function apply(bytes: Buffer, { kind, at, value }: Mutation): Buffer {
  const position = Math.floor(at * bytes.byteLength)
  const count = Math.abs(value) % 64
  switch (kind) {
    case 'flip':
      if (bytes.byteLength > 0) bytes[position]! ^= 1 << (value & 7)
      return bytes
    case 'byte':
      if (bytes.byteLength > 0) bytes[position] = value & 0xff
      return bytes
    case 'int16':
      if (position + 2 <= bytes.byteLength) bytes.writeInt16BE((value << 16) >> 16, position)
      return bytes
    case 'int32':
      if (position + 4 <= bytes.byteLength) bytes.writeInt32BE(value, position)
      return bytes
    case 'varint':
      return spliced(bytes, position, 1, LONGEST_VARINT.slice(value & 3))
    case 'cut':
      return bytes.subarray(0, position)
    case 'insert':
      return spliced(bytes, position, 0, new Array<number>(count).fill(value & 0xff))
    case 'remove':
      return spliced(bytes, position, count, [])
    case 'repeat':
      return spliced(bytes, position, 0, bytes.subarray(position, position + count))
  }
}

function spliced(bytes: Buffer, position: number, removed: number, added: Iterable<number>): Buffer {
  return Buffer.concat([bytes.subarray(0, position), Uint8Array.from(added), bytes.subarray(position + removed)])
}

/** Random bytes with a liking for zeros and ones, which are what lengths are made of. */
export function randomBytes(bytesMax: number): fc.Arbitrary<Uint8Array> {
  const byte = fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(0, 0, 1, 0xff))
  return fc.array(byte, { maxLength: bytesMax }).map((values) => Uint8Array.from(values))
}

function numberFrom(variable: string): number | undefined {
  const text = process.env[variable]
  if (text === undefined || text === '') return undefined
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 0) throw new Error(`${variable}: got "${text}", expected a whole number`)
  return value
}
