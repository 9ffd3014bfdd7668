import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import { isHeadraceError } from '../../engine/errors.js'
import type { Catalog } from '../../engine/ports/catalog.js'
import type { GroupClaim, GroupOffset } from '../../engine/ports/group-catalog.js'
import { createTestTopic } from '../support/commit-segments.js'
import { type OpenFixture, onCatalog } from './catalog.js'

const ANY_TOPIC = '00000000-0000-4000-8000-000000000000'
const RECORD = Uint8Array.of(0, 1, 255, 39, 92)

async function claim(catalog: Catalog, groupId: string): Promise<GroupClaim> {
  const claimed = await catalog.claimGroup(groupId, { create: true })
  if (claimed === undefined) throw new Error('a group that may be created was not')
  return claimed.claim
}

function offsetOf(topicId: string, partition: number, offset: number, metadata = ''): GroupOffset {
  return { topicId, partition, offset, leaderEpoch: -1, metadata }
}

const byPartition = (a: GroupOffset, b: GroupOffset) =>
  a.topicId < b.topicId ? -1 : a.topicId > b.topicId ? 1 : a.partition - b.partition

async function read(catalog: Catalog, groupId: string): Promise<GroupOffset[]> {
  return (await catalog.readGroupOffsets(groupId)).sort(byPartition)
}

