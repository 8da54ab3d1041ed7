#include <zlib.h>

// The two initialisers are macros in zlib, which Swift does not import. 31 = 15 window bits + 16 for a gzip wrapper.
static inline int CZlib_beginGzip(z_stream *stream) {
  return deflateInit2(stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY);
}

static inline int CZlib_beginGunzip(z_stream *stream) {
  return inflateInit2(stream, 31);
}
