# For the scripts beside it: runs steps, counts them, and says what failed.
passed=0 failed=0

# step NAME COMMAND...: runs it. What it prints is shown when it fails.
step() {
  local name=$1 start=$SECONDS output
  shift
  output=$(mktemp)
  if "$@" >"$output" 2>&1 </dev/null; then
    passed=$((passed + 1))
    echo "ok     $name ($((SECONDS - start)) s)"
  else
    failed=$((failed + 1))
    echo "FAILED $name ($((SECONDS - start)) s): $*"
    tail -n 60 "$output" | sed 's/^/       /'
  fi
  rm -f "$output"
}

# says TEXT COMMAND...: the command ends well and prints that text alone.
says() {
  local text=$1 said
  shift
  said=$("$@") || { echo "$*: status $?, and it said: $said"; return 1; }
  [ "$said" = "$text" ] || { echo "$* said: $said"; return 1; }
}

# programs FOLDER: each program of project/, built there, says what it should.
programs() {
  says strap "$1/parts" && says OK "$1/prometheus_sink" && says OK "$1/compression" &&
    says OK "$1/encoders" && says 1h "$1/virtual_time"
}

# The last line, and the script's status.
totals() {
  echo "$passed passed, $failed failed"
  [ "$failed" = 0 ] && [ "$passed" != 0 ]
}
