// Publishes samples at a steady rate, each with the moment it was published as its value.
//
//   live_publisher BROKER TOPIC RECORDS_PER_SECOND SAMPLES_PER_RECORD SECONDS
//
// One record holds one sample of each of as many series, in the text format; its value is the time of the call that
// publishes the record, in microseconds since the epoch. acks=1, nothing lingers. The next record is due at a fixed time,
// whatever the one before took. Prints how many samples were published, and the longest delay of a call in microseconds.

#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void fail(const char *what, const char *why) {
    fprintf(stderr, "live_publisher: %s: %s\n", what, why);
    exit(1);
}

static void set(rd_kafka_conf_t *settings, const char *name, const char *value) {
    char error[512];
    if (rd_kafka_conf_set(settings, name, value, error, sizeof error) != RD_KAFKA_CONF_OK) {
        fail(name, error);
    }
}

static long long now_us(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return time.tv_sec * 1000000LL + time.tv_nsec / 1000;
}

int main(int count, char **arguments) {
    if (count != 6) {
        fail("arguments", "BROKER TOPIC RECORDS_PER_SECOND SAMPLES_PER_RECORD SECONDS");
    }
    char error[512];
    rd_kafka_conf_t *settings = rd_kafka_conf_new();
    set(settings, "bootstrap.servers", arguments[1]);
    set(settings, "acks", "1");
    set(settings, "linger.ms", "0");
    rd_kafka_t *producer = rd_kafka_new(RD_KAFKA_PRODUCER, settings, error, sizeof error);
    if (producer == NULL) {
        fail("cannot make a client", error);
    }
    const int rate = atoi(arguments[3]), samples = atoi(arguments[4]), records = rate * atoi(arguments[5]);
    char *text = malloc((size_t)samples * 128);
    long long begin = now_us(CLOCK_MONOTONIC), latest = 0;
    for (int record = 0; record < records; record++) {
        long long due = begin + 1000000LL * record / rate;
        struct timespec until = {due / 1000000, due % 1000000 * 1000};
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
        long long stamp = now_us(CLOCK_REALTIME), delay = now_us(CLOCK_MONOTONIC) - due;
        latest = delay > latest ? delay : latest;
        size_t length = 0;
        for (int sample = 0; sample < samples; sample++) {
            length += sprintf(text + length, "bench_live{instance=\"host-%d\",job=\"bench\",n=\"%d\"} %lld %lld\n",
                              record % 100, sample, stamp, stamp / 1000);
        }
        rd_kafka_resp_err_t failure =
            rd_kafka_producev(producer, RD_KAFKA_V_TOPIC(arguments[2]), RD_KAFKA_V_VALUE(text, length),
                              RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
        if (failure) {
            fail("cannot publish", rd_kafka_err2str(failure));
        }
        rd_kafka_poll(producer, 0);
    }
    if (rd_kafka_flush(producer, 30000) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        fail("not everything was taken", "time is up");
    }
    printf("%d %lld\n", records * samples, latest);
    rd_kafka_destroy(producer);
    return 0;
}
