import type { CliCommand } from '../program.ts'

const command: CliCommand = { name: 'trace', register: () => undefined }
export default command
