import t from 'tap'
import { LimitedGroupCatalog } from '../../../engine/groups/limited-group-catalog.js'
import { groupWorld, offsetOf } from '../../support/group-world.js'
import { settle } from '../../support/virtual-clock.js'

t.test('calls take turns, in order, and a failure gives its place on', async (t) => {
  const { catalog, clock } = await groupWorld(t)
  const limits = { concurrencyMax: 2, waitingMax: 3, waitMaxMs: 1_000 }
  const limited = new LimitedGroupCatalog(catalog, clock, limits)
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

t.test('nobody waits for a turn longer than clients wait', async (t) => {
  const { catalog, clock } = await groupWorld(t)
  const limited = new LimitedGroupCatalog(catalog, clock, { concurrencyMax: 1, waitingMax: 3, waitMaxMs: 1_000 })
  let release = () => {}
  catalog.before = () =>
    new Promise<void>((resolve) => {
      release = resolve
    })
  const first = limited.listGroups()
  const second = t.rejects(limited.listGroups(), { code: 'CATALOG_UNAVAILABLE', retry: 'safe' })
  await clock.advance(1_000)
  await second
  t.equal(clock.timerCount, 0)
  catalog.before = () => {}
  const third = limited.listGroups()
  release()
  t.same(await first, [])
  t.same(await third, [], 'the place is not lost with the one that gave up')
  t.equal(clock.timerCount, 0)
})

t.test('every call passes what it was given', async (t) => {
  const { catalog, topicId, clock } = await groupWorld(t)
  const limited = new LimitedGroupCatalog(catalog, clock)
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
