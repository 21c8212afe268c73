/** Messages that carry their own version: an int16 in front, as in group metadata.
 * Knows no message. Source: ConsumerProtocol.java.
 */
import { ProtocolError } from '../../errors.ts';
import { ByteReader } from '../reader.ts';
import type { Input, Message } from '../schema.ts';
import { ByteWriter } from '../writer.ts';

/** The version, then the message. */
export function encodeVersioned<T>(message: Message<T>, value: Input<T>, version: number): Uint8Array {
  const writer = new ByteWriter();
  writer.int16(version);
  message.encode(value, version, writer);
  return writer.finish();
}

/** The message in the version in front of it, or in our newest if that is older: later versions only add fields. */
export function decodeVersioned<T>(message: Message<T>, bytes: Uint8Array): T {
  const reader = new ByteReader(bytes);
  const version = reader.int16();
  const { min, max } = message.versions;
  if (version >= min) return message.decode(reader, Math.min(version, max));
  throw new ProtocolError(`${message.name} of version ${version}; the lowest is ${min}`, {
    code: 'UNSUPPORTED_VERSION',
    api: message.name,
  });
}
