// The library is built for 256-bit fields only; its header has to be told the same.
#define MCLBN_FP_UNIT_SIZE 4
#define MCLBN_FR_UNIT_SIZE 4
#include <mcl/bn.h>