export async function groupCases(t: Test, open: OpenFixture): Promise<void> {
  await onCatalog(
    t,
    open,
    'a group is claimed, saved, and claimed with what was saved',
    async (t, catalog, fixture) => {
      t.equal(await catalog.claimGroup('readers', { create: false }), undefined)
      const first = await catalog.claimGroup('readers', { create: true })
      t.same(first?.group, { protocolType: '', state: 'Empty', record: new Uint8Array() })
      const saved = { protocolType: 'consumer', state: 'Stable', record: RECORD }
      await catalog.saveGroup(first!.claim, saved)
      const other = await fixture.connect()
      const second = await other.claimGroup('readers', { create: true })
      t.same(second?.group, saved)
      t.not(second?.claim.coordinatorEpoch, first?.claim.coordinatorEpoch)
      const large = { ...saved, record: new Uint8Array(6 * 1024 * 1024).fill(0xa5) }
      await other.saveGroup(second!.claim, large)
      t.ok(Buffer.from(large.record).equals((await catalog.claimGroup('readers', { create: false }))!.group.record))
    },
  )

  await onCatalog(t, open, 'who was claimed from changes nothing any more', async (t, catalog, fixture) => {
    const { topicId } = await createTestTopic(catalog, 'orders')
    const zombie = await claim(catalog, 'readers')
    await catalog.commitGroupOffsets(zombie, [offsetOf(topicId, 0, 5)])
    const other = await fixture.connect()
    const owner = await claim(other, 'readers')
    const fenced = { code: 'NOT_COORDINATOR' }
    await t.rejects(catalog.saveGroup(zombie, { protocolType: 'x', state: 'Stable', record: RECORD }), fenced)
    await t.rejects(catalog.commitGroupOffsets(zombie, [offsetOf(topicId, 0, 9)]), fenced)
    await t.rejects(catalog.commitGroupOffsets(zombie, []), fenced)
    await t.rejects(catalog.deleteGroupOffsets(zombie, [{ topicId, partition: 0 }]), fenced)
    await t.rejects(catalog.expireGroupOffsets(zombie, 0, new Set()), fenced)
    await t.rejects(catalog.deleteGroup(zombie), fenced)
    t.same(await read(catalog, 'readers'), [offsetOf(topicId, 0, 5)])
    t.same(await catalog.listGroups(), [{ groupId: 'readers', protocolType: '', state: 'Empty' }])
    t.same(await other.commitGroupOffsets(owner, [offsetOf(topicId, 0, 6)]), [true])
  })

  await onCatalog(t, open, 'a group that was deleted and made again is another one', async (t, catalog) => {
    const { topicId } = await createTestTopic(catalog, 'orders')
    const former = await claim(catalog, 'readers')
    await catalog.commitGroupOffsets(former, [offsetOf(topicId, 0, 5)])
    await catalog.deleteGroup(former)
    await catalog.deleteGroup(former)
    t.same(await catalog.listGroups(), [])
    t.same(await read(catalog, 'readers'), [])
    const again = await claim(catalog, 'readers')
    t.same(await read(catalog, 'readers'), [])
    await t.rejects(catalog.commitGroupOffsets(former, [offsetOf(topicId, 0, 9)]), { code: 'NOT_COORDINATOR' })
    await catalog.deleteGroup(former)
    t.same(await catalog.commitGroupOffsets(again, [offsetOf(topicId, 0, 1)]), [true])
  })

  await onCatalog(t, open, 'group ids are compared exactly', async (t, catalog) => {
    const { topicId } = await createTestTopic(catalog, 'orders')
    const longest = '\u{1F680}'.repeat(127)
    const ids = ['readers', 'Readers', 'readers ', ' readers', 'réaders', 're\u0301aders', "'; --", '\\', '\0', longest]
    for (const [number, groupId] of ids.entries()) {
      await catalog.commitGroupOffsets(await claim(catalog, groupId), [offsetOf(topicId, 0, number)])
    }
    for (const [number, groupId] of ids.entries()) {
      t.same(await read(catalog, groupId), [offsetOf(topicId, 0, number)], JSON.stringify(groupId))
    }
    const listed = (await catalog.listGroups()).map(({ groupId }) => groupId)
    t.same(listed.sort(), ids.toSorted())
  })

  await onCatalog(t, open, 'offsets are committed, replaced, read and deleted', async (t, catalog, fixture) => {
    const orders = await createTestTopic(catalog, 'orders', 3)
    const other = await createTestTopic(catalog, 'other', 1)
    const owner = await claim(catalog, 'readers')
    const metadata = `${'x'.repeat(4090)}'\\\u{1F680}`
    const first = [
      { ...offsetOf(orders.topicId, 0, Number.MAX_SAFE_INTEGER, metadata), leaderEpoch: 7 },
      offsetOf(orders.topicId, 2, 0),
      offsetOf(other.topicId, 0, 12, 'm'),
    ]
    t.same(await catalog.commitGroupOffsets(owner, first), [true, true, true])
    const reader = await fixture.connect()
    t.same(await read(reader, 'readers'), first.toSorted(byPartition))
    t.same(
      await reader.readGroupOffsets('readers', [
        { topicId: orders.topicId, partition: 0 },
        { topicId: orders.topicId, partition: 1 },
        { topicId: ANY_TOPIC, partition: 0 },
        { topicId: orders.topicId, partition: -1 },
      ]),
      [first[0]],
    )
    t.same(await reader.readGroupOffsets('readers', []), [])
    t.same(await reader.readGroupOffsets('nobody'), [])

    const twice = [offsetOf(orders.topicId, 2, 5), offsetOf(orders.topicId, 2, 4, 'the last one counts')]
    t.same(await catalog.commitGroupOffsets(owner, twice), [true, true])
    t.same(await catalog.commitGroupOffsets(owner, twice), [true, true], 'it may be repeated')
    t.same(await reader.readGroupOffsets('readers', [{ topicId: orders.topicId, partition: 2 }]), [twice[1]])

    const unknown = [offsetOf(ANY_TOPIC, 0, 1), offsetOf(orders.topicId, 3, 1), offsetOf(orders.topicId, -1, 1)]
    t.same(await catalog.commitGroupOffsets(owner, [...unknown, offsetOf(orders.topicId, 1, 1)]), [
      false,
      false,
      false,
      true,
    ])
    t.same(await catalog.commitGroupOffsets(owner, unknown), [false, false, false])
    await catalog.deleteGroupOffsets(owner, [
      { topicId: orders.topicId, partition: 1 },
      { topicId: ANY_TOPIC, partition: 1 },
    ])
    await catalog.deleteGroupOffsets(owner, [])
    t.same(await read(reader, 'readers'), [first[0]!, twice[1]!, first[2]!].sort(byPartition))
  })

  await onCatalog(t, open, 'offsets of a thousand partitions', async (t, catalog) => {
    const { topicId } = await createTestTopic(catalog, 'orders', 1200)
    const owner = await claim(catalog, 'readers')
    const offsets = Array.from({ length: 1200 }, (_, partition) => offsetOf(topicId, partition, partition * 7, 'meta'))
    t.same(new Set(await catalog.commitGroupOffsets(owner, offsets)), new Set([true]))
    t.same(await read(catalog, 'readers'), offsets)
    t.same((await catalog.readGroupOffsets('readers', offsets)).sort(byPartition), offsets)
  })

  await onCatalog(t, open, 'offsets go with their topic', async (t, catalog) => {
    const gone = await createTestTopic(catalog, 'gone', 2)
    const stays = await createTestTopic(catalog, 'stays', 1)
    const owner = await claim(catalog, 'readers')
    const kept = offsetOf(stays.topicId, 0, 3)
    await catalog.commitGroupOffsets(owner, [offsetOf(gone.topicId, 0, 1), offsetOf(gone.topicId, 1, 2), kept])
    await catalog.deleteTopic(gone.topicId)
    t.same(await read(catalog, 'readers'), [kept])
    t.same(await catalog.readGroupOffsets('readers', [{ topicId: gone.topicId, partition: 0 }]), [])
    t.same(await catalog.commitGroupOffsets(owner, [offsetOf(gone.topicId, 0, 9)]), [false])
    const again = await createTestTopic(catalog, 'gone', 2)
    t.same(await catalog.readGroupOffsets('readers', [{ topicId: again.topicId, partition: 0 }]), [])
  })

  await onCatalog(t, open, 'groups that nobody uses expire', async (t, catalog) => {
    const { topicId } = await createTestTopic(catalog, 'orders')
    const used = await claim(catalog, 'used')
    await catalog.commitGroupOffsets(used, [offsetOf(topicId, 0, 1)])
    await claim(catalog, 'unused')
    const busy = await claim(catalog, 'busy')
    await catalog.saveGroup(busy, { protocolType: 'consumer', state: 'Stable', record: RECORD })
    const names = async () => (await catalog.listGroups()).map(({ groupId }) => groupId).sort()
    const hourMs = 3_600_000
    t.equal(await catalog.expireGroups({ retentionMs: hourMs, unusedMs: hourMs, limit: 10 }), 0)
    await sleep(20)
    t.equal(await catalog.expireGroups({ retentionMs: hourMs, unusedMs: 5, limit: 10 }), 1)
    t.same(await names(), ['busy', 'used'])
    t.equal(await catalog.expireGroups({ retentionMs: 5, unusedMs: 5, limit: 0 }), 0)
    t.equal(await catalog.expireGroups({ retentionMs: 5, unusedMs: 5, limit: 10 }), 1)
    t.same(await names(), ['busy'])
    t.same(await read(catalog, 'used'), [])
    await t.rejects(catalog.commitGroupOffsets(used, [offsetOf(topicId, 0, 1)]), { code: 'NOT_COORDINATOR' })
  })

  await onCatalog(t, open, 'offsets of topics that a group reads no more expire', async (t, catalog) => {
    const orders = await createTestTopic(catalog, 'orders')
    const former = await createTestTopic(catalog, 'former')
    const owner = await claim(catalog, 'readers')
    const kept = offsetOf(orders.topicId, 0, 1)
    await catalog.commitGroupOffsets(owner, [kept, offsetOf(former.topicId, 0, 1)])
    await sleep(20)
    t.equal(await catalog.expireGroupOffsets(owner, 3_600_000, new Set(['orders'])), 0)
    t.equal(await catalog.expireGroupOffsets(owner, 5, new Set(['orders', 'nothing'])), 1)
    t.same(await read(catalog, 'readers'), [kept])
    t.equal(await catalog.expireGroupOffsets(owner, 5, new Set(['orders'])), 0)
  })

  await onCatalog(t, open, 'agents that claim at once: the last one alone can commit', async (t, catalog, fixture) => {
    const { topicId } = await createTestTopic(catalog, 'orders')
    const agents = [catalog, await fixture.connect(), await fixture.connect()]
    for (let round = 0; round < 5; round++) {
      const groupId = `readers-${round}`
      const claims = await Promise.all(agents.map((agent) => claim(agent, groupId)))
      t.equal(new Set(claims.map(({ groupNo }) => groupNo)).size, 1, 'one group')
      t.equal(new Set(claims.map(({ coordinatorEpoch }) => coordinatorEpoch)).size, 3, 'three epochs')
      const commits = await Promise.allSettled(
        agents.map((agent, number) => agent.commitGroupOffsets(claims[number]!, [offsetOf(topicId, 0, number)])),
      )
      const newest = Math.max(...claims.map(({ coordinatorEpoch }) => coordinatorEpoch))
      const winner = claims.findIndex(({ coordinatorEpoch }) => coordinatorEpoch === newest)
      for (const [number, { status }] of commits.entries()) {
        t.equal(status, number === winner ? 'fulfilled' : 'rejected', `agent ${number}`)
      }
      const reasons = commits.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []))
      t.ok(reasons.every((reason) => isHeadraceError(reason, 'NOT_COORDINATOR')))
      t.same(await read(catalog, groupId), [offsetOf(topicId, 0, winner)])
    }
  })
}
