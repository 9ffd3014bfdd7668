/* Members of groups, each in a thread of its own, by the names the caller gave them. */
#include "client.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct member {
    struct member *next;
    char *name;
    rd_kafka_t *consumer;
    json_int_t work_ms;
    pthread_t thread;
    atomic_bool leaving;
    /* Guards what follows. */
    pthread_mutex_t lock;
    json_t *partitions;
    int assignment_count;
    json_t *records;
    char *failure;
} member_t;

static member_t *members;

void on_rebalance(rd_kafka_t *consumer, rd_kafka_resp_err_t err, rd_kafka_topic_partition_list_t *list, void *opaque) {
    member_t *member = opaque;
    int assigned = err == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
    pthread_mutex_lock(&member->lock);
    json_array_clear(member->partitions);
    if (assigned) member->assignment_count += 1;
    for (int at = 0; assigned && at < list->cnt; at++)
        json_array_append_new(member->partitions, json_integer(list->elems[at].partition));
    pthread_mutex_unlock(&member->lock);
    rd_kafka_assign(consumer, assigned ? list : NULL);
}

static void *consume(void *of) {
    member_t *member = of;
    while (!member->leaving) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(member->consumer, 100);
        if (message == NULL) continue;
        if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) usleep((useconds_t)member->work_ms * 1000);
        pthread_mutex_lock(&member->lock);
        if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) json_array_append_new(member->records, record_of(message));
        else if (member->failure == NULL) member->failure = strdup(rd_kafka_message_errstr(message));
        pthread_mutex_unlock(&member->lock);
        rd_kafka_message_destroy(message);
    }
    rd_kafka_consumer_close(member->consumer);
    rd_kafka_destroy(member->consumer);
    return NULL;
}

answer_t join(const json_t *args) {
    const char *settings[16] = {
        "group.id",          text_of(args, "group"), "auto.offset.reset",  "earliest",         "auto.commit.interval.ms",
        "500",               "session.timeout.ms",   session_timeout_ms,   "heartbeat.interval.ms", "500",
        "fetch.wait.max.ms", "200"};
    const char *instance = text_of(args, "instanceId");
    if (instance != NULL) {
        settings[12] = "group.instance.id";
        settings[13] = instance;
    }
    member_t *member = calloc(1, sizeof *member);
    member->name = strdup(text_of(args, "member"));
    member->work_ms = number_of(args, "workMs", 0);
    member->partitions = json_array();
    member->records = json_array();
    pthread_mutex_init(&member->lock, NULL);
    member->consumer = new_client(RD_KAFKA_CONSUMER, member, settings);
    rd_kafka_poll_set_consumer(member->consumer);
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(topics, text_of(args, "topic"), RD_KAFKA_PARTITION_UA);
    rd_kafka_resp_err_t err = rd_kafka_subscribe(member->consumer, topics);
    rd_kafka_topic_partition_list_destroy(topics);
    if (err != RD_KAFKA_RESP_ERR_NO_ERROR) member->failure = strdup(rd_kafka_err2str(err));
    pthread_create(&member->thread, NULL, consume, member);
    member->next = members;
    members = member;
    return succeeded(NULL);
}

/* Where the member hangs in the list; the list is the main thread's alone. */
static member_t **find(const json_t *args) {
    member_t **at = &members;
    while (*at != NULL && strcmp((*at)->name, text_of(args, "member")) != 0) at = &(*at)->next;
    return at;
}

answer_t member_state(const json_t *args) {
    member_t *member = *find(args);
    if (member == NULL) return failed("there is no such member");
    pthread_mutex_lock(&member->lock);
    answer_t answer = member->failure != NULL
                          ? failed("%s", member->failure)
                          : succeeded(json_pack("{s:o,s:i,s:o}", "partitions", json_deep_copy(member->partitions),
                                                "assignmentCount", member->assignment_count, "records",
                                                json_deep_copy(member->records)));
    pthread_mutex_unlock(&member->lock);
    return answer;
}

static void remove_member(member_t **at) {
    member_t *member = *at;
    *at = member->next;
    member->leaving = true;
    pthread_join(member->thread, NULL);
    pthread_mutex_destroy(&member->lock);
    json_decref(member->partitions);
    json_decref(member->records);
    free(member->failure);
    free(member->name);
    free(member);
}

answer_t leave(const json_t *args) {
    member_t **at = find(args);
    if (*at == NULL) return failed("there is no such member");
    remove_member(at);
    return succeeded(NULL);
}

void leave_all(void) {
    while (members != NULL) remove_member(&members);
}
