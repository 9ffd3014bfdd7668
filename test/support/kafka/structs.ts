import type { WireReader } from '../../../adapters/kafka/wire/reader.js'
import type { WireWriter } from '../../../adapters/kafka/wire/writer.js'

/** Shapes that many requests and responses are made of, as a client writes and reads them. */

/** Each of fields, and tags behind them. */
export function readStructs<T>(reader: WireReader, readFields: () => T): T[] {
  return reader.array(() => {
    const fields = readFields()
    reader.tags()
    return fields
  })
}

export function writeStructs<T>(writer: WireWriter, items: readonly T[] | null, writeFields: (item: T) => void): void {
  writer.nullableArray(items, (item) => {
    writeFields(item)
    writer.tags()
  })
}

export function readError(reader: WireReader): { errorCode: number; errorMessage: string | null } {
  return { errorCode: reader.i16(), errorMessage: reader.nullableString() }
}

/** Names of topics with something for each partition. */
export type TopicsOf<Partition> = { name: string; partitions: Partition[] }[]

export function readTopics<Partition>(reader: WireReader, readFields: () => Partition): TopicsOf<Partition> {
  return readStructs(reader, () => ({ name: reader.string(), partitions: readStructs(reader, readFields) }))
}

export function writeTopics<Partition>(
  writer: WireWriter,
  topics: TopicsOf<Partition> | null,
  writeFields: (partition: Partition) => void,
): void {
  writeStructs(writer, topics, ({ name, partitions }) => {
    writer.string(name)
    writeStructs(writer, partitions, writeFields)
  })
}

/** Names of topics with numbers of partitions. */
export function writePartitions(writer: WireWriter, topics: TopicsOf<number> | null): void {
  writeStructs(writer, topics, ({ name, partitions }) => {
    writer.string(name)
    writer.array(partitions, (partition) => writer.i32(partition))
  })
}
