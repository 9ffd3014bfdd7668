/** Configuration: one schema, four places to write it (flags, environment, file, code), one resolved `AgentConfig`. */
export {
  type AgentConfig,
  configError,
  type LogFormat,
  type LogLevel,
  withoutCredentials,
} from './agent-config.js'
export { formatHostPort, type HostPort, parseHostPort } from './host-port.js'
export { advertisedAddress, DEFAULT_LISTENER, type ListenerConfig } from './listeners.js'
export { type ConfigSources, loadOptions, resolveConfig } from './load.js'
export {
  type AgentOptions,
  envName,
  kebabName,
  type Setting,
  type SettingGroup,
  type SettingKey,
  settingKeys,
  settings,
} from './settings.js'
