"""Everything that confluent-kafka's AdminClient can ask; an older version has fewer calls and so fewer checks."""

import confluent_kafka
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewPartitions, NewTopic

from checks import check, fresh
from confluent_checks import CLIENT, consume, consumer, create, produce


def admin(address):
    return AdminClient({"bootstrap.servers": address})


def check_if(method, name):
    """A check of a call that this version may not have."""
    return check(CLIENT, f"admin: {name}") if hasattr(AdminClient, method) else lambda function: function


def refusal(future):
    """The error code that a call is refused with."""
    try:
        future.result(10)
    except confluent_kafka.KafkaException as refused:
        return refused.args[0].name()
    raise AssertionError("was not refused")


def group_with_offsets(address, name, count=10):
    """A group that has read `count` records and gone."""
    produce(address, name, count)
    one = consumer(address, f"group-{name}")
    one.subscribe([name])
    consume([one], count)
    one.commit(asynchronous=False)
    one.close()
    return f"group-{name}"


@check(CLIENT, "admin: create, list and delete topics")
def topics(address):
    client, name = admin(address), fresh("confluent")
    client.create_topics([NewTopic(name, 3, 1)], validate_only=True)[name].result(10)
    assert name not in client.list_topics(timeout=10).topics, "validate_only created it"
    client.create_topics([NewTopic(name, 3, 1, config={"retention.ms": "1000"})])[name].result(10)
    assert len(client.list_topics(timeout=10).topics[name].partitions) == 3
    assert refusal(client.create_topics([NewTopic(name, 3, 1)])[name]) == "TOPIC_ALREADY_EXISTS"
    assert refusal(client.create_topics([NewTopic("a/b", 1, 1)])["a/b"]) == "TOPIC_EXCEPTION"
    assert refusal(client.create_topics([NewTopic(name + "2", 1, 3)])[name + "2"]) == "INVALID_REPLICATION_FACTOR"
    client.delete_topics([name])[name].result(10)
    assert name not in client.list_topics(timeout=10).topics
    assert refusal(client.delete_topics([name])[name]) == "UNKNOWN_TOPIC_OR_PART"


@check(CLIENT, "admin: create partitions")
def partitions(address):
    client, name = admin(address), create(address, 1)
    client.create_partitions([NewPartitions(name, 4)])[name].result(10)
    assert len(client.list_topics(timeout=10).topics[name].partitions) == 4
    assert refusal(client.create_partitions([NewPartitions(name, 2)])[name]) == "INVALID_PARTITIONS"


@check(CLIENT, "admin: describe and alter configs")
def configs(address):
    client, name = admin(address), create(address, 1)
    resource = ConfigResource(ConfigResource.Type.TOPIC, name, set_config={"retention.ms": "12345"})
    client.alter_configs([resource])[resource].result(10)
    described = client.describe_configs([ConfigResource(ConfigResource.Type.TOPIC, name)])
    values = next(iter(described.values())).result(10)
    assert values["retention.ms"].value == "12345" and not values["retention.ms"].is_default, values["retention.ms"]
    assert values["segment.bytes"].is_default
    broker = client.describe_configs([ConfigResource(ConfigResource.Type.BROKER, "1")])
    assert next(iter(broker.values())).result(10), "the broker has no settings"
    wrong = ConfigResource(ConfigResource.Type.TOPIC, name, set_config={"retention.ms": "soon"})
    assert refusal(client.alter_configs([wrong])[wrong]) == "INVALID_CONFIG"


@check_if("incremental_alter_configs", "incremental alter configs")
def incremental_configs(address):
    from confluent_kafka.admin import AlterConfigOpType, ConfigEntry

    client, name = admin(address), create(address, 1)

    def alter(operation, key, value):
        resource = ConfigResource(
            ConfigResource.Type.TOPIC, name,
            incremental_configs=[ConfigEntry(key, value, incremental_operation=operation)])
        client.incremental_alter_configs([resource])[resource].result(10)

    def value(key):
        described = client.describe_configs([ConfigResource(ConfigResource.Type.TOPIC, name)])
        return next(iter(described.values())).result(10)[key].value

    alter(AlterConfigOpType.SET, "retention.ms", "777")
    alter(AlterConfigOpType.APPEND, "cleanup.policy", "compact")
    assert (value("retention.ms"), value("cleanup.policy")) == ("777", "delete,compact")
    alter(AlterConfigOpType.SUBTRACT, "cleanup.policy", "compact")
    alter(AlterConfigOpType.DELETE, "retention.ms", None)
    assert (value("retention.ms"), value("cleanup.policy")) == ("604800000", "delete")


@check(CLIENT, "admin: list groups, as they were called first")
def old_group_listing(address):
    name = create(address, 1)
    group = group_with_offsets(address, name)
    found = [one for one in admin(address).list_groups(timeout=10) if one.id == group]
    assert found and found[0].protocol_type == "consumer" and found[0].state == "Empty", found


