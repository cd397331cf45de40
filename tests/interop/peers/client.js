// A client made with one of npm's libraries, which tests/interop/npm_peers
// installs.
//
//   client.js LIBRARY PORT TASK UNIQUE < payload
//
// Prints what it hears, each on a line, as libgearman_client.cc does.
'use strict';

const [library, port, task, unique] = process.argv.slice(2);
const payload = require('fs').readFileSync(0);

function heard(kind, bytes, ends) {
  const line = `${kind} ${Buffer.from(bytes || '').toString('hex')}\n`;
  process.stdout.write(line, () => ends && process.exit(0));
}

const clients = {
  gearman() {
    const client = require('gearman')('127.0.0.1', Number(port));
    client.on('WORK_DATA', (job) => heard('data', job.payload));
    client.on('WORK_WARNING', (job) => heard('warning', job.warning));
    client.on('WORK_EXCEPTION', (job) => heard('exception', job.exception, true));
    client.on('WORK_STATUS', (job) => heard('status', `${job.percent_num}/${job.percent_den}`));
    client.on('WORK_FAIL', () => heard('fail', '', true));
    client.on('WORK_COMPLETE', (job) => heard('complete', job.payload, true));
    client.connect(() => client.submitJob(task, payload, {unique_id: unique}));
  },
  'node-gearman'() {
    const Gearman = require('node-gearman');
    const job = new Gearman('127.0.0.1', Number(port)).submitJob(task, payload, unique);
    // A result comes as data, and then the end.
    job.on('data', (bytes) => heard('data', bytes));
    job.on('error', () => heard('fail', '', true));
    job.on('end', () => heard('complete', '', true));
  },
  gearmanode() {
    const gearmanode = require('gearmanode');
    gearmanode.Client.logger.transports.forEach((transport) => { transport.silent = true; });
    const client = gearmanode.client({host: '127.0.0.1', port: Number(port)});
    const job = client.submitJob(task, payload, {unique});
    job.on('workData', (bytes) => heard('data', bytes));
    job.on('warning', (text) => heard('warning', text));
    job.on('exception', (text) => heard('exception', text, true));
    job.on('status', (status) => heard('status', `${status.percent_done_num}/${status.percent_done_den}`));
    job.on('failed', () => heard('fail', '', true));
    job.on('complete', () => heard('complete', job.response, true));
  },
};
clients[library]();
