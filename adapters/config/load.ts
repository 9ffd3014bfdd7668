import { readFileSync } from 'node:fs'
import { parseDocument } from 'yaml'
import type { z } from 'zod'
import {
  type AgentConfig,
  configError,
  findConflict,
  processSurroundings,
  type Surroundings,
  withDefaults,
} from './agent-config.js'
import { type AgentOptions, envName, kebabName, optionsSchema, type SettingKey, settingKeys } from './settings.js'

/** Where settings come from, weakest last. Flags and code are objects by names in code; `env` and files are as found. */
export interface ConfigSources {
  readonly flags: Readonly<Record<string, unknown>>
  readonly env: Readonly<Record<string, string | undefined>>
  /** Path of the `--config` flag; `HEADRACE_CONFIG` when absent. */
  readonly file?: string | undefined
}

/** One setting as somebody wrote it. */
interface Written {
  readonly value: unknown
  /** How its writer calls it: `--flush-interval`, `HEADRACE_FLUSH_INTERVAL`, `flush-interval in FILE`, `flushInterval`. */
  readonly label: string
}

type Layer = ReadonlyMap<string, Written>

/** Settings of a program that embeds an agent. @throws CONFIG_INVALID, one line that names the setting */
export function resolveConfig(options: AgentOptions, surroundings = processSurroundings()): AgentConfig {
  const written = Object.entries(options).filter(([, value]) => value !== undefined)
  return decide(new Map(written.map(([key, value]) => [key, { value, label: key }])), surroundings).config
}

/**
 * Settings of the command line: flags over environment over file. Answers them merged, as `AgentOptions`, once they are
 * known to be right; an empty environment variable counts as not set. @throws CONFIG_INVALID, one line
 */
export function loadOptions(sources: ConfigSources, surroundings = processSurroundings()): AgentOptions {
  const file = sources.file ?? nonEmpty(sources.env['HEADRACE_CONFIG'])
  const layers = [file === undefined ? new Map() : fileLayer(file), envLayer(sources.env), flagLayer(sources.flags)]
  return decide(new Map(layers.flatMap((layer: Layer) => [...layer])), surroundings).options
}

function decide(layer: Layer, surroundings: Surroundings): { options: AgentOptions; config: AgentConfig } {
  const options = Object.fromEntries([...layer].map(([key, { value }]) => [key, value]))
  const parsed = optionsSchema.safeParse(options)
  if (!parsed.success) throw configError(describeIssue(parsed.error.issues[0], layer), parsed.error)
  const config = withDefaults(parsed.data, surroundings)
  const conflict = findConflict(config, parsed.data)
  if (conflict !== undefined) {
    // The setting may be at its default while what it collides with was written: name it all the same.
    const decided: Partial<Record<string, unknown>> = { ...config }
    const written = layer.get(conflict.key) ?? { label: kebabName(conflict.key), value: decided[conflict.key] }
    throw configError(`${written.label}: got ${show(written.value)}, expected ${conflict.expected}`)
  }
  return { options: options as AgentOptions, config }
}

function describeIssue(issue: z.core.$ZodIssue | undefined, layer: Layer): string {
  if (issue?.code === 'unrecognized_keys') return unknownSetting(issue.keys[0] ?? '', settingKeys)
  const key = String(issue?.path[0])
  const written = layer.get(key)
  return `${written?.label ?? key}: got ${show(written?.value)}, ${issue?.message ?? 'expected something else'}`
}

// ---- layers

function flagLayer(flags: Readonly<Record<string, unknown>>): Layer {
  const layer = new Map<string, Written>()
  for (const key of settingKeys) {
    if (flags[key] !== undefined) layer.set(key, { value: flags[key], label: `--${kebabName(key)}` })
  }
  return layer
}

/**
 * Variables that start like ours and are not: what Kubernetes puts beside a service called `headrace` or `headrace-…`,
 * and what our own tests, fuzz tests and benchmarks read.
 */
