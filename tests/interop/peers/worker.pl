#!/usr/bin/perl
# A worker made with Gearman::Worker: a task for each row of docs/guide/interop.md.
#
#   worker.pl PORT    # prints "ready", serves until it is killed
use strict;
use warnings;
use Fcntl qw(:flock);
use Gearman::Worker;

my $worker;

my %tasks = (
    success => sub { "done" },
    empty   => sub { "" },
    failure => sub { undef },
    throw   => sub { die "boom\n" },
    data    => sub {
        my $job = shift;
        $worker->send_work_data($job, $_) for qw(one two);
        return "done";
    },
    warning => sub {
        my $job = shift;
        $worker->send_work_warning($job, "careful");
        return "done";
    },
    status => sub {
        my $job = shift;
        $job->set_status(1, 2);
        return "done";
    },
    large => sub { $_[0]->arg },
    join  => sub {
        my $go = $_[0]->arg;
        open(my $file, "<", $go) or die "$go: $!";
        flock($file, LOCK_SH) or die "$go: $!";
        open(my $runs, ">>", "$go.runs") or die "$go.runs: $!";
        print $runs "x";
        close $runs;
        return "done";
    },
);

sub serve {
    $worker = Gearman::Worker->new;
    $worker->job_servers("127.0.0.1:$ARGV[0]");
    $worker->register_function($_ => $tasks{$_}) for keys %tasks;
    $worker->work while 1;
}

$| = 1;
print "ready\n";

# Gearman::Worker ends when a server refuses one of its packets, as gearmand
# does after an exception: a failure follows it. So it is started anew, as a
# supervisor would.
while (1) {
    my $pid = fork;
    die "fork: $!" unless defined $pid;
    serve() if $pid == 0;
    waitpid($pid, 0);
}
