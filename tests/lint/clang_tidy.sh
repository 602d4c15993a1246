#!/bin/sh
# usage: clang_tidy.sh SOURCE-ROOT BUILD-ROOT: the checks of .clang-tidy on every C file, one job
# for each core. gcc's own warning options are in the compile database and mean nothing to clang.
set -eu
cd "$1"
find src tests -name '*.c' -print0 |
	xargs -0 -n 1 -P "$(nproc)" clang-tidy-14 -p "$2" --quiet --extra-arg=-Wno-unknown-warning-option
