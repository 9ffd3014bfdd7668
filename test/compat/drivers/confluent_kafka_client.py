"""confluent-kafka, librdkafka's Python binding."""
import sys
import time

import confluent_kafka
from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewPartitions, NewTopic

from json_lines import Members, record_of, serve

BROKERS, SESSION_TIMEOUT_MS = sys.argv[1], int(sys.argv[2])
COMMON = {"bootstrap.servers": BROKERS, "broker.address.family": "v4"}
READ_TIMEOUT_S = 60


def version():
    return f"confluent-kafka {confluent_kafka.version()[0]} (librdkafka {confluent_kafka.libversion()[0]})"


def produce(topic, codec, idempotent, records):
    producer = Producer(
        {
            **COMMON,
            "compression.codec": codec,
            "enable.idempotence": idempotent,
            "acks": "all",
            "message.max.bytes": 16 << 20,
        }
    )
    failures = []

    def delivered(error, _message):
        if error is not None:
            failures.append(str(error))

    for record in records:
        while True:
            try:
                producer.produce(
                    topic, record["value"], record["key"], partition=record["partition"], on_delivery=delivered
                )
                break
            except BufferError:
                producer.poll(0.1)
    left = producer.flush(120)
    if left > 0:
        raise RuntimeError(f"{left} records were not delivered")
    if failures:
        raise RuntimeError(failures[0])


def read(topic, count, fromTimestampMs=None):
    consumer = Consumer({**COMMON, "group.id": "reader", "enable.auto.commit": False, "fetch.wait.max.ms": 200})
    try:
        partitions = range(partition_count(topic))
        starts = [TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in partitions]
        if fromTimestampMs is not None:
            asked = [TopicPartition(topic, partition, fromTimestampMs) for partition in partitions]
            starts = consumer.offsets_for_times(asked, 30)
        consumer.assign(starts)
        records = []
        deadline = time.monotonic() + READ_TIMEOUT_S
        while len(records) < count:
            if time.monotonic() > deadline:
                raise RuntimeError(f"only {len(records)} of {count} records came")
            for message in consumer.consume(500, 0.5):
                records.append(of(message))
        return records
    finally:
        consumer.close()


def of(message):
    if message.error() is not None:
        raise RuntimeError(str(message.error()))
    return record_of(message.partition(), message.offset(), message.key(), message.value())


def run(member, group, topic, instanceId=None, workMs=0):
    config = {
        **COMMON,
        "group.id": group,
        "auto.offset.reset": "earliest",
        "auto.commit.interval.ms": 500,
        "session.timeout.ms": SESSION_TIMEOUT_MS,
        "heartbeat.interval.ms": 500,
        "fetch.wait.max.ms": 200,
    }
    if instanceId is not None:
        config["group.instance.id"] = instanceId
    consumer = Consumer(config)
    consumer.subscribe(
        [topic],
        on_assign=lambda _, assigned: member.assigned([each.partition for each in assigned]),
        on_revoke=lambda _, _revoked: member.revoked(),
    )
    try:
        while not member.leaving.is_set():
            message = consumer.poll(0.1)
            if message is None:
                continue
            record = of(message)
            time.sleep(workMs / 1000)
            member.records.append(record)
    finally:
        consumer.close()


def create_topic(topic, partitionCount):
    admin = AdminClient(COMMON)
    for future in admin.create_topics([NewTopic(topic, partitionCount, 1)]).values():
        future.result()


def partition_count(topic):
    found = AdminClient(COMMON).list_topics(timeout=30).topics.get(topic)
    return None if found is None else len(found.partitions)


def delete_topic(topic):
    admin = AdminClient(COMMON)
    for future in admin.delete_topics([topic]).values():
        future.result()


def create_partitions(topic, partitionCount):
    admin = AdminClient(COMMON)
    for future in admin.create_partitions([NewPartitions(topic, partitionCount)]).values():
        future.result()


def set_config(topic, name, value):
    admin = AdminClient(COMMON)
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic, set_config={name: value})
    for future in admin.alter_configs([resource]).values():
        future.result()


def config(topic, name):
    admin = AdminClient(COMMON)
    for future in admin.describe_configs([ConfigResource(ConfigResource.Type.TOPIC, topic)]).values():
        entry = future.result().get(name)
        return None if entry is None else entry.value


def describe_group(group):
    found = AdminClient(COMMON).list_groups(group, 30)
    if not found or found[0].state == "Dead":
        return None
    return {"state": found[0].state, "memberCount": len(found[0].members)}


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
    },
    members,
)
