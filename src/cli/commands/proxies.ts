import type { CliCommand } from '../program.ts'

const command: CliCommand = { name: 'proxies', register: () => undefined }
export default command
