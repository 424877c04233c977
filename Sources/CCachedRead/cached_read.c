#define _GNU_SOURCE

#include "CCachedRead.h"

#include <errno.h>
#include <sys/uio.h>

ssize_t weir_read_cached(int descriptor, void *room, size_t count, off_t position) {
    struct iovec part = {.iov_base = room, .iov_len = count};
    ssize_t result = preadv2(descriptor, &part, 1, position, RWF_NOWAIT);
    if (result < 0 && (errno == EOPNOTSUPP || errno == ENOSYS)) {
        errno = EAGAIN;
    }
    return result;
}