@check_if("describe_consumer_groups", "list, describe and delete groups")
def groups(address):
    client, name = admin(address), create(address, 2)
    group = f"group-{name}"
    one = consumer(address, group, group_instance_id="instance")
    one.subscribe([name])
    produce(address, name, 10)
    consume([one], 10)
    assert group in [listed.group_id for listed in client.list_consumer_groups().result(10).valid]
    described = client.describe_consumer_groups([group])[group].result(10)
    assert described.state.name == "STABLE" and len(described.members) == 1, described
    member = described.members[0]
    assert len(member.assignment.topic_partitions) == 2 and member.group_instance_id == "instance", member
    assert refusal(client.delete_consumer_groups([group])[group]) == "NON_EMPTY_GROUP"
    one.close()
    gone = group_with_offsets(address, create(address, 1))
    client.delete_consumer_groups([gone])[gone].result(10)
    assert gone not in [listed.group_id for listed in client.list_consumer_groups().result(10).valid]
    assert refusal(client.delete_consumer_groups([gone])[gone]) == "GROUP_ID_NOT_FOUND"


@check_if("alter_consumer_group_offsets", "list and alter group offsets")
def group_offsets(address):
    from confluent_kafka import ConsumerGroupTopicPartitions

    client, name = admin(address), create(address, 1)
    group = group_with_offsets(address, name)

    def listed():
        result = client.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)])[group].result(10)
        return [(one.topic, one.partition, one.offset) for one in result.topic_partitions]

    assert listed() == [(name, 0, 10)], listed()
    change = ConsumerGroupTopicPartitions(group, [TopicPartition(name, 0, 4)])
    client.alter_consumer_group_offsets([change])[group].result(10)
    assert listed() == [(name, 0, 4)], listed()
    again = consumer(address, group)
    again.subscribe([name])
    consume([again], 6)
    again.close()


@check_if("describe_topics", "describe topics and the cluster")
def describe(address):
    from confluent_kafka import TopicCollection

    client, name = admin(address), create(address, 2)
    cluster = client.describe_cluster().result(10)
    assert [f"{node.host}:{node.port}" for node in cluster.nodes] == [address], cluster.nodes
    assert cluster.controller.id == cluster.nodes[0].id and cluster.cluster_id
    topic = client.describe_topics(TopicCollection([name]))[name].result(10)
    assert topic.name == name and len(topic.partitions) == 2 and not topic.is_internal, topic
    assert all(partition.leader.id == cluster.controller.id for partition in topic.partitions)
    assert refusal(client.describe_topics(TopicCollection(["nothing"]))["nothing"]) == "UNKNOWN_TOPIC_OR_PART"


@check_if("list_offsets", "list offsets: earliest, latest, by time, largest time")
def list_offsets(address):
    from confluent_kafka.admin import OffsetSpec

    client, name = admin(address), create(address, 1)
    producer = confluent_kafka.Producer({"bootstrap.servers": address})
    for number, seconds in enumerate([10, 30, 20]):
        producer.produce(name, value=str(number), timestamp=1_700_000_000_000 + seconds * 1000)
        producer.flush(10)
    partition = TopicPartition(name, 0)

    def ask(spec):
        return client.list_offsets({partition: spec})[partition].result(10)

    assert ask(OffsetSpec.earliest()).offset == 0
    assert ask(OffsetSpec.latest()).offset == 3
    assert ask(OffsetSpec.for_timestamp(1_700_000_015_000)).offset == 1
    largest = ask(OffsetSpec.max_timestamp())
    assert (largest.offset, largest.timestamp) == (1, 1_700_000_030_000), largest
    assert ask(OffsetSpec.for_timestamp(1_900_000_000_000)).offset == -1


@check_if("delete_records", "delete records")
def delete_records(address):
    client, name = admin(address), create(address, 1)
    produce(address, name, 10)
    deleted = client.delete_records([TopicPartition(name, 0, 7)])
    assert next(iter(deleted.values())).result(10).low_watermark == 7
    one = consumer(address, f"group-{name}")
    assert one.get_watermark_offsets(TopicPartition(name, 0), 10) == (7, 10)
    one.close()
    assert refusal(next(iter(client.delete_records([TopicPartition(name, 0, 99)]).values()))) == "OFFSET_OUT_OF_RANGE"


@check_if("elect_leaders", "elect leaders")
def elect_leaders(address):
    client, name = admin(address), create(address, 1)
    result = client.elect_leaders(
        confluent_kafka.ElectionType.PREFERRED, [TopicPartition(name, 0)]).result(10)
    assert set(result) == {TopicPartition(name, 0)}, result


@check_if("describe_acls", "describe access rules")
def describe_acls(address):
    from confluent_kafka.admin import (
        AclBindingFilter, AclOperation, AclPermissionType, ResourcePatternType, ResourceType)

    every = AclBindingFilter(
        ResourceType.ANY, None, ResourcePatternType.ANY, None, None, AclOperation.ANY, AclPermissionType.ANY)
    admin(address).describe_acls(every).result(5)


@check_if("describe_user_scram_credentials", "describe users' passwords")
def describe_users(address):
    admin(address).describe_user_scram_credentials().result(5)
