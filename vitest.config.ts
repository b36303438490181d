import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.{ts,tsx}'],
    testTimeout: 30_000,
    // Two cores are what CI has; more workers only contend.
    maxWorkers: 2,
  },
})
