// Measures one record at a time: produces it with acks=all and waits until a consumer of the same process has it.
//
//   latency_client BROKER TOPIC RECORDS      prints the 50th and 99th percentile in microseconds
//
// One producer and one consumer, each with a connection of its own; the consumer reads partition 0 from its end, so
// that its next fetch waits at the broker when the record arrives.

#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define RECORD_BYTES 100
#define TIMEOUT_MS 10000

/// Records before the measured ones: connections, metadata and the topic itself come into being.
#define WARM_UP 200

static void fail(const char *what, const char *why) {
    fprintf(stderr, "latency_client: %s: %s\n", what, why);
    exit(1);
}

static double now_us(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1e6 + time.tv_nsec / 1e3;
}

static void set(rd_kafka_conf_t *settings, const char *name, const char *value) {
    char error[512];
    if (rd_kafka_conf_set(settings, name, value, error, sizeof error) != RD_KAFKA_CONF_OK) {
        fail(name, error);
    }
}

static rd_kafka_t *client(rd_kafka_type_t type, const char *broker) {
    char error[512];
    rd_kafka_conf_t *settings = rd_kafka_conf_new();
    set(settings, "bootstrap.servers", broker);
    if (type == RD_KAFKA_PRODUCER) {
        set(settings, "acks", "all");
        set(settings, "linger.ms", "0");
    } else {
        set(settings, "group.id", "latency");
        set(settings, "enable.auto.commit", "false");
        set(settings, "fetch.error.backoff.ms", "1");
    }
    rd_kafka_t *handle = rd_kafka_new(type, settings, error, sizeof error);
    if (handle == NULL) {
        fail("cannot make a client", error);
    }
    return handle;
}

static void produce(rd_kafka_t *producer, const char *topic, const char *record) {
    rd_kafka_resp_err_t error =
        rd_kafka_producev(producer, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(0),
                          RD_KAFKA_V_VALUE((void *)record, RECORD_BYTES),
                          RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
    if (error) {
        fail("cannot produce", rd_kafka_err2str(error));
    }
}

/// Waits for the record with this number.
static void consume(rd_kafka_t *consumer, const char *record) {
    rd_kafka_message_t *message = rd_kafka_consumer_poll(consumer, TIMEOUT_MS);
    if (message == NULL) {
        fail("a record did not arrive", "time is up");
    }
    if (message->err) {
        fail("a record did not arrive", rd_kafka_message_errstr(message));
    }
    if (message->len != RECORD_BYTES || memcmp(message->payload, record, RECORD_BYTES) != 0) {
        fail("a record arrived", "it is not the one that was sent");
    }
    rd_kafka_message_destroy(message);
}

static int compare(const void *a, const void *b) {
    double difference = *(const double *)a - *(const double *)b;
    return difference < 0 ? -1 : difference > 0;
}

int main(int argc, char **argv) {
    if (argc != 4) {
        fail("usage", "latency_client BROKER TOPIC RECORDS");
    }
    const char *topic = argv[2];
    int count = atoi(argv[3]);
    double *times = calloc(count > 0 ? count : 1, sizeof *times);
    if (count < 1 || times == NULL) {
        fail("RECORDS", "must be a positive number");
    }

    rd_kafka_t *producer = client(RD_KAFKA_PRODUCER, argv[1]);
    char record[RECORD_BYTES + 1];
    snprintf(record, sizeof record, "%-100d", -1);
    produce(producer, topic, record); // creates the topic
    if (rd_kafka_flush(producer, TIMEOUT_MS)) {
        fail("the first record", "was not acknowledged");
    }

    rd_kafka_t *consumer = client(RD_KAFKA_CONSUMER, argv[1]);
    rd_kafka_poll_set_consumer(consumer);
    int64_t low, high;
    rd_kafka_resp_err_t error = rd_kafka_query_watermark_offsets(consumer, topic, 0, &low, &high, TIMEOUT_MS);
    if (error) {
        fail("cannot ask for the end", rd_kafka_err2str(error));
    }
    rd_kafka_topic_partition_list_t *partitions = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(partitions, topic, 0)->offset = high;
    if ((error = rd_kafka_assign(consumer, partitions))) {
        fail("cannot assign", rd_kafka_err2str(error));
    }

    for (int number = -WARM_UP; number < count; number++) {
        snprintf(record, sizeof record, "%-100d", number);
        double begin = now_us();
        produce(producer, topic, record);
        consume(consumer, record);
        if (number >= 0) {
            times[number] = now_us() - begin;
        }
        rd_kafka_poll(producer, 0);
    }
    qsort(times, count, sizeof *times, compare);
    printf("%.0f %.0f\n", times[count / 2], times[(int)(count * 0.99)]);

    rd_kafka_topic_partition_list_destroy(partitions);
    rd_kafka_consumer_close(consumer);
    rd_kafka_destroy(consumer);
    rd_kafka_flush(producer, TIMEOUT_MS);
    rd_kafka_destroy(producer);
    free(times);
    return 0;
}
