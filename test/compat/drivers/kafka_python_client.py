"""kafka-python, a client in Python alone."""
import sys
import time

import kafka
from kafka import ConsumerRebalanceListener, KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import NewTopic

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
    },
    members,
)
