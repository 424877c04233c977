#ifndef WEIR_CCACHEDREAD_H
#define WEIR_CCACHEDREAD_H

#include <sys/types.h>

/// Reads at most `count` bytes at `position` of a file, as pread(2) does, if they are in the page cache; the first of
/// them that would have to come from the disk ends the read. Thread-safe.
///
/// In C because Swift's Glibc module does not have preadv2(2).
///
/// Returns the number of bytes read, 0 at the end of the file, or -1 with errno: EAGAIN if not even the first byte is
/// cached, or if this file system cannot tell.
ssize_t weir_read_cached(int descriptor, void *_Nullable room, size_t count, off_t position);

#endif
