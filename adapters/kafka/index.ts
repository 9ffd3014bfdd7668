export { KafkaError, type KafkaErrorCode, kafkaFailureOf } from './errors.js'
export { type KafkaListener, type KafkaListenerOptions, type ListenAddress, startKafkaListener } from './listener.js'
export {
  DEFAULT_KAFKA_SETTINGS,
  type KafkaListenerSettings,
  type KafkaMetrics,
  NO_KAFKA_METRICS,
} from './settings.js'
