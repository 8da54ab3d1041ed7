#include <stddef.h>
#include <stdint.h>
#include <zlib.h>

// The little of zlib that gzip messages need, in terms of a type of this module alone. The library's transport brings a module over zlib as
// well; to which of the two Swift counts the members of `z_stream` differs from build to build.
typedef struct CZlib_Stream {
  z_stream inner;
} CZlib_Stream;

// 31 = 15 window bits + 16 for a gzip wrapper.
static inline int CZlib_beginGzip(CZlib_Stream *stream) {
  return deflateInit2(&stream->inner, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY);
}

static inline int CZlib_beginGunzip(CZlib_Stream *stream) {
  return inflateInit2(&stream->inner, 31);
}

static inline void CZlib_endGzip(CZlib_Stream *stream) {
  deflateEnd(&stream->inner);
}

static inline void CZlib_endGunzip(CZlib_Stream *stream) {
  inflateEnd(&stream->inner);
}

// The most bytes that a stream of `count` bytes can become.
static inline size_t CZlib_gzipBound(CZlib_Stream *stream, size_t count) {
  return deflateBound(&stream->inner, count);
}

static inline void CZlib_aim(CZlib_Stream *stream, const void *input, size_t inputCount, void *output, size_t outputCount) {
  stream->inner.next_in = (Bytef *)input;
  stream->inner.avail_in = inputCount > UINT32_MAX ? UINT32_MAX : (uInt)inputCount;
  stream->inner.next_out = (Bytef *)output;
  stream->inner.avail_out = outputCount > UINT32_MAX ? UINT32_MAX : (uInt)outputCount;
}

// Compresses all of `input` into `output`, which has room for `CZlib_gzipBound` bytes; sets the number of bytes written.
static inline int CZlib_gzip(
    CZlib_Stream *stream, const void *input, size_t inputCount, void *output, size_t outputCount, size_t *written) {
  CZlib_aim(stream, input, inputCount, output, outputCount);
  int result = deflate(&stream->inner, Z_FINISH);
  *written = stream->inner.total_out;
  return result;
}

// Decompresses as much of `input` as `output` takes; sets the numbers of bytes read and written.
static inline int CZlib_gunzip(
    CZlib_Stream *stream, const void *input, size_t inputCount, void *output, size_t outputCount, size_t *read,
    size_t *written) {
  CZlib_aim(stream, input, inputCount, output, outputCount);
  uInt offered = stream->inner.avail_in, room = stream->inner.avail_out;
  int result = inflate(&stream->inner, Z_NO_FLUSH);
  *read = offered - stream->inner.avail_in;
  *written = room - stream->inner.avail_out;
  return result;
}
