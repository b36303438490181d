// A bug of ours, at a moment of the test's choosing.
process.on('SIGUSR2', () => {
  throw new Error('a bug of ours')
})
