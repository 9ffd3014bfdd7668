/* Producing, and reading without a group. */
#include "client.h"
#include <time.h>

#define FLUSH_TIMEOUT_MS 120000

/* Keeps the first delivery that failed; the client calls back in the thread that polls. */
void on_delivery(rd_kafka_t *client, const rd_kafka_message_t *message, void *opaque) {
    (void)client;
    rd_kafka_resp_err_t *failure = opaque;
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR && *failure == RD_KAFKA_RESP_ERR_NO_ERROR) *failure = message->err;
}

static rd_kafka_resp_err_t send_record(rd_kafka_t *producer, const char *topic, const json_t *record) {
    const json_t *key = json_object_get(record, "key");
    const json_t *value = json_object_get(record, "value");
    for (;;) {
        rd_kafka_resp_err_t err = rd_kafka_producev(
            producer, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION((int32_t)number_of(record, "partition", -1)),
            RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
            RD_KAFKA_V_KEY(json_string_value(key), json_is_string(key) ? json_string_length(key) : 0),
            RD_KAFKA_V_VALUE((void *)json_string_value(value), json_string_length(value)), RD_KAFKA_V_END);
        if (err != RD_KAFKA_RESP_ERR__QUEUE_FULL) return err;
        rd_kafka_poll(producer, 100);
    }
}

answer_t produce(const json_t *args) {
    const char *idempotent = json_is_true(json_object_get(args, "idempotent")) ? "true" : "false";
    const char *const settings[] = {
        "compression.codec", text_of(args, "codec"), "enable.idempotence", idempotent, "acks", "all",
        "message.max.bytes", "16777216",             NULL};
    rd_kafka_resp_err_t failure = RD_KAFKA_RESP_ERR_NO_ERROR;
    rd_kafka_t *producer = new_client(RD_KAFKA_PRODUCER, &failure, settings);
    rd_kafka_resp_err_t err = RD_KAFKA_RESP_ERR_NO_ERROR;
    size_t at;
    json_t *record;
    json_array_foreach(json_object_get(args, "records"), at, record) {
        err = send_record(producer, text_of(args, "topic"), record);
        if (err != RD_KAFKA_RESP_ERR_NO_ERROR) break;
    }
    if (err == RD_KAFKA_RESP_ERR_NO_ERROR) err = rd_kafka_flush(producer, FLUSH_TIMEOUT_MS);
    rd_kafka_destroy(producer);
    if (err == RD_KAFKA_RESP_ERR_NO_ERROR) err = failure;
    return err == RD_KAFKA_RESP_ERR_NO_ERROR ? succeeded(NULL) : failed("%s", rd_kafka_err2str(err));
}

static int64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* Where reading begins: the beginning, or the first record of each partition that is as late as `from_ms`. */
static rd_kafka_resp_err_t find_starts(rd_kafka_t *consumer, rd_kafka_topic_partition_list_t *starts, json_int_t from_ms) {
    for (int at = 0; at < starts->cnt; at++)
        starts->elems[at].offset = from_ms < 0 ? RD_KAFKA_OFFSET_BEGINNING : from_ms;
    return from_ms < 0 ? RD_KAFKA_RESP_ERR_NO_ERROR : rd_kafka_offsets_for_times(consumer, starts, ADMIN_TIMEOUT_MS);
}

static answer_t read_until(rd_kafka_t *consumer, size_t count) {
    json_t *records = json_array();
    int64_t deadline_ms = now_ms() + READ_TIMEOUT_MS;
    while (json_array_size(records) < count) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(consumer, 200);
        if (message != NULL && message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
            json_array_append_new(records, record_of(message));
        } else if (message != NULL || now_ms() > deadline_ms) {
            answer_t answer = failed("only %zu of %zu records came: %s", json_array_size(records), count,
                                     message == NULL ? "too late" : rd_kafka_message_errstr(message));
            if (message != NULL) rd_kafka_message_destroy(message);
            json_decref(records);
            return answer;
        }
        if (message != NULL) rd_kafka_message_destroy(message);
    }
    return succeeded(records);
}

answer_t read_records(const json_t *args) {
    const char *const settings[] = {"group.id", "reader", "enable.auto.commit", "false",
                                    "fetch.wait.max.ms", "200", NULL};
    rd_kafka_t *consumer = new_client(RD_KAFKA_CONSUMER, NULL, settings);
    rd_kafka_poll_set_consumer(consumer);
    const char *topic = text_of(args, "topic");
    int partitions = count_partitions(consumer, topic);
    rd_kafka_topic_partition_list_t *starts = rd_kafka_topic_partition_list_new(partitions < 0 ? 0 : partitions);
    if (partitions > 0) rd_kafka_topic_partition_list_add_range(starts, topic, 0, partitions - 1);
    rd_kafka_resp_err_t err = find_starts(consumer, starts, number_of(args, "fromTimestampMs", -1));
    if (err == RD_KAFKA_RESP_ERR_NO_ERROR) err = rd_kafka_assign(consumer, starts);
    rd_kafka_topic_partition_list_destroy(starts);
    answer_t answer = err == RD_KAFKA_RESP_ERR_NO_ERROR ? read_until(consumer, (size_t)number_of(args, "count", 0))
                                                        : failed("%s", rd_kafka_err2str(err));
    rd_kafka_consumer_close(consumer);
    rd_kafka_destroy(consumer);
    return answer;
}
