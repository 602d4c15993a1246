#!/bin/sh
# usage: cppcheck.sh SOURCE-ROOT. Not uninitvar: cppcheck cannot see through statement expressions,
# and gcc and clang-tidy look for the same. Not varFuncNullUB: it warns of a NULL that is an integer,
# and glibc's is a pointer; that log_write()'s arguments end in one is checked by the compiler.
set -eu
cd "$1"
cppcheck --quiet --error-exitcode=1 --enable=warning,performance,portability --inline-suppr \
	--suppress=missingIncludeSystem --suppress=uninitvar --suppress=varFuncNullUB \
	--std=c11 --language=c -j "$(nproc)" -I src src tests
