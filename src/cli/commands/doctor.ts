import type { CliCommand } from '../program.ts'

const command: CliCommand = { name: 'doctor', register: () => undefined }
export default command
