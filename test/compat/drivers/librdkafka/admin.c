/* Requests of tools. Each makes a client of its own: what it answers is then nobody's cache. */
#include "client.h"
#include <string.h>

static const char *const no_settings[] = {NULL};

/* One request and its answer: who asks takes what it needs of the event, or the failure of the event itself. */
typedef struct {
    rd_kafka_t *client;
    rd_kafka_queue_t *queue;
    rd_kafka_AdminOptions_t *options;
    rd_kafka_event_t *event;
} admin_t;

static admin_t begin(void) {
    admin_t admin = {.client = new_client(RD_KAFKA_PRODUCER, NULL, no_settings)};
    admin.queue = rd_kafka_queue_new(admin.client);
    admin.options = rd_kafka_AdminOptions_new(admin.client, RD_KAFKA_ADMIN_OP_ANY);
    return admin;
}

/* NULL: it has its answer. */
static const char *wait_for(admin_t *admin) {
    admin->event = rd_kafka_queue_poll(admin->queue, 2 * ADMIN_TIMEOUT_MS);
    if (admin->event == NULL) return "no answer came";
    return rd_kafka_event_error(admin->event) ? rd_kafka_event_error_string(admin->event) : NULL;
}

static void end(admin_t *admin) {
    if (admin->event != NULL) rd_kafka_event_destroy(admin->event);
    rd_kafka_AdminOptions_destroy(admin->options);
    rd_kafka_queue_destroy(admin->queue);
    rd_kafka_destroy(admin->client);
}

/* What became of the one topic of a request. */
static answer_t topic_outcome(admin_t *admin, const rd_kafka_topic_result_t **(*topics_of)(rd_kafka_event_t *, size_t *)) {
    const char *failure = wait_for(admin);
    if (failure == NULL) {
        size_t count;
        const rd_kafka_topic_result_t *topic = topics_of(admin->event, &count)[0];
        if (rd_kafka_topic_result_error(topic)) failure = rd_kafka_topic_result_error_string(topic);
    }
    answer_t answer = failure == NULL ? succeeded(NULL) : failed("%s", failure);
    end(admin);
    return answer;
}

static const rd_kafka_topic_result_t **created(rd_kafka_event_t *event, size_t *count) {
    return rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), count);
}

static const rd_kafka_topic_result_t **deleted(rd_kafka_event_t *event, size_t *count) {
    return rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(event), count);
}

static const rd_kafka_topic_result_t **grown(rd_kafka_event_t *event, size_t *count) {
    return rd_kafka_CreatePartitions_result_topics(rd_kafka_event_CreatePartitions_result(event), count);
}

answer_t create_topic(const json_t *args) {
    admin_t admin = begin();
    char reason[512];
    int count = (int)number_of(args, "partitionCount", 1);
    rd_kafka_NewTopic_t *topic = rd_kafka_NewTopic_new(text_of(args, "topic"), count, 1, reason, sizeof reason);
    rd_kafka_CreateTopics(admin.client, &topic, 1, admin.options, admin.queue);
    rd_kafka_NewTopic_destroy(topic);
    return topic_outcome(&admin, created);
}

answer_t delete_topic(const json_t *args) {
    admin_t admin = begin();
    rd_kafka_DeleteTopic_t *topic = rd_kafka_DeleteTopic_new(text_of(args, "topic"));
    rd_kafka_DeleteTopics(admin.client, &topic, 1, admin.options, admin.queue);
    rd_kafka_DeleteTopic_destroy(topic);
    return topic_outcome(&admin, deleted);
}

answer_t create_partitions(const json_t *args) {
    admin_t admin = begin();
    char reason[512];
    size_t count = (size_t)number_of(args, "partitionCount", 1);
    rd_kafka_NewPartitions_t *more = rd_kafka_NewPartitions_new(text_of(args, "topic"), count, reason, sizeof reason);
    rd_kafka_CreatePartitions(admin.client, &more, 1, admin.options, admin.queue);
    rd_kafka_NewPartitions_destroy(more);
    return topic_outcome(&admin, grown);
}

int count_partitions(rd_kafka_t *client, const char *topic) {
    const struct rd_kafka_metadata *metadata;
    if (rd_kafka_metadata(client, 1, NULL, &metadata, ADMIN_TIMEOUT_MS) != RD_KAFKA_RESP_ERR_NO_ERROR) return -2;
    int count = -1;
    for (int at = 0; at < metadata->topic_cnt; at++)
        if (strcmp(metadata->topics[at].topic, topic) == 0) count = metadata->topics[at].partition_cnt;
    rd_kafka_metadata_destroy(metadata);
    return count;
}

