import { HeadraceError } from '../../engine/errors.js'
import type { ReplicaAssignment, Topic, TopicId } from '../../engine/model.js'
import type { NewTopic, TopicConfigs } from '../../engine/ports/catalog.js'
import { checkPartitionsAdded, grownAssignment } from '../../engine/topics/topic-rules.js'
import type { Database, Session } from './database.js'
import type { Dialect } from './dialect.js'
import { type PartitionNumbers, partitionNumber, partitionsOfTopic } from './partition-numbers.js'
import { PARTITIONS_PER_PAGE, pageNumberOf, slotOf, withPartitions } from './partition-page.js'
import { lockPages, pagesOfTopic, replacePages } from './partition-rows.js'
import { producersOfTopic } from './producer-rows.js'
import { inChunks, int, intOf, type Row, textOf, textOrNullOf, tuple, uuid, uuidOf, within } from './sql-text.js'
import { isDuplicateKey } from './statement-errors.js'

const TOPIC_COLUMNS = `topic_id, live_name, partition_count, configs,
  (SELECT a.assignment FROM topic_assignments a WHERE a.topic_id = topics.topic_id) AS assignment`
const NAMES_PER_STATEMENT = 500

export async function createTopic(database: Database, numbers: PartitionNumbers, topic: NewTopic): Promise<Topic> {
  const { topicId, name, partitionCount, configs, assignment } = topic
  const topicNo = await database.change(async (session) => {
    // Before the counter's row is locked: agents that create a topic by using it mostly find that another one was first.
    const [taken] = await session.rows('SELECT topic_id, topic_no FROM topics WHERE live_name = ?', [name])
    // Ours: an earlier call whose outcome got lost.
    if (taken && uuidOf(taken, 'topic_id') === topicId) return intOf(taken, 'topic_no')
    if (taken) throw exists(name)
    const topicNo = await nextTopicNo(session)
    const values = [uuid(topicId), int(topicNo), '?', '?', int(partitionCount), '?', database.dialect.nowMs]
    try {
      await session.run(
        `INSERT INTO topics (topic_id, topic_no, live_name, name, partition_count, configs, created_at_ms) VALUES ${tuple(...values)}`,
        [name, name, JSON.stringify(configs)],
      )
    } catch (error) {
      throw isDuplicateKey(error) ? exists(name) : error
    }
    await addEmptyPartitions(database.dialect, session, topicNo, 0, partitionCount)
    await replaceAssignment(database.dialect, session, topicId, assignment)
    return topicNo
  })
  numbers.remember(topicId, topicNo)
  return { topicId, name, partitionCount, configs, ...(assignment === undefined ? {} : { assignment }) }
}

/** Empty ones, from `first` to before `end`: the page that has the last of those before gets the first of them. */
async function addEmptyPartitions(
  dialect: Dialect,
  session: Session,
  topicNo: number,
  first: number,
  end: number,
): Promise<void> {
  const pageOf = (partition: number) => pageNumberOf(partitionNumber(topicNo, partition))
  const lastPageNo = pageOf(end - 1)
  const begun = first % PARTITIONS_PER_PAGE === 0 ? [] : [pageOf(first)]
  const pages = new Map(await lockPages(dialect, session, new Set(begun)))
  if (pages.size < begun.length) throw new RangeError(`partitions of topic number ${topicNo} have no row`)
  for (let pageNo = pageOf(first); pageNo <= lastPageNo; pageNo++) {
    const count = pageNo === lastPageNo ? slotOf(end - 1) + 1 : PARTITIONS_PER_PAGE
    pages.set(pageNo, withPartitions(pages.get(pageNo), count))
  }
  await replacePages(dialect, session, pages)
}

async function replaceAssignment(
  dialect: Dialect,
  session: Session,
  topicId: TopicId,
  assignment: ReplicaAssignment | undefined,
): Promise<void> {
  if (assignment === undefined) return
  const suffix = dialect.onConflictReplace(['topic_id'], ['assignment'])
  const sql = `INSERT INTO topic_assignments (topic_id, assignment) VALUES (${uuid(topicId)}, ?)${suffix}`
  await session.run(sql, [JSON.stringify(assignment)])
}

async function nextTopicNo(session: Session): Promise<number> {
  await session.run('UPDATE cluster_state SET next_topic_no = next_topic_no + 1 WHERE singleton = 1')
  const [row] = await session.rows('SELECT next_topic_no - 1 AS topic_no FROM cluster_state WHERE singleton = 1')
  return intOf(row ?? {}, 'topic_no')
}

