// Loaded in front of the program: writes down what it starts, and refuses everything else that reaches out.
import childProcess from 'node:child_process'
import { appendFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import net from 'node:net'

const { spawn } = childProcess
const note = (entry) => appendFileSync(process.env.STARTED, `${JSON.stringify(entry)}\n`)
childProcess.spawn = (file, args, options) => {
  note({ file, args, shell: options?.shell ?? false })
  return spawn(file, args, options)
}
for (const name of ['spawnSync', 'exec', 'execSync', 'execFile', 'execFileSync', 'fork'])
  childProcess[name] = () => note({ file: `forbidden: ${name}`, args: [], shell: true })
net.Socket.prototype.connect = () => note({ file: 'forbidden: connect', args: [], shell: false })
syncBuiltinESMExports()
