#!/bin/sh
# usage: cppcheck.sh SOURCE-ROOT. Not uninitvar: cppcheck cannot see through statement expressions,
# and gcc and clang-tidy look for the same.
set -eu
cd "$1"
cppcheck --quiet --error-exitcode=1 --enable=warning,performance,portability --inline-suppr \
	--suppress=missingIncludeSystem --suppress=uninitvar --std=c11 --language=c \
	-j "$(nproc)" -I src src tests
