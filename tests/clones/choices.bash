# SPDX-License-Identifier: MIT
#
# For the tests of choices: run an image of the kernels, and compare what it prints.

results='dot 11366915139585496742
bits 32200
crc 78472065
scan 4062708933
same address 1
helpers kernels main'
failures=0

complain() {
  echo "$*"
  failures=$((failures + 1))
}

# expect WHAT LEVELS COMMAND...: the results, and these bodies.
expect() {
  local output status=0 expected="$results"$'\n'"levels $2"
  output=$("${@:3}" 2>&1) || status=$?
  [ "$status" = 0 ] || complain "$1: status $status"
  [ "$output" = "$expected" ] || complain "$1: expected" "$expected" "found" "$output"
}

# refused WHAT FEATURES COMMAND...: with a message that names them.
refused() {
  local output status=0
  output=$("${@:3}" 2>&1) || status=$?
  [ "$status" = 126 ] || complain "$1: expected status 126, found $status"
  [[ $output == *"$2"* ]] || complain "$1: no word of $2: $output"
}

# The best of these levels that this machine, without the features in the mask, can run.
best() {
  local mask=$1 level features
  features=$("$pkgimg" cpu --json ${mask:+--cpu-mask "$mask"} | sed 's/.*"features":\[\([^]]*\)\].*/\1/; s/[",]/ /g')
  shift
  for level in "$@"; do
    [ "$level" = plain ] || [[ $features != *" $level "* ]] || break
  done
  echo "$level"
}
