#!/bin/bash
# Runs the programs with their configs, as README.md describes it.
set -u
failed=0

# expect STATUS TEXT COMMAND...: the command must end with STATUS and print TEXT.
expect() {
  local status=$1 text=$2 said got
  shift 2
  said=$("$@" 2>&1)
  got=$?
  if [ "$got" != "$status" ] || [[ $said != *"$text"* ]]; then
    echo "$*: status $got instead of $status, or without \"$text\":"
    echo "$said"
    failed=1
  fi
}

expect 0 "done at run 3" ./program linked.textproto
expect 0 "done at run 3" ./plain_program loaded.textproto
# Without the plugin the config is invalid.
expect 2 "TransientErrorRetryConfig" ./plain_program linked.textproto
expect 2 "liboutdated.so: built for gearman 0; this program is built for gearman " ./plain_program outdated.textproto
echo 'plugin_libraries: "./none.so"' >"$TEST_TMPDIR/missing.textproto"
expect 2 "plugin library ./none.so: " ./plain_program "$TEST_TMPDIR/missing.textproto"
echo 'plugin_libraries: "libm.so.6"' >"$TEST_TMPDIR/other.textproto"
expect 2 "libm.so.6: is none" ./plain_program "$TEST_TMPDIR/other.textproto"
echo '{"plugin_libraries": ["./libacme_plugins.so"], "retry": {"plugin": {
  "@type": "type.googleapis.com/acme.TransientErrorRetryConfig", "words": ["deadlock"]}}}' >"$TEST_TMPDIR/loaded.json"
expect 0 "done at run 3" ./plain_program "$TEST_TMPDIR/loaded.json"
# Named twice, it is loaded once.
sed 's/^plugin_libraries: \(.*\)/plugin_libraries: [\1, \1]/' loaded.textproto >"$TEST_TMPDIR/twice.textproto"
expect 0 "done at run 3" ./plain_program "$TEST_TMPDIR/twice.textproto"
# This program has the plugin's message already.
expect 2 "libacme_plugins.so: it has a copy of transient_error_retry.proto, which this process has already" \
  ./program loaded.textproto
sed 's/"deadlock"/"time-out"/' loaded.textproto >"$TEST_TMPDIR/words.textproto"
expect 1 "deadlock detected" ./plain_program "$TEST_TMPDIR/words.textproto"
exit $failed
