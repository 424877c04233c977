"""Weir's own client on other people's ground: against librdkafka's mock cluster of three brokers that err, fail and
move, and in groups that it shares with librdkafka's consumer.

The groups are shared on Weir's broker only: in a rebalance, which takes it ten to twenty seconds, the mock cluster throws
members out (UNKNOWN_MEMBER_ID), also where all of them are librdkafka's own."""

import json
import os
import subprocess
import threading
import time

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

import mock_cluster as mock
from checks import check, fresh
from mock_cluster import MockCluster

CLIENT = "weir's client"
CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]
PASSING = ["REBALANCE_IN_PROGRESS", "ILLEGAL_GENERATION", "NOT_COORDINATOR", "COORDINATOR_NOT_AVAILABLE"]
ASSIGNORS = ["range", "roundrobin", "cooperative-sticky"]


def weir(address, *arguments, lines=None, ok=True):
    text = None if lines is None else "".join(f"{line}\n" for line in lines)
    done = subprocess.run(
        [os.environ["WEIR_BINARY"], *arguments, "--bootstrap", address], input=text, capture_output=True, text=True, timeout=90)
    if ok and done.returncode != 0:
        raise RuntimeError(f"weir {' '.join(arguments)} ended with {done.returncode}: {done.stderr.strip()}")
    return done


def wait_until(what, condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what() if callable(what) else what}")
        time.sleep(0.02)


# The mock cluster, with errors.

for codec in CODECS:

    @check(CLIENT, f"mock cluster: produce and consume, {codec}")
    def round_trip(_, codec=codec):
        with MockCluster() as cluster:
            topic = fresh("t")
            cluster.create_topic(topic, 4)
            lines = [f"value {number}" for number in range(2000)]
            weir(cluster.address, "produce", topic, "--compression", codec, lines=lines)
            read = weir(cluster.address, "consume", topic, "--exit").stdout.splitlines()
            assert sorted(read) == sorted(lines), f"wrote {len(lines)} records, read {len(read)}"


@check(CLIENT, "mock cluster: errors on a producer's requests")
def producer_errors(_):
    with MockCluster() as cluster:
        topic = fresh("t")
        cluster.create_topic(topic, 3)
        cluster.push_errors(
            mock.PRODUCE, mock.NOT_LEADER, mock.REQUEST_TIMED_OUT, mock.LEADER_NOT_AVAILABLE, mock.STORAGE_ERROR,
            mock.UNKNOWN_TOPIC_OR_PARTITION)
        cluster.push_errors(mock.INIT_PRODUCER_ID, mock.COORDINATOR_LOADING, mock.NOT_COORDINATOR)
        lines = [f"value {number}" for number in range(500)]
        weir(cluster.address, "produce", topic, lines=lines)
        read = weir(cluster.address, "consume", topic, "--exit").stdout.splitlines()
        assert sorted(read) == sorted(lines), f"wrote {len(lines)} records, read {len(read)}"


for assignor in ASSIGNORS:

    @check(CLIENT, f"mock cluster: errors on a consumer's requests, {assignor}")
    def consumer_errors(_, assignor=assignor):
        with MockCluster() as cluster:
            topic, group = fresh("t"), fresh("g")
            cluster.create_topic(topic, 4)
            lines = [f"value {number}" for number in range(1000)]
            weir(cluster.address, "produce", topic, lines=lines)
            passing = [mock.COORDINATOR_LOADING, mock.COORDINATOR_NOT_AVAILABLE, mock.NOT_COORDINATOR]
            # Not of FindCoordinator, JoinGroup and SyncGroup: with these errors the mock cluster sends a null that Kafka's
            # own schema does not allow.
            cluster.push_errors(mock.OFFSET_FETCH, *passing)
            cluster.push_errors(mock.LIST_OFFSETS, mock.NOT_LEADER, mock.LEADER_NOT_AVAILABLE)
            cluster.push_errors(
                mock.FETCH, mock.NOT_LEADER, mock.UNKNOWN_TOPIC_OR_PARTITION, mock.STORAGE_ERROR,
                mock.OFFSET_NOT_AVAILABLE)
            cluster.push_errors(mock.OFFSET_COMMIT, *passing)
            with Weir(cluster.address, group, topic, assignor) as member:
                member.wait_for(len(lines))
                cluster.push_errors(mock.HEARTBEAT, *passing, mock.REBALANCE_IN_PROGRESS)
                weir(cluster.address, "produce", topic, lines=["one more"])
                member.wait_for(len(lines) + 1)
            expect_once([member], len(lines) + 1)


