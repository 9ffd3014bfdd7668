import type { SegmentId, TopicId } from '../../engine/model.js'
import type { LiveSegmentsRequest, SegmentExtent, SegmentInfo } from '../../engine/ports/jobs-catalog.js'
import type { Session } from './database.js'
import { literalsOf } from './extent-removal.js'
import { extentOf } from './log-rows.js'
import { partitionIndexOf, topicNumberOf } from './partition-numbers.js'
import { readPartitions } from './partition-rows.js'
import { SEGMENT_LIVE } from './schema.js'
import { SEGMENT_INFO_COLUMNS, segmentInfoOf } from './segment-rows.js'
import { blob, bytesOf, inChunks, int, intOf, type Row, uuid, uuidOf, within } from './sql-text.js'

/** What compaction plans by. Nothing here is locked: the swap finds out whether the picture still holds. */
export async function liveSegments(session: Session, request: LiveSegmentsRequest): Promise<SegmentInfo[]> {
  const after = request.after === undefined ? '' : ` AND segment_id > ${uuid(request.after)}`
  const rows = await session.rows(
    `SELECT ${SEGMENT_INFO_COLUMNS} FROM segments
     WHERE state = ${SEGMENT_LIVE} AND level = ${int(request.level)}${after} ORDER BY segment_id LIMIT ${int(request.limit)}`,
  )
  return rows.map(segmentInfoOf)
}

const EXTENT_COLUMNS =
  'partition_no, end_offset, base_offset, segment_id, position, bytes, batch_skip_count, batch_count, max_timestamp_ms'

export async function extentsOfSegments(session: Session, segmentIds: readonly SegmentId[]): Promise<SegmentExtent[]> {
  const rows: Row[] = []
  const segments = new Map<string, Row>()
  for (const chunk of inChunks(literalsOf(segmentIds), 500)) {
    const condition = within('segment_id', chunk)
    rows.push(...(await session.rows(`SELECT ${EXTENT_COLUMNS} FROM extents WHERE ${condition}`)))
    const found = await session.rows(
      `SELECT segment_id, object_key, object_bytes, level FROM segments WHERE ${condition}`,
    )
    for (const row of found) segments.set(blob(bytesOf(row, 'segment_id')), row)
  }
  const partitionNos = new Set(rows.map((row) => intOf(row, 'partition_no')))
  const partitions = await readPartitions(session, partitionNos)
  const topicIds = await readTopicIds(session, new Set([...partitionNos].map(topicNumberOf)))
  return rows.flatMap((row) => {
    const partitionNo = intOf(row, 'partition_no')
    const topicId = topicIds.get(topicNumberOf(partitionNo))
    const segment = segments.get(blob(bytesOf(row, 'segment_id')))
    // Gone between two of these statements.
    if (topicId === undefined || segment === undefined) return []
    const extent = extentOf({ topicId, partition: partitionIndexOf(partitionNo) }, { row, segment })
    const logStartOffset = partitions.get(partitionNo)?.logStartOffset ?? Number.POSITIVE_INFINITY
    return [{ ...extent, wanted: extent.endOffset > logStartOffset }]
  })
}

async function readTopicIds(session: Session, topicNos: ReadonlySet<number>): Promise<ReadonlyMap<number, TopicId>> {
  const found = new Map<number, TopicId>()
  for (const chunk of inChunks([...topicNos], 5000)) {
    const rows = await session.rows(`SELECT topic_id, topic_no FROM topics WHERE ${within('topic_no', chunk.map(int))}`)
    for (const row of rows) found.set(intOf(row, 'topic_no'), uuidOf(row, 'topic_id'))
  }
  return found
}
