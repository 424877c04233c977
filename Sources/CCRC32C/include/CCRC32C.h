#ifndef WEIR_CCRC32C_H
#define WEIR_CCRC32C_H

#include <stddef.h>
#include <stdint.h>

/// CRC-32C (Castagnoli, RFC 3720 appendix B.4): the checksum of `length` bytes at `bytes`, going on from
/// `checksum` (0 to start). Thread-safe. Uses the processor's CRC instructions where it has them.
uint32_t weir_crc32c(uint32_t checksum, const void *_Nullable bytes, size_t length);

/// The same by tables only, for processors without the instructions; public so that a test compares both.
uint32_t weir_crc32c_portable(uint32_t checksum, const void *_Nullable bytes, size_t length);

/// Whether `weir_crc32c` uses the processor's CRC instructions here.
int weir_crc32c_is_accelerated(void);

#endif
