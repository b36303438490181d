import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.{ts,tsx}'],
    testTimeout: 30_000,
    // Two cores are what CI has; more workers only contend.
    maxWorkers: 2,
    // Real terminals and processes on a machine that others use too: one more try, and only there.
    retry: process.env.CI ? 1 : 0,
  },
})
