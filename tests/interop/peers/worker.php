<?php
// A worker made with PHP's extension: a task for each row of docs/guide/interop.md.
//
//   worker.php PORT    # prints "ready", serves until it is killed

$worker = new GearmanWorker();
$worker->addServer('127.0.0.1', (int) $argv[1]);
$worker->addFunction('success', fn ($job) => 'done');
$worker->addFunction('empty', fn ($job) => '');
$worker->addFunction('failure', function ($job) {
    $job->sendFail();
});
$worker->addFunction('error', function ($job) {
    $job->setReturn(GEARMAN_WORK_FAIL);
});
$worker->addFunction('throw', function ($job) {
    $job->sendException('boom');
});
$worker->addFunction('data', function ($job) {
    $job->sendData('one');
    $job->sendData('two');
    return 'done';
});
$worker->addFunction('warning', function ($job) {
    $job->sendWarning('careful');
    return 'done';
});
$worker->addFunction('status', function ($job) {
    $job->sendStatus(1, 2);
    return 'done';
});
$worker->addFunction('large', fn ($job) => $job->workload());
$worker->addFunction('join', function ($job) {
    $go = $job->workload();
    flock(fopen($go, 'r'), LOCK_SH);
    file_put_contents("$go.runs", 'x', FILE_APPEND);
    return 'done';
});
echo "ready\n";
// It returns false after a job that failed, too.
while ($worker->work() || $worker->returnCode() == GEARMAN_WORK_FAIL) {
}
fwrite(STDERR, $worker->error() . "\n");