answer_t partition_count(const json_t *args) {
    rd_kafka_t *client = new_client(RD_KAFKA_PRODUCER, NULL, no_settings);
    int count = count_partitions(client, text_of(args, "topic"));
    rd_kafka_destroy(client);
    if (count == -2) return failed("no metadata came");
    return succeeded(count < 0 ? NULL : json_integer(count));
}

answer_t set_config(const json_t *args) {
    admin_t admin = begin();
    rd_kafka_ConfigResource_t *resource = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, text_of(args, "topic"));
    rd_kafka_ConfigResource_set_config(resource, text_of(args, "name"), text_of(args, "value"));
    rd_kafka_AlterConfigs(admin.client, &resource, 1, admin.options, admin.queue);
    rd_kafka_ConfigResource_destroy(resource);
    const char *failure = wait_for(&admin);
    if (failure == NULL) {
        size_t count;
        const rd_kafka_AlterConfigs_result_t *result = rd_kafka_event_AlterConfigs_result(admin.event);
        const rd_kafka_ConfigResource_t *altered = rd_kafka_AlterConfigs_result_resources(result, &count)[0];
        if (rd_kafka_ConfigResource_error(altered)) failure = rd_kafka_ConfigResource_error_string(altered);
    }
    answer_t answer = failure == NULL ? succeeded(NULL) : failed("%s", failure);
    end(&admin);
    return answer;
}

answer_t config(const json_t *args) {
    admin_t admin = begin();
    rd_kafka_ConfigResource_t *resource = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, text_of(args, "topic"));
    rd_kafka_DescribeConfigs(admin.client, &resource, 1, admin.options, admin.queue);
    rd_kafka_ConfigResource_destroy(resource);
    const char *failure = wait_for(&admin);
    json_t *value = NULL;
    if (failure == NULL) {
        size_t count;
        const rd_kafka_DescribeConfigs_result_t *result = rd_kafka_event_DescribeConfigs_result(admin.event);
        const rd_kafka_ConfigResource_t *found = rd_kafka_DescribeConfigs_result_resources(result, &count)[0];
        if (rd_kafka_ConfigResource_error(found)) failure = rd_kafka_ConfigResource_error_string(found);
        const rd_kafka_ConfigEntry_t **entries = rd_kafka_ConfigResource_configs(found, &count);
        for (size_t at = 0; at < count; at++)
            if (strcmp(rd_kafka_ConfigEntry_name(entries[at]), text_of(args, "name")) == 0)
                value = json_string(rd_kafka_ConfigEntry_value(entries[at]));
    }
    answer_t answer = failure == NULL ? succeeded(value) : failed("%s", failure);
    end(&admin);
    return answer;
}

answer_t describe_group(const json_t *args) {
    rd_kafka_t *client = new_client(RD_KAFKA_PRODUCER, NULL, no_settings);
    const struct rd_kafka_group_list *list;
    rd_kafka_resp_err_t err = rd_kafka_list_groups(client, text_of(args, "group"), &list, ADMIN_TIMEOUT_MS);
    if (err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        rd_kafka_destroy(client);
        return failed("%s", rd_kafka_err2str(err));
    }
    json_t *found = NULL;
    if (list->group_cnt > 0 && strcmp(list->groups[0].state, "Dead") != 0)
        found = json_pack("{s:s,s:i}", "state", list->groups[0].state, "memberCount", list->groups[0].member_cnt);
    rd_kafka_group_list_destroy(list);
    rd_kafka_destroy(client);
    return succeeded(found);
}

answer_t delete_group(const json_t *args) {
    admin_t admin = begin();
    rd_kafka_DeleteGroup_t *group = rd_kafka_DeleteGroup_new(text_of(args, "group"));
    rd_kafka_DeleteGroups(admin.client, &group, 1, admin.options, admin.queue);
    rd_kafka_DeleteGroup_destroy(group);
    const char *failure = wait_for(&admin);
    if (failure == NULL) {
        size_t count;
        const rd_kafka_DeleteGroups_result_t *result = rd_kafka_event_DeleteGroups_result(admin.event);
        const rd_kafka_group_result_t *outcome = rd_kafka_DeleteGroups_result_groups(result, &count)[0];
        const rd_kafka_error_t *error = rd_kafka_group_result_error(outcome);
        if (error != NULL) failure = rd_kafka_error_string(error);
    }
    answer_t answer = failure == NULL ? succeeded(NULL) : failed("%s", failure);
    end(&admin);
    return answer;
}
