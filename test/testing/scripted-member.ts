/** Members of a classic group that do what a test tells them, and nothing by themselves. */
import { expect } from 'vitest';
import {
  ErrorCodes,
  heartbeatApi,
  joinGroupApi,
  leaveGroupApi,
  syncGroupApi,
  type Input,
  type JoinGroupRequest,
  type JoinGroupResponse,
} from '../../src/protocol/index.ts';
import type { Scene } from './cluster-world.ts';

export const groupId = 'g';
export const sessionTimeoutMs = 10_000;
export const rebalanceTimeoutMs = 30_000;
export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
export const text = (of: Uint8Array | undefined): string => new TextDecoder().decode(of);

/** A member that does what it is told, on a connection of its own for each request that waits. */
export class Member {
  readonly scene: Scene;
  readonly name: string;
  memberId = '';
  generation = -1;
  leader = '';
  members: JoinGroupResponse['members'] = [];

  constructor(scene: Scene, name: string) {
    this.scene = scene;
    this.name = name;
  }

  async join(more: Input<JoinGroupRequest> & { version?: number } = {}): Promise<JoinGroupResponse> {
    const { version = 5, ...fields } = more;
    const client = await this.scene.connect();
    const ask = async (): Promise<JoinGroupResponse> => {
      const answer = await client.call(joinGroupApi, version, {
        groupId,
        sessionTimeoutMs,
        rebalanceTimeoutMs,
        memberId: this.memberId,
        protocolType: 'consumer',
        protocols: [{ name: 'range', metadata: bytes(this.name) }],
        ...fields,
      });
      if (answer.errorCode === ErrorCodes.MEMBER_ID_REQUIRED || answer.errorCode === 0)
        this.memberId = answer.memberId;
      return answer;
    };
    const first = await ask();
    const answer = first.errorCode === ErrorCodes.MEMBER_ID_REQUIRED ? await ask() : first;
    if (answer.errorCode === 0) {
      this.generation = answer.generationId;
      this.leader = answer.leader;
      this.members = answer.members;
    }
    return answer;
  }

  /** The leader gives every member the name that it joined with. */
  async sync(more: { generationId?: number; version?: number } = {}) {
    const { version = 3, generationId = this.generation } = more;
    const client = await this.scene.connect();
    const assignments = this.members.map(({ memberId, metadata }) => ({ memberId, assignment: metadata }));
    const protocol = version >= 5 ? { protocolType: 'consumer', protocolName: 'range' } : {};
    return client.call(syncGroupApi, version, {
      groupId,
      generationId,
      memberId: this.memberId,
      assignments,
      ...protocol,
    });
  }

  async beat(generationId = this.generation): Promise<number> {
    const client = await this.scene.connect();
    const answer = await client.call(heartbeatApi, 3, { groupId, generationId, memberId: this.memberId });
    return answer.errorCode;
  }

  async leave(): Promise<number> {
    const client = await this.scene.connect();
    const answer = await client.call(leaveGroupApi, 3, { groupId, members: [{ memberId: this.memberId }] });
    return answer.members[0]?.errorCode ?? answer.errorCode;
  }
}

/** A group with these members, all of one generation and with an assignment: they come at the same instant. */
export async function settled(scene: Scene, ...names: string[]): Promise<Member[]> {
  const members = names.map((name) => new Member(scene, name));
  await Promise.all(members.map((member) => member.join()));
  await Promise.all(members.map((member) => member.sync()));
  expect(scene.cluster.group(groupId)).toMatchObject({ state: 'Stable', generation: 1 });
  return members;
}
