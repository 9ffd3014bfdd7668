import t from 'tap'
import { LimitedGroupCatalog } from '../../../engine/groups/limited-group-catalog.js'
import { groupWorld, offsetOf } from '../../support/group-world.js'
import { settle } from '../../support/virtual-clock.js'

t.test('calls take turns, in order, and a failure gives its place on', async (t) => {
  const { catalog } = await groupWorld(t)
  const limited = new LimitedGroupCatalog(catalog, 2, 3)
  const releases: (() => void)[] = []
  catalog.before = () => new Promise<void>((resolve) => releases.push(resolve))
  const ended: string[] = []
  const calls = ['a', 'b', 'c', 'd', 'e'].map(async (groupId) => {
    await limited.claimGroup(groupId, { create: groupId !== 'a' })
    ended.push(groupId)
  })
  await settle()
  t.equal(releases.length, 2)
  await t.rejects(limited.listGroups(), { code: 'CATALOG_UNAVAILABLE', retry: 'safe' }, 'three wait already')
  for (let round = 0; round < 5; round++) {
    releases.shift()?.()
    await settle()
    t.ok(releases.length <= 2)
  }
  await Promise.all(calls)
  t.same(ended, ['a', 'b', 'c', 'd', 'e'])

  catalog.before = () => Promise.reject(new Error('fails'))
  for (let round = 0; round < 5; round++) await t.rejects(limited.listGroups(), { message: 'fails' })
  catalog.before = () => {}
  t.equal((await limited.listGroups()).length, 4)
})

t.test('every call passes what it was given', async (t) => {
  const { catalog, topicId } = await groupWorld(t)
  const limited = new LimitedGroupCatalog(catalog)
  const { claim } = (await limited.claimGroup('readers', { create: true }))!
  await limited.saveGroup(claim, { protocolType: 'consumer', state: 'Stable', record: Uint8Array.of(1) })
  t.same(await limited.commitGroupOffsets(claim, [offsetOf(topicId, 5), offsetOf(topicId, 6, 1)]), [true, true])
  await limited.deleteGroupOffsets(claim, [{ topicId, partition: 0 }])
  t.same(await limited.readGroupOffsets('readers', [{ topicId, partition: 1 }]), [offsetOf(topicId, 6, 1)])
  t.equal(await limited.expireGroupOffsets(claim, 1_000, new Set()), 0)
  t.equal(await limited.expireGroups({ retentionMs: 1_000, unusedMs: 1_000, limit: 1 }), 0)
  await limited.deleteGroup(claim)
  t.same(await limited.listGroups(), [])
})