@check(CLIENT, "mock cluster: leaders, coordinators and brokers come and go")
def moving(_):
    with MockCluster() as cluster:
        topic, group = fresh("t"), fresh("g")
        cluster.create_topic(topic, 3)
        with Weir(cluster.address, group, topic, "cooperative-sticky") as member:
            count = 0
            for round in range(6):
                for partition in range(3):
                    cluster.move_leader(topic, partition, (partition + round) % 3 + 1)
                cluster.move_coordinator("group", group, round % 3 + 1)
                stopped = (round + 1) % 3 + 1
                cluster.stop_broker(stopped)
                lines = [f"round {round} {number}" for number in range(100)]
                producing = threading.Thread(
                    target=weir, args=(cluster.address, "produce", topic), kwargs={"lines": lines})
                producing.start()
                time.sleep(0.3)
                cluster.start_broker(stopped)
                producing.join()
                count += len(lines)
                member.wait_for(count)
        # After it had to join anew it may read again what it could not commit; nothing may be missing.
        assert len(set(member.read)) == count, f"{len(set(member.read))} of {count} records"


@check(CLIENT, "mock cluster: static member fenced by its like")
def fenced(_):
    with MockCluster() as cluster:
        topic, group = fresh("t"), fresh("g")
        cluster.create_topic(topic, 1)
        member = Weir(cluster.address, group, topic, "range", "--instance-id", "host-1")
        weir(cluster.address, "produce", topic, lines=["a"])
        wait_until("it reads", lambda: member.read)
        cluster.push_errors(mock.HEARTBEAT, mock.FENCED_INSTANCE_ID)
        wait_until("it ends", lambda: member.process.poll() is not None)
        assert member.process.returncode == 1 and "FENCED_INSTANCE_ID" in member.errors(), member.errors()


@check(CLIENT, "mock cluster: transactions, with errors")
def transactions(_):
    with MockCluster() as cluster:
        topic = fresh("t")
        cluster.create_topic(topic, 3)
        busy = [mock.COORDINATOR_LOADING, mock.CONCURRENT_TRANSACTIONS, mock.NOT_COORDINATOR]
        cluster.push_errors(mock.INIT_PRODUCER_ID, *busy)
        cluster.push_errors(mock.ADD_PARTITIONS_TO_TXN, *busy)
        cluster.push_errors(mock.END_TXN, *busy)
        cluster.push_errors(mock.PRODUCE, mock.NOT_LEADER, mock.REQUEST_TIMED_OUT)
        lines = [f"value {number}" for number in range(500)]
        weir(cluster.address, "produce", topic, "--transactional-id", topic, lines=lines)
        # The mock cluster's transaction markers have no checksum, so they count as damaged.
        read = weir(cluster.address, "consume", topic, "--exit", "--skip-damaged").stdout.splitlines()
        assert sorted(read) == sorted(lines), f"wrote {len(lines)} records, read {len(read)}"
        cluster.push_errors(mock.END_TXN, mock.PRODUCER_FENCED)
        done = weir(cluster.address, "produce", topic, "--transactional-id", topic, lines=["x"], ok=False)
        assert done.returncode == 1 and "has taken over" in done.stderr, done.stderr


# Groups shared with librdkafka's consumer.


