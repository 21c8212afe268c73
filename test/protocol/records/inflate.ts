/** The codecs of compressed batches for tests of the formats around them, from packages that know nothing of us. */
import { gunzipSync } from 'node:zlib';
import { decompress as unzstd } from 'fzstd';
import { decompress as unlz4 } from 'lz4js';
import { uncompress as unsnappy } from 'snappyjs';

/** What `codecId` makes of a batch's records. */
export function inflate(codecId: number, bytes: Uint8Array): Uint8Array {
  switch (codecId) {
    case 0:
      return bytes;
    case 1:
      return new Uint8Array(gunzipSync(bytes));
    case 2:
      return unxerial(bytes);
    case 3:
      return Uint8Array.from(unlz4(bytes));
    case 4:
      return unzstd(bytes);
    default:
      throw new Error(`codec ${codecId}`);
  }
}

/** Snappy as Java writes it: 16 bytes of header, then blocks behind their lengths. */
function unxerial(bytes: Uint8Array): Uint8Array {
  if (bytes[0] !== 0x82) return unsnappy(bytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const blocks: Uint8Array[] = [];
  for (let position = 16; position < bytes.length;) {
    const length = view.getInt32(position);
    blocks.push(unsnappy(bytes.subarray(position + 4, position + 4 + length)));
    position += 4 + length;
  }
  return new Uint8Array(Buffer.concat(blocks));
}
