import type { CliCommand } from '../program.ts'

const command: CliCommand = { name: 'can-i', register: () => undefined }
export default command
