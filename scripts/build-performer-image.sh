#!/usr/bin/env bash
# Packs an executable and the libraries it links to into a Docker image with nothing else in it.
#
#   scripts/build-performer-image.sh BINARY IMAGE[:TAG] [DIRECTORY [ARGUMENT…]]
#
# What DIRECTORY holds goes into the image's root as well, with the libraries that shared objects in it link to; the executable is
# started with the ARGUMENTs. BINARY is a path, or the name of a product in .build/$CONFIG (CONFIG=debug unless set). Needs neither a registry, nor a base
# image, nor a builder: the image is written here, file by file, and loaded. Libraries are a layer of their own, equal in all
# images with the same libraries. Same input, same image: an unchanged one is not loaded again.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/progress.sh"

[ $# -ge 2 ] || fail "usage: scripts/build-performer-image.sh BINARY IMAGE[:TAG] [DIRECTORY [ARGUMENT…]]"
binary=$1 image=$2 files=${3:-}
arguments=("${@:4}")
case $image in *:*) ;; *) image=$image:latest ;; esac
if [ ! -f "$binary" ]; then binary=$repo/.build/${CONFIG:-debug}/$1; fi
[ -f "$binary" ] || fail "no executable $1, nor $binary: build it first (make build)"

# Every shared library and the loader, by the absolute paths at which the executable looks for them.
libraries() {
  {
    ldd "$binary" 2>/dev/null || true
    if [ -n "$files" ]; then find "$files" -name '*.so' -exec ldd {} + 2>/dev/null || true; fi
  } \
    | awk '$2 == "=>" && $3 ~ /^\// { print $3 } $2 == "=>" && $3 == "not" { print "missing:" $1 } $1 ~ /^\/.*[^:]$/ { print $1 }' | sort -u
}

# layer NAME: turns the directory $work/NAME into $work/image/NAME.tar, equal for equal content, and prints its hash.
layer() {
  tar --create --file "$work/image/$1.tar" --directory "$work/$1" \
    --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --mode='u=rwX,go=rX' .
  sha256sum "$work/image/$1.tar" | cut -d ' ' -f 1
}

mapfile -t libs < <(libraries)
case "${libs[*]}" in *missing:*) fail "$binary links to libraries this machine lacks: ${libs[*]}" ;; esac
content=$({
  cat "$binary" "${BASH_SOURCE[0]}" ${libs[@]+"${libs[@]}"}
  printf '%s\n' ${arguments[@]+"${arguments[@]}"}
  if [ -n "$files" ]; then (cd "$files" && find . -type f | LC_ALL=C sort | xargs -d '\n' sha256sum); fi
} | sha256sum | cut -d ' ' -f 1)
if [ "$(docker image inspect --format '{{index .Config.Labels "dev.ponos.content"}}' "$image" 2>/dev/null)" = "$content" ]; then
  step "image $image is up to date"
  exit 0
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/image" "$work/program"
layers='"program.tar"'
diff_ids=
if [ ${#libs[@]} -gt 0 ]; then
  mkdir "$work/libraries"
  for lib in "${libs[@]}"; do
    mkdir -p "$work/libraries$(dirname "$lib")"
    cp -L "$lib" "$work/libraries$lib"
  done
  layers="\"libraries.tar\", $layers"
  diff_ids="\"sha256:$(layer libraries)\", "
fi
if [ -n "$files" ]; then
  cp -R "$files" "$work/files"
  layers="$layers, \"files.tar\""
fi
# Debug information is nine tenths of a debug build; symbols stay, so that crash reports have names.
objcopy --strip-debug "$binary" "$work/program/performer"
chmod 755 "$work/program/performer"
diff_ids="$diff_ids\"sha256:$(layer program)\""
if [ -n "$files" ]; then diff_ids="$diff_ids, \"sha256:$(layer files)\""; fi
entrypoint='"/performer"'
for argument in ${arguments[@]+"${arguments[@]}"}; do entrypoint="$entrypoint, \"$argument\""; done

cat >"$work/image/config.json" <<JSON
{
  "architecture": "$(dpkg --print-architecture)", "os": "linux", "created": "2000-01-01T00:00:00Z",
  "config": {
    "User": "65532:65532", "Entrypoint": [$entrypoint], "ExposedPorts": {"8080/tcp": {}},
    "Labels": {"dev.ponos.content": "$content"}
  },
  "rootfs": {"type": "layers", "diff_ids": [$diff_ids]}
}
JSON
id=$(sha256sum "$work/image/config.json" | cut -d ' ' -f 1)
mv "$work/image/config.json" "$work/image/$id.json"
printf '[{"Config": "%s.json", "RepoTags": ["%s"], "Layers": [%s]}]\n' "$id" "$image" "$layers" >"$work/image/manifest.json"
tar --create --directory "$work/image" . | docker load --quiet >/dev/null
step "image $image: $(du -ch --apparent-size "$work"/image/*.tar | tail -n 1 | cut -f 1), ${#libs[@]} libraries"
