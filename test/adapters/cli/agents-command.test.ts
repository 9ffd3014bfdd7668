import t from 'tap'
import { agentsCommand } from '../../../adapters/cli/agents-command.js'
import type { Agent } from '../../../engine/ports/catalog.js'

async function run(agents: Agent[], ...args: string[]) {
  let text = ''
  let opened = ''
  let closed = 0
  const command = agentsCommand({
    env: {},
    openCatalog: async (url) => {
      opened = url
      return { listAgents: async () => agents, close: async () => void closed++ }
    },
    write: (chunk) => {
      text += chunk
    },
  })
  await command.parseAsync(['--catalog', 'sqlite:///x.db', ...args], { from: 'user' })
  return { text, opened, closed }
}

const agent: Agent = {
  nodeId: 3,
  instanceId: 'i',
  host: '::1',
  port: 9092,
  listeners: [{ name: 'default', host: '::1', port: 9092 }],
  zone: 'a',
  heartbeatAgeMs: 1234,
}

t.test('a table for people, lines of JSON for programs', async (t) => {
  const table = await run([agent, { ...agent, nodeId: 12, host: 'h', zone: null }])
  t.equal(table.opened, 'sqlite:///x.db')
  t.equal(table.closed, 1)
  t.equal(
    table.text,
    [
      'NODE  ADDRESS     ZONE  LAST HEARTBEAT',
      '3     [::1]:9092  a     1.2 s ago',
      '12    h:9092      -     1.2 s ago',
      '',
    ].join('\n'),
  )
  const listeners = [
    { name: 'internal', host: '::1', port: 9092 },
    { name: 'external', host: 'a.example', port: 19_092 },
  ]
  t.match((await run([{ ...agent, listeners }])).text, '3     internal://[::1]:9092 external://a.example:19092  a  ')
  t.same(JSON.parse((await run([agent], '--json')).text), agent)
  t.match((await run([])).text, /No agent/)
})
