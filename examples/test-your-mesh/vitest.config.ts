import { defineConfig, type ViteUserConfig } from 'vitest/config'

// Of its own, so that the test runs as it would in your project: on built packages.
const config: ViteUserConfig = defineConfig({})
export default config
