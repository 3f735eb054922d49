#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# A "training program" in plain shell: walks down f(x) = (x - 3)^2 + 1 by gradient descent, at the rate and
# from the start it is given, and logs the value at each step with `hdrive log`.
set -eu

while [ $# -gt 1 ]; do
  case $1 in
    --rate) rate=$2 ;;
    --start) start=$2 ;;
    *) echo "train.sh: unknown option $1" >&2 && exit 2 ;;
  esac
  shift 2
done

x=$start
step=0
while [ "$step" -lt 10 ]; do
  x=$(awk -v x="$x" -v rate="$rate" 'BEGIN { printf "%.9g", x - rate * 2 * (x - 3) }')
  loss=$(awk -v x="$x" 'BEGIN { printf "%.9g", (x - 3) ^ 2 + 1 }')
  hdrive log loss "$loss" --step "$step"
  step=$((step + 1))
done
echo "$x" >"$HDRIVE_OUTPUTS_DIR/x.txt"
