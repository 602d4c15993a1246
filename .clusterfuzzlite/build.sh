#!/bin/bash -eu
# What OSS-Fuzz and ClusterFuzzLite run in their builder, with $CC, $CFLAGS, $SRC, $WORK and $OUT set: each target of
# tests/fuzz, with its corpus, its dictionary, and the libraries that the machine which runs it may not have.
source=$SRC/tallygate
meson setup --buildtype=plain -Dfuzz=true -Db_lundef=false "$WORK/build" "$source"
mkdir -p "$OUT/lib"
for target in "$source"/tests/fuzz/fuzz_*.c; do
	name=$(basename "$target" .c)
	ninja -C "$WORK/build" "tests/$name"
	cp "$WORK/build/tests/$name" "$OUT/"
	ldd "$OUT/$name" | awk '$3 ~ /^\// && $1 !~ /^(libc|libm|libdl|librt|libpthread)\.so/ { print $3 }' |
		xargs -r cp -n -t "$OUT/lib"
	patchelf --set-rpath '$ORIGIN/lib' "$OUT/$name"
	zip -q -j -r "$OUT/${name}_seed_corpus.zip" "$source/tests/fuzz/corpus/${name#fuzz_}"
	[ ! -f "$source/tests/fuzz/${name#fuzz_}.dict" ] || cp "$source/tests/fuzz/${name#fuzz_}.dict" "$OUT/$name.dict"
done
