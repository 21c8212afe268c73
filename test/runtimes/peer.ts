/** The other side of the transport contract: a server on plain node:net that does what the first line tells it.
 * Not here: anything of this package, so that it stays an independent witness.
 * Commands: echo | pieces N | bulk N | sink N | flood T | half-close T | reset | stall T | release T | stay T |
 * count T | report T, where N is a length in bytes and T a token under which the peer notes what it saw.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { bulk, bulkByte, type ContractEnvironment } from './contract-kit.ts';

const host = '127.0.0.1';

/** What the peer saw, by token. */
const notes = new Map<string, string>();
const stalled = new Map<string, Socket>();

function sendPieces(socket: Socket, byteLength: number, position = 0): void {
  if (socket.destroyed) return;
  if (position === byteLength) return void socket.end();
  socket.write(bulk(position, 1));
  setTimeout(() => sendPieces(socket, byteLength, position + 1), 1);
}

function sendBulk(socket: Socket, byteLength: number, sent: (position: number) => void): void {
  let position = 0;
  const go = (): void => {
    while (position < byteLength) {
      const chunk = bulk(position, Math.min(1_000_000, byteLength - position));
      position += chunk.length;
      const taken = position;
      const isRoom = socket.write(chunk, () => sent(taken));
      if (!isRoom) return;
    }
    socket.end();
  };
  socket.on('drain', go);
  go();
}

/** Counts bulk bytes and whether they are in order; `note` hears of every chunk and of the end. */
function count(
  socket: Socket,
  rest: Buffer,
  note: (position: number, isInOrder: boolean, end: string) => void,
): void {
  let position = 0;
  let isInOrder = true;
  let end = '';
  const take = (chunk: Buffer): void => {
    for (let index = 0; index < chunk.length; index += 89) {
      isInOrder &&= chunk[index] === bulkByte(position + index);
    }
    position += chunk.length;
    note(position, isInOrder, end);
  };
  const finish = (how: string): void => {
    end ||= how;
    note(position, isInOrder, end);
  };
  socket.on('data', take);
  socket.on('end', () => finish(', ended'));
  socket.on('error', () => finish(', reset'));
  take(rest);
}

function notesCount(token: string): (position: number, isInOrder: boolean, end: string) => void {
  return (position, isInOrder, end) => {
    notes.set(token, `${position} ${isInOrder ? 'in order' : 'in disorder'}${end}`);
  };
}

/** Notes the words that come, and how they end. */
function listenTo(socket: Socket, token: string, rest: Buffer): void {
  let words = rest.toString();
  const note = (end: string): void => void notes.set(token, words + end);
  note('');
  socket.on('data', (chunk) => {
    words += chunk.toString();
    note('');
  });
  socket.on('end', () => note(', ended'));
  socket.on('error', () => note(', reset'));
}

function obey(socket: Socket, command: string, argument: string, rest: Buffer): void {
  if (command === 'echo') {
    if (rest.length > 0) socket.write(rest);
    socket.pipe(socket);
  } else if (command === 'pieces') sendPieces(socket, Number(argument));
  else if (command === 'bulk') sendBulk(socket, Number(argument), () => undefined);
  else if (command === 'flood')
    sendBulk(socket, 256_000_000, (position) => notes.set(argument, String(position)));
  else if (command === 'sink') {
    count(socket, rest, (position, isInOrder) => {
      if (position === Number(argument)) socket.end(isInOrder ? 'in order' : 'in disorder');
    });
  } else if (command === 'half-close') {
    listenTo(socket, argument, rest);
    socket.end('bye');
  } else if (command === 'reset') socket.resetAndDestroy();
  else if (command === 'stay') listenTo(socket, argument, rest);
  else if (command === 'count') count(socket, rest, notesCount(argument));
  else if (command === 'stall') {
    socket.unshift(rest);
    stalled.set(argument, socket);
  } else if (command === 'release') {
    const released = stalled.get(argument);
    if (released !== undefined) count(released, Buffer.alloc(0), notesCount(argument));
    released?.resume();
    socket.end();
  } else if (command === 'report') socket.end(notes.get(argument) ?? 'nothing');
}

function serve(socket: Socket): void {
  socket.setNoDelay();
  // A case may reset its connection; each command that cares notes it.
  socket.on('error', () => undefined);
  let head = Buffer.alloc(0);
  const readCommand = (chunk: Buffer): void => {
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf(10);
    if (end < 0) return;
    socket.off('data', readCommand);
    socket.pause();
    const [command = '', argument = ''] = head.subarray(0, end).toString().split(' ');
    obey(socket, command, argument, head.subarray(end + 1));
    if (command !== 'stall') socket.resume();
  };
  socket.on('data', readCommand);
}

function listening(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, host, () => resolve((server.address() as AddressInfo).port));
  });
}

/** A port whose queue of connections is full and is never emptied: the kernel answers no further attempt. */
async function unanswered(): Promise<{ port: number; close: () => void }> {
  const program = `require('node:net').createServer().listen({ host: '${host}', port: 0, backlog: 1 }, function () {
    require('node:fs').writeSync(1, String(this.address().port));
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 120000);
    process.exit();
  });`;
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  const port = await new Promise<number>((resolve) =>
    child.stdout.once('data', (words) => resolve(Number(words))),
  );
  const fillers = [0, 1, 2, 3].map(() => connect({ host, port }));
  for (const filler of fillers) filler.on('error', () => undefined);
  // Two fit into a queue of one; connections are made by the kernel alone, in order.
  await Promise.all(
    fillers.slice(0, 2).map((filler) => new Promise((resolve) => filler.once('connect', resolve))),
  );
  const close = (): void => {
    for (const filler of fillers) filler.destroy();
    child.kill('SIGKILL');
  };
  return { port, close };
}

/** Starts everything that the cases talk to. */
export async function startPeer(): Promise<{ environment: ContractEnvironment; close: () => Promise<void> }> {
  const certificate = (name: string): string =>
    readFileSync(new URL(`certificates/${name}`, import.meta.url), 'utf8');
  const plain = createServer({ allowHalfOpen: true }, serve);
  const pem = { cert: certificate('server.pem'), key: certificate('server-key.pem') };
  const tls = createTlsServer(pem, (socket) => {
    socket.on('error', () => undefined);
    socket.pipe(socket);
  });
  const nobody = createServer();
  const silent = await unanswered();
  const [port, tlsPort, refusedPort] = [
    await listening(plain),
    await listening(tls),
    await listening(nobody),
  ];
  nobody.close();
  const sockets = new Set<Socket>();
  for (const server of [plain, tls]) {
    server.on('connection', (socket: Socket) => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
    });
  }
  const environment: ContractEnvironment = {
    peer: { host, port },
    refused: { host, port: refusedPort },
    unanswered: { host, port: silent.port },
    tls: { host: 'localhost', port: tlsPort },
    ca: certificate('ca.pem'),
  };
  const close = async (): Promise<void> => {
    silent.close();
    for (const socket of sockets) socket.destroy();
    await Promise.all([plain, tls].map((server) => new Promise((resolve) => server.close(resolve))));
  };
  return { environment, close };
}
