// deploy/nftables: one address cannot have all connections. The rules run in a network namespace of their own.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { repository } from '../support/stack.js';

const rules = join(repository, 'deploy', 'nftables', 'gatehouse.nft');
const allowed = spawnSync('unshare', ['-n', 'true']).status === 0;
const skip = !allowed && 'this user cannot make a network namespace';

const server = `
  const net = require('net');
  for (const host of ['10.9.0.1', 'fd00:9::1']) net.createServer(() => {}).listen({ port: 80, host, backlog: 4000 });`;

// Prints how many of COUNT connections from SOURCE to TARGET were opened; holds them until its input ends.
const client = `
  const net = require('net');
  const [source, target, count] = process.argv.slice(1);
  const open = () => new Promise((done) => {
    const socket = net.connect({ port: 80, host: target, localAddress: source });
    socket.on('connect', () => done(1)).on('error', () => done(0));
  });
  (async () => {
    let opened = 0;
    for (let i = 0; i < count; i++) opened += await open();
    console.log(opened);
    process.stdin.resume().on('end', () => process.exit());
  })();`;

// Two hosts, joined by a cable: ours, with the rules, and that of the clients.
const script = `
  set -e
  ip link set lo up
  ip link add cable0 type veth peer name cable1
  unshare -n sleep 60 & others=$!
  server=
  trap 'kill $others $server' EXIT
  until [ "$(readlink /proc/$others/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.05; done
  ip link set cable1 netns $others
  there() { nsenter -t $others -n "$@"; }
  ip addr add 10.9.0.1/24 dev cable0; ip addr add fd00:9::1/48 dev cable0 nodad; ip link set cable0 up
  for a in 10.9.0.2/24 10.9.0.3/24; do there ip addr add $a dev cable1; done
  for a in fd00:9::2/48 fd00:9::3/48 fd00:9:0:1::2/48; do there ip addr add $a dev cable1 nodad; done
  there ip link set cable1 up
  nft -f "$rules"
  nft -f "$rules" # again: it replaces its own table
  "$node" -e "$server_code" & server=$!
  until there "$node" -e "$client_code" fd00:9:0:1::2 fd00:9::1 1 </dev/null | grep -q 1; do sleep 0.1; done
  hold() {
    exec 7< <(there "$node" -e "$client_code" "$@" 2>/dev/null < <(exec sleep 30 2>/dev/null))
    read -r opened <&7
    echo "$1 $opened"
  }
  hold 10.9.0.2 10.9.0.1 300
  exec 6<&7
  there "$node" -e "$client_code" 10.9.0.3 10.9.0.1 20 </dev/null | sed 's/^/10.9.0.3 /'
  hold fd00:9::2 fd00:9::1 300
  there "$node" -e "$client_code" fd00:9::3 fd00:9::1 5 </dev/null | sed 's/^/fd00:9::3 /'
  there "$node" -e "$client_code" fd00:9:0:1::2 fd00:9::1 5 </dev/null | sed 's/^/fd00:9:0:1::2 /'`;

test('256 connections of one address are accepted, and others still connect; a /64 of IPv6 is one address', { skip, timeout: 60_000 }, () => {
  const { status, stdout, stderr } = spawnSync('unshare', ['-n', 'bash', '-c', script], {
    encoding: 'utf8', env: { ...process.env, rules, node: process.execPath, server_code: server, client_code: client },
  });
  assert.equal(status, 0, stderr);
  assert.deepEqual(stdout.trim().split('\n'), ['10.9.0.2 256', '10.9.0.3 20', 'fd00:9::2 256', 'fd00:9::3 0', 'fd00:9:0:1::2 5']);
});