export async function deleteTopic(database: Database, topicId: TopicId): Promise<void> {
  const { nowMs } = database.dialect
  await database.change(async (session) => {
    const { topicNo } = await lockTopic(database, session, topicId)
    // Partitions before producers: a commit that holds the partitions may still write their producers.
    await session.run(`DELETE FROM partition_pages WHERE ${pagesOfTopic(topicNo)}`)
    await session.run(`DELETE FROM topic_assignments WHERE topic_id = ${uuid(topicId)}`)
    await session.run(`DELETE FROM producer_pages WHERE ${producersOfTopic(topicNo)}`)
    await session.run(`DELETE FROM group_offsets WHERE ${partitionsOfTopic(topicNo)}`)
    await session.run(`UPDATE topics SET live_name = NULL, deleted_at_ms = ${nowMs} WHERE topic_id = ${uuid(topicId)}`)
  })
}

export function updateTopicConfigs(
  database: Database,
  topicId: TopicId,
  update: (configs: TopicConfigs) => TopicConfigs | Promise<TopicConfigs>,
): Promise<Topic> {
  return database.change(async (session) => {
    const { topic } = await lockTopic(database, session, topicId)
    const configs = await update(topic.configs)
    await session.run(`UPDATE topics SET configs = ? WHERE topic_id = ${uuid(topicId)}`, [JSON.stringify(configs)])
    return { ...topic, configs }
  })
}

/** The new partitions become visible with the topic's new count, so that who sees the count finds their rows. */
export function addPartitions(
  database: Database,
  topicId: TopicId,
  partitionCount: number,
  added: ReplicaAssignment | undefined,
): Promise<Topic> {
  return database.change(async (session) => {
    const { topic, topicNo } = await lockTopic(database, session, topicId)
    checkPartitionsAdded(topic.name, topic.partitionCount, partitionCount)
    await addEmptyPartitions(database.dialect, session, topicNo, topic.partitionCount, partitionCount)
    await session.run(`UPDATE topics SET partition_count = ${int(partitionCount)} WHERE topic_id = ${uuid(topicId)}`)
    const assignment = grownAssignment(topic, added)
    if (added !== undefined) await replaceAssignment(database.dialect, session, topicId, assignment)
    return { ...topic, partitionCount, ...(assignment === undefined ? {} : { assignment }) }
  })
}

/** Keeps the topic as it is until the transaction ends. */
async function lockTopic(
  database: Database,
  session: Session,
  topicId: TopicId,
): Promise<{ readonly topic: Topic; readonly topicNo: number }> {
  const [row] = await session.rows(
    `SELECT topic_no, ${TOPIC_COLUMNS} FROM topics
     WHERE topic_id = ${uuid(topicId)} AND live_name IS NOT NULL${database.dialect.lockRows}`,
  )
  if (row) return { topic: topicOf(row), topicNo: intOf(row, 'topic_no') }
  throw new HeadraceError('TOPIC_UNKNOWN', 'never', `there is no topic ${topicId}; it may have been deleted`)
}

export async function topicsByName(session: Session, names: readonly string[]): Promise<Topic[]> {
  const wanted = new Set(names)
  const topics: Topic[] = []
  for (const chunk of inChunks([...wanted], NAMES_PER_STATEMENT)) {
    const places = chunk.map(() => '?').join(', ')
    const rows = await session.rows(`SELECT ${TOPIC_COLUMNS} FROM topics WHERE live_name IN (${places})`, chunk)
    topics.push(...rows.map(topicOf))
  }
  // MySQL compares without trailing spaces.
  return topics.filter(({ name }) => wanted.has(name))
}

export async function topicsById(session: Session, topicIds: readonly TopicId[]): Promise<Topic[]> {
  const wanted = [...new Set(topicIds)]
  if (wanted.length === 0) return []
  const condition = within('topic_id', wanted.map(uuid))
  const rows = await session.rows(`SELECT ${TOPIC_COLUMNS} FROM topics WHERE ${condition} AND live_name IS NOT NULL`)
  return rows.map(topicOf)
}

export async function listTopics(session: Session): Promise<Topic[]> {
  const rows = await session.rows(`SELECT ${TOPIC_COLUMNS} FROM topics WHERE live_name IS NOT NULL ORDER BY live_name`)
  return rows.map(topicOf)
}

function topicOf(row: Row): Topic {
  const assignment = textOrNullOf(row, 'assignment')
  return {
    ...(assignment === null ? {} : { assignment: JSON.parse(assignment) as ReplicaAssignment }),
    topicId: uuidOf(row, 'topic_id'),
    name: textOf(row, 'live_name'),
    partitionCount: intOf(row, 'partition_count'),
    configs: JSON.parse(textOf(row, 'configs')) as Readonly<Record<string, string>>,
  }
}

function exists(name: string): HeadraceError {
  return new HeadraceError('TOPIC_EXISTS', 'never', `a topic named ${name} exists already`)
}
