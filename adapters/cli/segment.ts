import type { Writable } from 'node:stream'
import { Command, InvalidArgumentError } from 'commander'
import {
  BASE_OFFSET_UNKNOWN,
  type BlockEntry,
  FormatError,
  iterateRecords,
  openSegment,
  readBlock,
  type SegmentSource,
  verifySegment,
} from '../../format/index.js'
import { type OpenedSource, type OpenStore, openSegmentSource } from './segment-source.js'
import { damageText, inspectJson, inspectText, recordJson } from './segment-text.js'

export interface SegmentCommandEnvironment {
  readonly output?: Writable
  readonly openStore?: OpenStore
}

const PLACE = 'a file, or the URL of an object: s3://bucket/prefix/key?region=...&endpoint=...'

/**
 * `headrace segment`: looks into segments without an agent or a catalog. A failure, and damage that `verify` finds, is a
 * rejection of the parse.
 */
export function segmentCommand(environment: SegmentCommandEnvironment = {}): Command {
  const output = environment.output ?? process.stdout
  const openStore = environment.openStore ?? openStoreOnDemand
  const withSource = async (place: string, action: (source: OpenedSource) => Promise<void>): Promise<void> => {
    const source = await openSegmentSource(place, openStore)
    try {
      await untilReaderLeaves(output, () => action(source))
    } finally {
      await source.close()
    }
  }

  const command = new Command('segment').description('look into segments, and find damage')
  command
    .command('inspect')
    .description('show header, footer and blocks')
    .argument('<place>', PLACE)
    .option('--json', 'as JSON, with the batches of every block')
    .action((place: string, flags: { json?: boolean }) =>
      withSource(place, (source) => inspect(place, source, flags.json === true, output)),
    )
  command
    .command('verify')
    .description(
      'check every byte, down to the CRC of each batch; exit code 1 and the place of each damage if there is any',
    )
    .argument('<place>', PLACE)
    .option('--json', 'one JSON object per damage')
    .action((place: string, flags: { json?: boolean }) =>
      withSource(place, (source) => verify(place, source, flags.json === true, output)),
    )
  command
    .command('dump')
    .description('print the records as JSON lines; what is not UTF-8 is {"base64": ...}; offsets are null at level 0')
    .argument('<place>', PLACE)
    .option('--topic-id <uuid>', 'only this topic')
    .option('--partition <number>', 'only this partition', partitionNumber)
    .action((place: string, flags: RecordFilter) => withSource(place, (source) => dump(source, flags, output)))
  return command
}

/** Loaded when a store is asked for: files need no SDK. */
const openStoreOnDemand: OpenStore = async (url) => (await import('../object-store/index.js')).openObjectStore(url)

async function inspect(place: string, source: SegmentSource, json: boolean, output: Writable): Promise<void> {
  const segment = { place, objectBytes: source.objectBytes, ...(await openSegment(source)) }
  await write(output, json ? inspectJson(segment) : inspectText(segment))
}

async function verify(place: string, source: SegmentSource, json: boolean, output: Writable): Promise<void> {
  const { damages, index } = await verifySegment(source)
  for (const damage of damages) await write(output, json ? `${JSON.stringify(damage)}\n` : damageText(damage))
  if (damages.length > 0) {
    const unchecked = index === undefined ? '; its blocks could not be checked' : ''
    const places = damages.length === 1 ? 'one place' : `${damages.length} places`
    throw new FormatError(damages[0]!.code, `${place} is damaged in ${places}${unchecked}`)
  }
  if (json) return
  const batchCount = index!.blocks.reduce((count, block) => count + block.batches.length, 0)
  await write(output, `${place} is whole: ${index!.blocks.length} blocks, ${batchCount} batches\n`)
}

interface RecordFilter {
  readonly topicId?: string
  readonly partition?: number
}

async function dump(source: SegmentSource, filter: RecordFilter, output: Writable): Promise<void> {
  const { index } = await openSegment(source)
  for (const entry of index.blocks) {
    if (filter.topicId !== undefined && entry.topicId !== filter.topicId.toLowerCase()) continue
    if (filter.partition !== undefined && entry.partition !== filter.partition) continue
    await dumpBlock(source, entry, output)
  }
}

async function dumpBlock(source: SegmentSource, entry: BlockEntry, output: Writable): Promise<void> {
  try {
    const { rawBytes } = await readBlock(source, entry)
    for (const { position, bytes, baseOffset } of entry.batches) {
      const records = iterateRecords(rawBytes.subarray(position, position + bytes), { baseOffset })
      const offsetKnown = baseOffset !== BASE_OFFSET_UNKNOWN
      await write(output, Array.from(records, (record) => recordJson(entry, record, offsetKnown)).join(''))
    }
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    const where = `the block of ${entry.topicId}/${entry.partition} at ${entry.position}`
    throw new FormatError(error.code, `${where}: ${error.reason}; verify shows all damage`, undefined, {
      cause: error,
    })
  }
}

/** Resolves when the reader took the text, which is what bounds the memory of a dump. */
function write(output: Writable, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    output.write(text, (error) => (error ? reject(error) : resolve()))
  })
}

/** A reader that has seen enough, as `head` has, ends a command without a complaint. */
async function untilReaderLeaves(output: Writable, action: () => Promise<void>): Promise<void> {
  // The write's own callback reports the error; without a listener the event would stop the process.
  const ignore = (): void => {}
  output.on('error', ignore)
  try {
    await action()
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EPIPE')) throw error
  } finally {
    output.off('error', ignore)
  }
}

function partitionNumber(text: string): number {
  const partition = Number(text)
  if (/^\d+$/.test(text) && partition < 2 ** 31) return partition
  throw new InvalidArgumentError('a partition is a number from 0 on')
}
