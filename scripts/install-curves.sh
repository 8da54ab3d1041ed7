#!/usr/bin/env bash
# Builds and installs the two curve libraries as static C libraries with pkg-config files:
# mcl (BN254) and blst (BLS12-381), from source archives pinned by hash. Does nothing when this version is installed.
#
#   PREFIX=/usr/local scripts/install-curves.sh
#
# No distribution packages them. The archives are the source distributions of two Python packages,
# which carry the complete upstream sources; no Python code of theirs ends up in what is installed.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/progress.sh"

prefix=${PREFIX:-/usr/local}
mcl_archive=pymcl-1.0.2 mcl_version=3.04
mcl_hash=ef532851ba7785db68aa55ce21153bff94afd56f537c1bfe11c07afb7d83b438
blst_archive=ckzg-2.1.8 blst_version=0.3.15
blst_hash=d7bef6b425dca6995457fc59fc5b30211d9b28cbbeee0e7a7bef1372e13f29ca

# What is installed is named by all that decides it: the two hashes and the recipe's revision (raise it when flags change).
recipe=1
stamp=$prefix/share/ponos/curves.stamp
wanted="recipe $recipe mcl $mcl_hash blst $blst_hash"

installed() {
  [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] \
    && [ -f "$prefix/lib/libmclbn256.a" ] && [ -f "$prefix/lib/libblst.a" ] \
    && [ -f "$prefix/lib/pkgconfig/mclbn256.pc" ] && [ -f "$prefix/lib/pkgconfig/blst.pc" ]
}

fetch() {
  /usr/bin/python3 -m venv "$work/venv"
  printf '%s==%s --hash=sha256:%s\n' \
    "${mcl_archive%-*}" "${mcl_archive##*-}" "$mcl_hash" "${blst_archive%-*}" "${blst_archive##*-}" "$blst_hash" \
    >"$work/pins.txt"
  "$work/venv/bin/python" -m pip download --disable-pip-version-check --no-deps --no-binary pymcl,ckzg --require-hashes \
    --requirement "$work/pins.txt" --dest "$work"
  # Once more by ourselves: nothing below runs on an archive that is not the pinned one.
  printf '%s  %s\n' "$mcl_hash" "$work/$mcl_archive.tar.gz" "$blst_hash" "$work/$blst_archive.tar.gz" | sha256sum --check
  tar -xzf "$work/$mcl_archive.tar.gz" -C "$work"
  tar -xzf "$work/$blst_archive.tar.gz" -C "$work"
}

# 256-bit fields only; no GMP, no OpenMP, no AVX-512 multiplication (which serves another curve).
build_mcl() {
  cd "$work/$mcl_archive/third_party/mcl"
  make -j "$(nproc)" lib/libmcl.a MCL_FP_BIT=256 MCL_FR_BIT=256 MCL_MSM=0 MCL_USE_GMP_LIB=0 CFLAGS_WARN= CFLAGS_USER='-fPIC -g0'
  mkdir -p "$work/out/lib/pkgconfig" "$work/out/include/mcl"
  objcopy --strip-debug lib/libmcl.a "$work/out/lib/libmclbn256.a"
  cp include/mcl/bn.h include/mcl/curve_type.h "$work/out/include/mcl/"
  write_pkgconfig mclbn256 "herumi mcl with 256-bit fields, C interface" "$mcl_version" "-lmclbn256 -lstdc++ -lm"
}

# Portable: chooses its instructions at run time, so a binary runs on any machine of the architecture.
build_blst() {
  cd "$work/$blst_archive/blst"
  sh ./build.sh -O2 -fPIC -D__BLST_PORTABLE__
  cp libblst.a "$work/out/lib/"
  cp bindings/blst.h bindings/blst_aux.h "$work/out/include/"
  write_pkgconfig blst "supranational blst" "$blst_version" "-lblst"
}

# write_pkgconfig NAME DESCRIPTION VERSION LIBRARIES
write_pkgconfig() {
  cat >"$work/out/lib/pkgconfig/$1.pc" <<PC
prefix=$prefix
Name: $1
Description: $2
Version: $3
Cflags: -I\${prefix}/include
Libs: -L\${prefix}/lib $4
PC
}

# Files that are the same already keep their times, so that a build after this one compiles nothing again.
install_files() {
  local file
  cd "$work/out"
  while IFS= read -r file; do
    as_root install -D -C -m 644 "$file" "$prefix/$file"
  done < <(find . -type f | sort | sed 's|^\./||')
  printf '%s\n' "$wanted" >"$work/stamp"
  as_root install -D -m 644 "$work/stamp" "$stamp"
}

if installed; then exit 0; fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
long curves-fetch "fetching the sources of mcl $mcl_version and blst $blst_version, checked by hash" fetch
long curves-mcl "building mcl (BN254)" build_mcl
long curves-blst "building blst (BLS12-381)" build_blst
long curves-install "installing the curve libraries under $prefix" install_files
