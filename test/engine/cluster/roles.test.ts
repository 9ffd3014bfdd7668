import t from 'tap'
import { type AgentRole, coordinatingAgents, hasRole, servingAgents } from '../../../engine/cluster/roles.js'

const agent = (name: string, ...roles: AgentRole[]) => ({ name, ...(roles.length > 0 ? { roles } : {}) })
const all = agent('all')
const both = agent('both', 'produce', 'fetch')
const producing = agent('producing', 'produce')
const fetching = agent('fetching', 'fetch', 'jobs')
const working = agent('working', 'jobs')
const everyone = [all, both, producing, fetching, working]
const names = (agents: readonly { readonly name: string }[]) => agents.map(({ name }) => name)

t.test('without roles an agent has all', async (t) => {
  t.ok(hasRole(all, 'jobs'))
  t.notOk(hasRole(both, 'jobs'))
})

t.test('clients are told agents that do what the one they ask does', async (t) => {
  t.same(names(servingAgents(all, everyone)), ['all', 'both'])
  t.same(names(servingAgents(producing, everyone)), ['all', 'both', 'producing'])
  t.same(names(servingAgents(fetching, everyone)), ['all', 'both', 'fetching'])
  t.same(names(servingAgents(working, everyone)), ['all', 'both'])
  t.same(names(servingAgents(working, [producing, working])), ['producing'], 'some are better than none')
  t.same(names(servingAgents(working, [working])), ['working'], 'and the list is never empty')
})

t.test('groups are run where records are fetched', async (t) => {
  t.same(names(coordinatingAgents(everyone)), ['all', 'both', 'fetching'])
  t.same(names(coordinatingAgents([producing, working])), ['producing', 'working'])
})
