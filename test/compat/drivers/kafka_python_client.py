"""kafka-python, a client in Python alone."""
import sys
import time

import kafka
from kafka import ConsumerRebalanceListener, KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, NewPartitions, NewTopic

from json_lines import Members, record_of, serve

BROKERS, SESSION_TIMEOUT_MS = sys.argv[1].split(","), int(sys.argv[2])
READ_TIMEOUT_S = 60


def version():
    return f"kafka-python {kafka.__version__}"


def produce(topic, codec, idempotent, records):
    producer = KafkaProducer(
        bootstrap_servers=BROKERS,
        acks="all",
        compression_type=None if codec == "none" else codec,
        max_request_size=16 << 20,
        retries=20,
    )
    try:
        sent = [
            producer.send(
                topic,
                value=record["value"].encode(),
                key=None if record["key"] is None else record["key"].encode(),
                partition=record["partition"],
            )
            for record in records
        ]
        producer.flush(120)
        for future in sent:
            future.get(60)
    finally:
        producer.close()


def read(topic, count, fromTimestampMs=None):
    consumer = KafkaConsumer(
        bootstrap_servers=BROKERS,
        enable_auto_commit=False,
        fetch_max_wait_ms=200,
        max_partition_fetch_bytes=4 << 20,
    )
    try:
        partitions = [TopicPartition(topic, partition) for partition in consumer.partitions_for_topic(topic)]
        consumer.assign(partitions)
        if fromTimestampMs is None:
            consumer.seek_to_beginning()
        else:
            ends = consumer.end_offsets(partitions)
            found = consumer.offsets_for_times({partition: fromTimestampMs for partition in partitions})
            for partition in partitions:
                start = found[partition]
                consumer.seek(partition, ends[partition] if start is None else start.offset)
        records = []
        deadline = time.monotonic() + READ_TIMEOUT_S
        while len(records) < count:
            if time.monotonic() > deadline:
                raise RuntimeError(f"only {len(records)} of {count} records came")
            records.extend(polled(consumer))
        return records
    finally:
        consumer.close(autocommit=False)


def polled(consumer):
    return [
        record_of(message.partition, message.offset, message.key, message.value)
        for messages in consumer.poll(timeout_ms=200).values()
        for message in messages
    ]


def run(member, group, topic, instanceId=None, workMs=0):
    class Listener(ConsumerRebalanceListener):
        def on_partitions_assigned(self, assigned):
            member.assigned([each.partition for each in assigned])

        def on_partitions_revoked(self, revoked):
            member.revoked()

    consumer = KafkaConsumer(
        bootstrap_servers=BROKERS,
        group_id=group,
        auto_offset_reset="earliest",
        auto_commit_interval_ms=500,
        session_timeout_ms=SESSION_TIMEOUT_MS,
        heartbeat_interval_ms=500,
        fetch_max_wait_ms=200,
        max_poll_records=20,
    )
    consumer.subscribe([topic], listener=Listener())
    try:
        while not member.leaving.is_set():
            for record in polled(consumer):
                time.sleep(workMs / 1000)
                member.records.append(record)
    finally:
        consumer.close()


def admin():
    return KafkaAdminClient(bootstrap_servers=BROKERS)


def create_topic(topic, partitionCount):
    client = admin()
    try:
        client.create_topics([NewTopic(topic, partitionCount, 1)])
    finally:
        client.close()


def partition_count(topic):
    client = admin()
    try:
        if topic not in client.list_topics():
            return None
        return len(client.describe_topics([topic])[0]["partitions"])
    finally:
        client.close()


def delete_topic(topic):
    client = admin()
    try:
        client.delete_topics([topic])
    finally:
        client.close()


def create_partitions(topic, partitionCount):
    client = admin()
    try:
        client.create_partitions({topic: NewPartitions(partitionCount)})
    finally:
        client.close()


def set_config(topic, name, value):
    client = admin()
    try:
        client.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, {name: value})])
    finally:
        client.close()


def config(topic, name):
    client = admin()
    try:
        resource = ConfigResource(ConfigResourceType.TOPIC, topic, {name: None})
        [response] = client.describe_configs([resource])
        for found, value, *_ in response.resources[0][4]:
            if found == name:
                return value
        return None
    finally:
        client.close()


def describe_group(group):
    client = admin()
    try:
        if not any(name == group for name, _ in client.list_consumer_groups()):
            return None
        [found] = client.describe_consumer_groups([group])
        return {"state": found.state, "memberCount": len(found.members)}
    finally:
        client.close()


def delete_group(group):
    client = admin()
    try:
        for _, error in client.delete_consumer_groups([group]):
            if error.errno != 0:
                raise RuntimeError(error.__name__)
    finally:
        client.close()


members = Members(run)
serve(
    {
        "version": version,
        "produce": produce,
        "read": read,
        "join": members.join,
        "state": members.state,
        "leave": members.leave,
        "create_topic": create_topic,
        "partition_count": partition_count,
        "delete_topic": delete_topic,
        "create_partitions": create_partitions,
        "set_config": set_config,
        "config": config,
        "describe_group": describe_group,
        "delete_group": delete_group,
    },
    members,
)
