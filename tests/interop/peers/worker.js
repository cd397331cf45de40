// A worker made with one of npm's libraries, which tests/interop/npm_peers
// installs: a task for each row of docs/guide/interop.md that the library can do.
//
//   worker.js LIBRARY PORT    # prints "ready", serves until it is killed
'use strict';

const { spawn } = require('child_process');
const fs = require('fs');
const [library, port] = process.argv.slice(2);

// Calls `done` when the file can be locked, and notes the run.
function join(go, done) {
  spawn('flock', ['--shared', go, 'true']).on('close', () => {
    fs.appendFileSync(`${go}.runs`, 'x');
    done();
  });
}

const workers = {
  gearman() {
    const worker = require('gearman')('127.0.0.1', Number(port));
    const tasks = {
      success: (job, end) => end('done'),
      empty: (job, end) => end(''),
      failure: (job) => worker.sendWorkFail(job.handle),
      throw: (job) => worker.sendWorkException(job.handle, 'boom'),
      data(job, end) {
        worker.sendWorkData(job.handle, 'one');
        worker.sendWorkData(job.handle, 'two');
        end('done');
      },
      warning(job, end) {
        worker.sendWorkWarning(job.handle, 'careful');
        end('done');
      },
      status(job, end) {
        worker.sendWorkStatus(job.handle, '1', '2');
        end('done');
      },
      large: (job, end) => end(job.payload),
      join: (job, end) => join(job.payload.toString(), () => end('done')),
    };
    worker.on('JOB_ASSIGN', (job) => {
      tasks[job.func_name](job, (result) => worker.sendWorkComplete(job.handle, result));
      worker.preSleep();
    });
    worker.on('NOOP', () => worker.grabJob());
    worker.connect(() => {
      Object.keys(tasks).forEach((task) => worker.addFunction(task));
      worker.preSleep();
    });
  },
  'node-gearman'() {
    const Gearman = require('node-gearman');
    const gearman = new Gearman('127.0.0.1', Number(port));
    const tasks = {
      success: (payload, worker) => worker.end('done'),
      empty: (payload, worker) => worker.end(''),
      failure: (payload, worker) => worker.error(),
      data(payload, worker) {
        worker.write('one');
        worker.write('two');
        worker.end('done');
      },
      large: (payload, worker) => worker.end(payload),
      join: (payload, worker) => join(payload.toString(), () => worker.end('done')),
    };
    Object.keys(tasks).forEach((task) => gearman.registerWorker(task, tasks[task]));
  },
  gearmanode() {
    const gearmanode = require('gearmanode');
    const worker = gearmanode.worker({host: '127.0.0.1', port: Number(port)});
    const tasks = {
      success: (job) => job.workComplete('done'),
      empty: (job) => job.workComplete(''),
      failure: (job) => job.reportError(),
      throw: (job) => job.reportException('boom'),
      data(job) {
        job.sendWorkData('one');
        job.sendWorkData('two');
        job.workComplete('done');
      },
      warning(job) {
        job.reportWarning('careful');
        job.workComplete('done');
      },
      status(job) {
        job.reportStatus(1, 2);
        job.workComplete('done');
      },
      large: (job) => job.workComplete(job.payload),
      join: (job) => join(job.payload.toString(), () => job.workComplete('done')),
    };
    Object.keys(tasks).forEach((task) => worker.addFunction(task, tasks[task]));
  },
};
workers[library]();
process.stdout.write('ready\n');
