/* librdkafka's C API behind lines of JSON, like the other clients of the suite that live in a process of their own. */
#ifndef CLIENT_H
#define CLIENT_H

#include <jansson.h>
#include <librdkafka/rdkafka.h>

#define READ_TIMEOUT_MS 60000
#define ADMIN_TIMEOUT_MS 30000

/* What a call gives back, or the reason why it failed. The caller owns both. */
typedef struct {
    json_t *result;
    char *error;
} answer_t;

answer_t succeeded(json_t *result);
answer_t failed(const char *format, ...) __attribute__((format(printf, 1, 2)));

const char *text_of(const json_t *args, const char *name);
json_int_t number_of(const json_t *args, const char *name, json_int_t otherwise);

/*
 * A client with the suite's addresses. Pairs of names and values, then NULL. Ends the process where it cannot be made.
 * With `opaque`, which the callbacks get, producers call `on_delivery` and consumers `on_rebalance`.
 */
rd_kafka_t *new_client(rd_kafka_type_t type, void *opaque, const char *const settings[]);
void on_delivery(rd_kafka_t *producer, const rd_kafka_message_t *message, void *opaque);
void on_rebalance(rd_kafka_t *consumer, rd_kafka_resp_err_t err, rd_kafka_topic_partition_list_t *list, void *opaque);
json_t *record_of(const rd_kafka_message_t *message);

/* Set once, by main. */
extern const char *session_timeout_ms;

answer_t produce(const json_t *args);
answer_t read_records(const json_t *args);

answer_t join(const json_t *args);
answer_t member_state(const json_t *args);
answer_t leave(const json_t *args);
void leave_all(void);

answer_t create_topic(const json_t *args);
answer_t partition_count(const json_t *args);
answer_t delete_topic(const json_t *args);
answer_t create_partitions(const json_t *args);
answer_t set_config(const json_t *args);
answer_t config(const json_t *args);
answer_t describe_group(const json_t *args);
answer_t delete_group(const json_t *args);

/* -1: there is no such topic; -2: the request failed. */
int count_partitions(rd_kafka_t *client, const char *topic);

#endif
