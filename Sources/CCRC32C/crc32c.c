// CRC-32C three ways: SSE 4.2 or ARMv8 instructions on three interleaved lanes, or slicing-by-8 tables.
//
// The instruction has a latency of three cycles and a throughput of one per cycle, so one chain of them uses a
// third of the processor. Three chains over three neighbouring stretches of the input run at full speed; their
// checksums are joined by shifting the earlier one over the length of the later, which is a multiplication by
// x^(8 * length) modulo the polynomial, a linear map, done with four table look-ups.

#include "CCRC32C.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#if defined(__x86_64__)
#include <nmmintrin.h>
#elif defined(__aarch64__) && defined(__linux__)
#include <arm_acle.h>
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

/// The polynomial 0x1EDC6F41 with its bits reflected.
#define POLYNOMIAL 0x82F63B78u

/// Bytes per lane: long lanes for most of a large input, short ones for what is left.
#define LONG_LANE 4096
#define SHORT_LANE 256

static uint32_t byte_tables[8][256];
static uint32_t long_shift[4][256];
static uint32_t short_shift[4][256];
static pthread_once_t tables_once = PTHREAD_ONCE_INIT;

/// The product of two polynomials modulo the CRC polynomial, bits reflected (the highest bit is x^0).
static uint32_t multiply(uint32_t a, uint32_t b) {
    uint32_t product = 0;
    for (uint32_t bit = 0x80000000u; bit != 0; bit >>= 1) {
        if (a & bit) {
            product ^= b;
        }
        b = (b & 1) ? (b >> 1) ^ POLYNOMIAL : b >> 1;
    }
    return product;
}

/// x^(8 * length) modulo the CRC polynomial.
static uint32_t shift_factor(size_t length) {
    uint32_t factor = 0x80000000u;
    uint32_t power = 0x00800000u; // x^8
    for (size_t n = length; n != 0; n >>= 1) {
        if (n & 1) {
            factor = multiply(factor, power);
        }
        power = multiply(power, power);
    }
    return factor;
}

static void fill_shift(uint32_t table[4][256], size_t length) {
    uint32_t factor = shift_factor(length);
    for (uint32_t byte = 0; byte < 256; byte++) {
        for (int place = 0; place < 4; place++) {
            table[place][byte] = multiply(factor, byte << (8 * place));
        }
    }
}

static void fill_tables(void) {
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t crc = byte;
        for (int bit = 0; bit < 8; bit++) {
            crc = (crc & 1) ? (crc >> 1) ^ POLYNOMIAL : crc >> 1;
        }
        byte_tables[0][byte] = crc;
    }
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t crc = byte_tables[0][byte];
        for (int row = 1; row < 8; row++) {
            crc = byte_tables[0][crc & 0xff] ^ (crc >> 8);
            byte_tables[row][byte] = crc;
        }
    }
    fill_shift(long_shift, LONG_LANE);
    fill_shift(short_shift, SHORT_LANE);
}

