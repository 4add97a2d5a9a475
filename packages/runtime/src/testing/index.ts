export { createFakeClock, type FakeClock } from './fake-clock.js'
export { createMemoryLogger, type LogEntry, type MemoryLogger } from './memory-logger.js'
export { createSeededRandom } from './seeded-random.js'
