# For Bash scripts that run one thing after another and sum up what each has counted (.ci/run, tools/nightly). They
# source this file:
#
#   . tools/steps.sh
#   step "Heading" COMMAND...
#   finish
#
# `step "Heading" once COMMAND...` is for a command that counts nothing.
#
# Each step prints its heading, what its command prints, and its time.

passed=0 failed=0 SECONDS=0
output=$(mktemp)
failures=$(mktemp)  # of all steps, said again at the end
trap 'rm -f "$output" "$failures"' EXIT
trap 'echo "$passed passed, $((failed + 1)) failed"; exit 130' INT TERM HUP

# step HEADING COMMAND...: runs it, shows what it prints and adds what its last line, `N passed, N failed` or
# `N checks, N failed`, says. A command whose status contradicts that line has failed. One that ends without such a line
# counts nothing, and has failed if its status is not 0.
step() {
  local heading=$1 start=$SECONDS status last
  shift
  printf '\n=== %s\n' "$heading"
  "$@" 2>&1 | tee "$output"
  status=${PIPESTATUS[0]}
  last=$(tail -n 1 "$output")
  if [[ $last =~ ^([0-9]+)\ (passed|checks),\ ([0-9]+)\ failed$ ]]; then
    [ "${BASH_REMATCH[2]}" != passed ] || passed=$((passed + BASH_REMATCH[1]))
    failed=$((failed + BASH_REMATCH[3]))
    [ "$status" = 0 ] || [ "${BASH_REMATCH[3]}" != 0 ] || failed=$((failed + 1))
  elif [ "$status" != 0 ]; then
    failed=$((failed + 1))
  fi
  if [ "$status" != 0 ]; then
    printf '\n=== %s: status %s\n' "$heading" "$status"
    awk '/^Failed \([0-9]+\):$/ {end = 1} / error: |^ERROR: / || end {print; next}
         /^FAILED / {check = 1; print; next} check && /^ / {print; next} {check = 0}' "$output" | head -n 300
  fi >>"$failures"
  printf '=== %s: %s s, status %s\n' "$heading" $((SECONDS - start)) "$status"
}

# once COMMAND...: one that counts nothing itself counts as one.
once() {
  if "$@"; then echo "1 passed, 0 failed"; else echo "0 passed, 1 failed"; return 1; fi
}

# finish: what failed, the time of all steps, and the sum as the last line. Its status is the script's.
finish() {
  if [ -s "$failures" ]; then
    printf '\nWhat failed:\n'
    cat "$failures"
  fi
  printf '\nAll steps: %s s\n' "$SECONDS"
  echo "$passed passed, $failed failed"
  [ "$failed" = 0 ] && [ "$passed" != 0 ]
}
