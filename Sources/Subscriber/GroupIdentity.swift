/// How a subscriber is known in its consumer group.
public enum GroupIdentity: Sendable, Equatable {
    /// As a static member, by the place that it has among the processes of its database (`MemberSlot`): one that takes a killed
    /// process's place goes on with its partitions at once. It leaves the group when it is shut down.
    case placeAtDatabase
    /// As a static member of this name (Kafka's `group.instance.id`), unique in the group. It does not leave the group when it
    /// is shut down: when it is back within the session timeout it goes on with the partitions it had.
    case named(String)
    /// As a dynamic member: a new one with each start. The partitions of one that was killed are waited for until its session
    /// ends.
    case dynamic
}
