#!/bin/sh
# usage: format.sh SOURCE-ROOT: is every C file as clang-format would write it?
set -eu
cd "$1"
find src tests -name '*.[ch]' -exec clang-format-14 --dry-run -Werror {} +
