/** The TypeScript blocks of a document as programs: compiled against the package's types, and run on the source.
 * Not here: which documents have blocks that can run.
 */
import { execFile } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import process from 'node:process';
import { promisify } from 'node:util';
import { rolldown } from 'rolldown';
import { repositoryRoot } from './source-tree.ts';

const run = promisify(execFile);

/** The blocks of one document, in a folder of their own. */
export class GuideBlocks {
  readonly codes: readonly string[];
  readonly #folder: string;

  /** `name` is the folder's, below `build`; `surroundings` is what stands before a block. */
  constructor(name: string, text: string, surroundings: (code: string) => string = () => '') {
    this.#folder = `${repositoryRoot}build/${name}/`;
    this.codes = Array.from(
      text.matchAll(/^```ts\n([\s\S]*?)^```$/gm),
      ([, code = '']) => surroundings(code) + code,
    );
  }

  /** Rejects with what the compiler says of any of them. */
  async compile(): Promise<void> {
    const folder = `${this.#folder}types/`;
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
    await Promise.all(
      this.codes.map((code, index) => writeFile(`${folder}block-${index}.ts`, `${code}\nexport {};\n`)),
    );
    const config = { extends: '../../../tsconfig.json', include: ['*.ts'], exclude: [] };
    await writeFile(`${folder}tsconfig.json`, JSON.stringify(config));
    await run(`${repositoryRoot}node_modules/.bin/tsc`, ['-p', folder], { timeout: 60_000 });
  }

  /** Runs one to its end, with `broker` for `localhost:9092`. Rejects unless it ends well; resolves with what it wrote to
   * standard error. */
  async run(index: number, broker: string | undefined): Promise<string> {
    const path = `${this.#folder}run-${index}`;
    const code = (this.codes[index] ?? '').replaceAll("'localhost:9092'", JSON.stringify(broker));
    await mkdir(this.#folder, { recursive: true });
    await writeFile(`${path}.ts`, code);
    const source = (file: string): string => `${repositoryRoot}src/${file}`;
    const bundle = await rolldown({
      input: `${path}.ts`,
      platform: 'node',
      external: /^node:/,
      transform: { target: 'es2022' },
      resolve: {
        alias: {
          '#platform': source('runtime/node.ts'),
          '#crc32c-wasm': source('protocol/crc32c-wasm.ts'),
          'kafka-wire/protocol': source('protocol/index.ts'),
          'kafka-wire/testing': source('testing/index.ts'),
          'kafka-wire': source('index.ts'),
        },
      },
    });
    await bundle.write({ file: `${path}.mjs`, format: 'esm', codeSplitting: false });
    await bundle.close();
    const { stderr } = await run(process.execPath, [`${path}.mjs`], { timeout: 15_000 });
    return stderr;
  }
}
