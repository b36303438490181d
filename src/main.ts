#!/usr/bin/env node
import process from 'node:process'

process.stdout.write('meshtriage 0.1.0\n')
