<?php
// A client made with PHP's extension.
//
//   client.php PORT TASK UNIQUE < payload
//
// Prints what it hears, each on a line, as libgearman_client.cc does.

function heard($kind, $bytes)
{
    echo $kind, ' ', bin2hex($bytes), "\n";
    return GEARMAN_SUCCESS;
}

[, $port, $task, $unique] = $argv;
$client = new GearmanClient();
$client->addServer('127.0.0.1', (int) $port);
$client->setDataCallback(fn ($t) => heard('data', $t->data()));
$client->setWarningCallback(fn ($t) => heard('warning', $t->data()));
$client->setStatusCallback(
    fn ($t) => heard('status', $t->taskNumerator() . '/' . $t->taskDenominator())
);
$client->setExceptionCallback(fn ($t) => heard('exception', $t->data()));
$client->setFailCallback(fn ($t) => heard('fail', ''));
$client->setCompleteCallback(fn ($t) => heard('complete', $t->data()));
$client->addTask($task, stream_get_contents(STDIN), null, $unique);
if (!$client->runTasks()) {
    heard('error', $client->error());
}