/// Slicing-by-8 (Kounavis and Berry, "Novel table lookup-based algorithms for high-performance CRC generation").
static uint32_t update_portable(uint32_t crc, const unsigned char *p, size_t length) {
    while (length >= 8) {
        uint32_t low = crc ^ ((uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24);
        crc = byte_tables[7][low & 0xff] ^ byte_tables[6][(low >> 8) & 0xff] ^ byte_tables[5][(low >> 16) & 0xff] ^
              byte_tables[4][low >> 24] ^ byte_tables[3][p[4]] ^ byte_tables[2][p[5]] ^ byte_tables[1][p[6]] ^
              byte_tables[0][p[7]];
        p += 8;
        length -= 8;
    }
    while (length > 0) {
        crc = byte_tables[0][(crc ^ *p) & 0xff] ^ (crc >> 8);
        p += 1;
        length -= 1;
    }
    return crc;
}

#if defined(__x86_64__) || (defined(__aarch64__) && defined(__linux__))
#define HAS_ACCELERATED 1

#if defined(__x86_64__)
#define ACCELERATED __attribute__((target("sse4.2")))
#define STEP8(crc, word) _mm_crc32_u64((crc), (word))
#define STEP1(crc, byte) _mm_crc32_u8((uint32_t)(crc), (byte))
static int processor_has_instructions(void) {
    return __builtin_cpu_supports("sse4.2");
}
#else
#define ACCELERATED __attribute__((target("crc")))
#define STEP8(crc, word) __crc32cd((uint32_t)(crc), (word))
#define STEP1(crc, byte) __crc32cb((uint32_t)(crc), (byte))
static int processor_has_instructions(void) {
    return (getauxval(AT_HWCAP) & HWCAP_CRC32) != 0;
}
#endif

static inline uint32_t shifted(uint32_t table[4][256], uint32_t crc) {
    return table[0][crc & 0xff] ^ table[1][(crc >> 8) & 0xff] ^ table[2][(crc >> 16) & 0xff] ^ table[3][crc >> 24];
}

static inline uint64_t word_at(const unsigned char *p) {
    uint64_t word;
    memcpy(&word, p, sizeof word); // both processors are little-endian here
    return word;
}

ACCELERATED static inline uint32_t three_lanes(uint32_t crc, const unsigned char *p, size_t lane,
                                               uint32_t shift[4][256]) {
    uint64_t first = crc, second = 0, third = 0;
    for (size_t i = 0; i < lane; i += 8) {
        first = STEP8(first, word_at(p + i));
        second = STEP8(second, word_at(p + lane + i));
        third = STEP8(third, word_at(p + 2 * lane + i));
    }
    uint32_t joined = shifted(shift, (uint32_t)first) ^ (uint32_t)second;
    return shifted(shift, joined) ^ (uint32_t)third;
}

ACCELERATED static uint32_t update_accelerated(uint32_t crc, const unsigned char *p, size_t length) {
    while (length >= 3 * LONG_LANE) {
        crc = three_lanes(crc, p, LONG_LANE, long_shift);
        p += 3 * LONG_LANE;
        length -= 3 * LONG_LANE;
    }
    while (length >= 3 * SHORT_LANE) {
        crc = three_lanes(crc, p, SHORT_LANE, short_shift);
        p += 3 * SHORT_LANE;
        length -= 3 * SHORT_LANE;
    }
    uint64_t wide = crc;
    while (length >= 8) {
        wide = STEP8(wide, word_at(p));
        p += 8;
        length -= 8;
    }
    crc = (uint32_t)wide;
    while (length > 0) {
        crc = STEP1(crc, *p);
        p += 1;
        length -= 1;
    }
    return crc;
}
#else
#define HAS_ACCELERATED 0
#endif

typedef uint32_t (*update_function)(uint32_t, const unsigned char *, size_t);

/// The update chosen for this processor; null until the first call has filled the tables.
static _Atomic(update_function) chosen_update;

static update_function choose(void) {
    pthread_once(&tables_once, fill_tables);
    update_function update = update_portable;
#if HAS_ACCELERATED
    if (processor_has_instructions()) {
        update = update_accelerated;
    }
#endif
    atomic_store_explicit(&chosen_update, update, memory_order_release);
    return update;
}

uint32_t weir_crc32c(uint32_t checksum, const void *bytes, size_t length) {
    update_function update = atomic_load_explicit(&chosen_update, memory_order_acquire);
    if (update == NULL) {
        update = choose();
    }
    return ~update(~checksum, bytes, length);
}

uint32_t weir_crc32c_portable(uint32_t checksum, const void *bytes, size_t length) {
    pthread_once(&tables_once, fill_tables);
    return ~update_portable(~checksum, bytes, length);
}

int weir_crc32c_is_accelerated(void) {
#if HAS_ACCELERATED
    return processor_has_instructions() != 0;
#else
    return 0;
#endif
}
