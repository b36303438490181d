// Loaded in front of the program: from here on nothing can be started and nothing can be connected to.
import childProcess from 'node:child_process'
import dgram from 'node:dgram'
import dns from 'node:dns'
import { syncBuiltinESMExports } from 'node:module'
import net from 'node:net'
import tls from 'node:tls'
import workers from 'node:worker_threads'

const refuse = (what) => () => {
  process.stderr.write(`REFUSED: ${what}\n`)
  process.exit(99)
}
for (const name of ['spawn', 'spawnSync', 'exec', 'execSync', 'execFile', 'execFileSync', 'fork'])
  childProcess[name] = refuse(name)
for (const name of ['connect', 'createConnection', 'createServer']) net[name] = refuse(`net.${name}`)
net.Socket.prototype.connect = refuse('connect')
net.Server.prototype.listen = refuse('listen')
tls.connect = refuse('tls.connect')
dgram.createSocket = refuse('dgram')
dns.lookup = refuse('dns.lookup')
dns.promises.lookup = refuse('dns.lookup')
workers.Worker = refuse('Worker')
globalThis.fetch = refuse('fetch')
syncBuiltinESMExports()
