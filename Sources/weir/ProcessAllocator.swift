import CMalloc
import Glibc

/// How glibc's allocator keeps the memory of this process. Set at the start, before there are other threads.
///
/// glibc gives threads up to eight arenas a processor, and each keeps its own largest use. It also raises the size from which a
/// block is mapped by itself, up to 32 MiB, so that after a while the large buffers of requests and answers lie in the arenas,
/// too, in whose gaps nothing else fits: a broker grew from 61 to 73 MB in a run in which it had 3 MB in use, and a subscriber that
/// read a backlog kept 170 MB instead of 65. See docs/measurements.md.
enum ProcessAllocator {
    /// Buffers of one request, of 1 MiB at most as clients come, stay in an arena and are used again at once; larger ones go
    /// back to the kernel. Mapping all from 128 KiB on would cost a broker that serves consumers three times the time.
    private static let mappedFromBytes: Int32 = 2 << 20
    /// What an arena keeps of free memory at its end.
    private static let keptBytes: Int32 = 4 << 20

    /// Does nothing where an operator has chosen otherwise by glibc's own variables.
    static func configure() {
        guard getenv("MALLOC_ARENA_MAX") == nil, getenv("MALLOC_MMAP_THRESHOLD_") == nil,
            getenv("MALLOC_TRIM_THRESHOLD_") == nil, getenv("GLIBC_TUNABLES") == nil
        else { return }
        _ = mallopt(M_ARENA_MAX, max(2, Int32(clamping: sysconf(Int32(_SC_NPROCESSORS_ONLN)))))
        _ = mallopt(M_MMAP_THRESHOLD, mappedFromBytes)
        _ = mallopt(M_TRIM_THRESHOLD, keptBytes)
    }
}
