/* Calls as lines of JSON on standard input, answers on standard output. Ends with its input. */
#include "client.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *session_timeout_ms;
static const char *brokers;

static answer_t version(const json_t *args) {
    (void)args;
    return succeeded(json_sprintf("librdkafka %s (C API)", rd_kafka_version_str()));
}

static const struct {
    const char *name;
    answer_t (*run)(const json_t *args);
} calls[] = {
    {"version", version},
    {"produce", produce},
    {"read", read_records},
    {"join", join},
    {"state", member_state},
    {"leave", leave},
    {"create_topic", create_topic},
    {"partition_count", partition_count},
    {"delete_topic", delete_topic},
    {"create_partitions", create_partitions},
    {"set_config", set_config},
    {"config", config},
    {"describe_group", describe_group},
    {"delete_group", delete_group},
};

static answer_t run(const json_t *request) {
    const char *name = text_of(request, "call");
    for (size_t at = 0; at < sizeof calls / sizeof *calls; at++)
        if (strcmp(calls[at].name, name) == 0) return calls[at].run(json_object_get(request, "args"));
    return failed("there is no call %s", name);
}

int main(int count, char **args) {
    if (count != 3) {
        fprintf(stderr, "usage: %s BROKERS SESSION_TIMEOUT_MS\n", args[0]);
        return 2;
    }
    brokers = args[1];
    session_timeout_ms = args[2];
    char *line = NULL;
    size_t room = 0;
    while (getline(&line, &room, stdin) > 0) {
        json_t *request = json_loads(line, 0, NULL);
        if (request == NULL) {
            fprintf(stderr, "this is no JSON: %.200s\n", line);
            return 2;
        }
        answer_t answer = run(request);
        json_t *response = json_pack("{s:O}", "id", json_object_get(request, "id"));
        if (answer.error != NULL) json_object_set_new(response, "error", json_string(answer.error));
        else json_object_set_new(response, "result", answer.result);
        json_dumpf(response, stdout, JSON_COMPACT);
        putchar('\n');
        fflush(stdout);
        free(answer.error);
        json_decref(response);
        json_decref(request);
    }
    free(line);
    leave_all();
    return 0;
}

answer_t succeeded(json_t *result) {
    return (answer_t){.result = result == NULL ? json_null() : result};
}

answer_t failed(const char *format, ...) {
    char text[512];
    va_list values;
    va_start(values, format);
    vsnprintf(text, sizeof text, format, values);
    va_end(values);
    return (answer_t){.error = strdup(text)};
}

const char *text_of(const json_t *args, const char *name) {
    return json_string_value(json_object_get(args, name));
}

json_int_t number_of(const json_t *args, const char *name, json_int_t otherwise) {
    const json_t *value = json_object_get(args, name);
    return json_is_integer(value) ? json_integer_value(value) : otherwise;
}

static void set(rd_kafka_conf_t *conf, const char *name, const char *value) {
    char reason[512];
    if (rd_kafka_conf_set(conf, name, value, reason, sizeof reason) == RD_KAFKA_CONF_OK) return;
    fprintf(stderr, "%s\n", reason);
    exit(2);
}

rd_kafka_t *new_client(rd_kafka_type_t type, void *opaque, const char *const settings[]) {
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "bootstrap.servers", brokers);
    set(conf, "broker.address.family", "v4");
    for (size_t at = 0; settings[at] != NULL; at += 2) set(conf, settings[at], settings[at + 1]);
    rd_kafka_conf_set_opaque(conf, opaque);
    if (opaque != NULL && type == RD_KAFKA_PRODUCER) rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    if (opaque != NULL && type == RD_KAFKA_CONSUMER) rd_kafka_conf_set_rebalance_cb(conf, on_rebalance);
    char reason[512];
    rd_kafka_t *client = rd_kafka_new(type, conf, reason, sizeof reason);
    if (client != NULL) return client;
    fprintf(stderr, "%s\n", reason);
    exit(2);
}

json_t *record_of(const rd_kafka_message_t *message) {
    json_t *key = message->key == NULL ? json_null() : json_stringn(message->key, message->key_len);
    json_t *value = json_stringn(message->payload == NULL ? "" : message->payload, message->len);
    return json_pack("{s:i,s:I,s:o,s:o}", "partition", (int)message->partition, "offset", (json_int_t)message->offset,
                     "key", key, "value", value);
}