const FOREIGN_VARIABLE =
  /^HEADRACE_(CONFIG$|TEST_|FUZZ_|BENCH_|(.+_)?SERVICE_(HOST|PORT)|(.+_)?PORT($|_\d+_(TCP|UDP|SCTP)))/

function envLayer(env: ConfigSources['env']): Layer {
  const keyOf = new Map<string, SettingKey>(settingKeys.map((key) => [envName(key), key]))
  const layer = new Map<string, Written>()
  for (const [variable, text] of Object.entries(env)) {
    const value = nonEmpty(text)
    if (value === undefined || !variable.startsWith('HEADRACE_')) continue
    const key = keyOf.get(variable)
    if (key !== undefined) layer.set(key, { value, label: variable })
    else if (!FOREIGN_VARIABLE.test(variable)) throw configError(unknownSetting(variable, [...keyOf.keys()]))
  }
  return layer
}

/** YAML; JSON is a part of it. */
function fileLayer(file: string): Layer {
  const keyOf = new Map<string, SettingKey>(settingKeys.map((key) => [kebabName(key), key]))
  const layer = new Map<string, Written>()
  for (const [name, value] of Object.entries(readConfigFile(file))) {
    const key = keyOf.get(name)
    if (key === undefined) throw configError(`${file}: ${unknownSetting(name, [...keyOf.keys()])}`)
    if (value !== null) layer.set(key, { value, label: `${name} in ${file}` })
  }
  return layer
}

function readConfigFile(file: string): object {
  const document = parseDocument(readText(file), { prettyErrors: true })
  const problem = document.errors[0]
  if (problem !== undefined) throw configError(`${file}: not valid YAML: ${problem.message.split('\n')[0]}`, problem)
  const content: unknown = valuesOf(document, file) ?? {}
  if (typeof content === 'object' && !Array.isArray(content)) return content as object
  throw configError(`${file}: expected settings as "name: value" lines, such as "flush-interval: 250ms"`)
}

/** Aliases are followed only here: some lead nowhere, and some unfold without end. */
function valuesOf(document: ReturnType<typeof parseDocument>, file: string): unknown {
  try {
    return document.toJS()
  } catch (error) {
    throw configError(`${file}: not valid YAML: ${(error as Error).message}`, error)
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw configError(`--config: cannot read ${file} (${(error as NodeJS.ErrnoException).code})`, error)
  }
}

// ---- words

function unknownSetting(name: string, known: readonly string[]): string {
  const near = known.find((candidate) => squeezed(candidate) === squeezed(name)) ?? nearest(name, known)
  return `unknown setting ${name}${near === undefined ? '; "headrace agent --help" lists them all' : `; did you mean ${near}?`}`
}

function squeezed(name: string): string {
  return name.replace(/[^a-z0-9]/gi, '').toLowerCase()
}

/** The known name most of whose letter pairs the given one has: catches slips, stays silent on strangers. */
function nearest(name: string, known: readonly string[]): string | undefined {
  const pairs = letterPairs(name)
  const scored = known.map((candidate) => {
    const theirs = letterPairs(candidate)
    const shared = [...theirs].filter((pair) => pairs.has(pair)).length
    return { candidate, likeness: (2 * shared) / (pairs.size + theirs.size) }
  })
  const best = scored.sort((a, b) => b.likeness - a.likeness)[0]
  return best !== undefined && best.likeness >= 0.6 ? best.candidate : undefined
}

function letterPairs(name: string): ReadonlySet<string> {
  const letters = squeezed(name).replace(/^headrace/, '')
  return new Set(Array.from({ length: Math.max(0, letters.length - 1) }, (_, at) => letters.slice(at, at + 2)))
}

function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value)
  return typeof value === 'object' ? 'a list or a group' : String(value)
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === undefined || text.trim() === '' ? undefined : text
}
