#!/usr/bin/perl
# A client made with Gearman::Client.
#
#   client.pl PORT TASK UNIQUE [exceptions] < payload
#
# Prints what it hears, each on a line, as libgearman_client.cc does. With
# "exceptions" it asks its server for them.
use strict;
use warnings;
use Gearman::Client;

my ($port, $name, $unique, $exceptions) = @ARGV;

sub heard {
    my ($kind, $bytes) = @_;
    print "$kind ", unpack("H*", $bytes), "\n";
}

binmode STDIN;
my $payload = do { local $/; <STDIN> };
my $client = Gearman::Client->new(exceptions => $exceptions ? 1 : 0);
$client->job_servers("127.0.0.1:$port");
my $set  = $client->new_task_set;
my $task = Gearman::Task->new(
    $name,
    \$payload,
    {
        uniq         => $unique,
        on_data      => sub { heard("data", ${ $_[0] }) },
        on_warning   => sub { heard("warning", ${ $_[0] }) },
        on_status    => sub { heard("status", "$_[0]/$_[1]") },
        on_exception => sub { heard("exception", $_[0]) },
        on_fail      => sub { heard("fail", "") },
        on_complete  => sub { heard("complete", ${ $_[0] }) },
    }
);
$set->add_task($task);
$set->wait;