class Weir:
    """`weir consume` as a member of a group; remembers which records it was given."""

    def __init__(self, address, group, topic, assignor, *arguments):
        self.read = []
        self.process = subprocess.Popen(
            [os.environ["WEIR_BINARY"], "consume", topic, "--group", group, "--assignor", assignor, "--from-beginning",
             "--format", "json", "--bootstrap", address, *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self._reader = threading.Thread(target=self._follow, daemon=True)
        self._reader.start()

    def _follow(self):
        for line in self.process.stdout:
            record = json.loads(line)
            self.read.append((record["partition"], record["offset"]))

    def errors(self):
        return self.process.stderr.read()

    def wait_for(self, count):
        def has_read():
            assert self.process.poll() is None, f"weir consume ended: {self.errors()}"
            return len(self.read) >= count

        wait_until(lambda: f"{len(self.read)} of {count} read", has_read)

    def leave(self):
        self.process.terminate()
        self._reader.join()
        status = self.process.wait(timeout=10)
        assert status == 0, f"weir consume ended with {status}: {self.errors()}"

    def drop(self):
        self.process.kill()
        self._reader.join()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            self.leave()
        else:
            self.drop()


class Librdkafka:
    """confluent-kafka's consumer as a member of a group. It commits what it has read before it asks for more."""

    def __init__(self, address, group, topic, assignor):
        self.read = []
        self.failure = None
        self._isLeaving = threading.Event()
        self._consumer = Consumer({
            "bootstrap.servers": address, "group.id": group, "auto.offset.reset": "earliest",
            "partition.assignment.strategy": assignor, "enable.auto.commit": False,
            "session.timeout.ms": 10000, "heartbeat.interval.ms": 1000, "log_level": 2,
        })
        self._consumer.subscribe([topic])
        self._thread = threading.Thread(target=self._poll, daemon=True)
        self._thread.start()

    def _poll(self):
        try:
            while not self._isLeaving.is_set():
                messages = self._consumer.consume(100, 0.1)
                for message in messages:
                    if message.error():
                        raise RuntimeError(str(message.error()))
                    self.read.append((message.partition(), message.offset()))
                if messages:
                    self._commit(messages)
        except Exception as error:  # told by whoever waits
            self.failure = error
        finally:
            self._consumer.close()

    def _commit(self, messages):
        ends = {message.partition(): message.offset() + 1 for message in messages}
        offsets = [TopicPartition(messages[0].topic(), partition, end) for partition, end in ends.items()]
        deadline = time.monotonic() + 30
        while True:
            try:
                self._consumer.commit(offsets=offsets, asynchronous=False)
                return
            except KafkaException as error:
                # A rebalance that is going on does not touch what it has just been given.
                if error.args[0].name() not in PASSING or time.monotonic() > deadline:
                    raise
            time.sleep(0.05)

    def leave(self):
        self.drop()
        if self.failure:
            raise self.failure

    def drop(self):
        self._isLeaving.set()
        self._thread.join(30)


def expect_once(members, count):
    """Every record was given to one member, once: nothing missing, no partition owned twice."""
    read = [one for member in members for one in member.read]
    twice = sorted({one for one in read if read.count(one) > 1}) if len(set(read)) < len(read) else []
    assert len(set(read)) == count and not twice, (
        f"{len(set(read))} of {count} records, {len(twice)} of them more than once: {twice[:5]}, "
        f"by member {[len(member.read) for member in members]}")


def share(address, topic, assignor, plan):
    """Members join and leave as the plan says, a kind to join or the number of the member to leave."""
    group = fresh("g")
    producer = Producer({"bootstrap.servers": address, "log_level": 2})
    members, written = [], 0

    def write(count):
        nonlocal written
        for number in range(count):
            producer.produce(topic, f"{written + number}", partition=(written + number) % 6)
        assert producer.flush(20) == 0
        written += count

    def settle(what):
        """Until everything written is read, with the members as they are now, each reading its share."""
        before = {id(member): len(member.read) for member in members}
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline:
            write(6)
            time.sleep(0.1)
            if all(len(member.read) > before[id(member)] for member in present()):
                break
        wait_until(
            lambda: f"{what}: {sum(len(member.read) for member in members)} of {written} read",
            lambda: sum(len(member.read) for member in members) >= written)
        idle = [type(member).__name__ for member in present() if len(member.read) == before[id(member)]]
        assert not idle, f"{what}: {idle} got nothing"

    gone = set()

    def present():
        return [member for member in members if id(member) not in gone]

    def join(kind):
        members.append(kind(address, group, topic, assignor))
        settle(f"{kind.__name__} joined")

    def leave(member):
        gone.add(id(member))
        member.leave()
        settle(f"{type(member).__name__} left")

    try:
        for step in plan:
            if isinstance(step, int):
                leave(members[step])
            else:
                join(step)
    except BaseException:
        for member in present():
            member.drop()
        raise
    for member in present():
        member.leave()
    expect_once(members, written)


for assignor in ASSIGNORS:

    @check(CLIENT, f"group shared with librdkafka on weir's broker, {assignor}")
    def shared_on_weir(address, assignor=assignor):
        topic = fresh("t")
        # Kept in a variable: the request ends with its client.
        admin = AdminClient({"bootstrap.servers": address})
        admin.create_topics([NewTopic(topic, 6, 1)])[topic].result(10)
        share(address, topic, assignor, [Weir, Librdkafka, Weir, Librdkafka, 0, 1, Weir, 3])
