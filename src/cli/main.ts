#!/usr/bin/env node
/** The program `kafka-wire`, as package.json names it. Everything else is in program.ts, so that tests can call it. */
import process from 'node:process';
import { processIo } from './io.ts';
import { run } from './program.ts';

process.exitCode = await run(process.argv.slice(2), processIo());
