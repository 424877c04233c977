import KafkaProtocol
import Logging

/// What goes on beside reading during a generation: heartbeats, and an eye on the topics.
extension GroupMember {
    /// Tells the coordinator that the member lives; learns from it when the group rebalances. Until cancelled, or the
    /// membership is over.
    func sendHeartbeats(_ membership: Membership, end: OneShot<GenerationEnd>) async {
        var backoff = Backoff(cluster.configuration.retryBackoff)
        var pause = configuration.heartbeatInterval
        while !Task.isCancelled {
            do {
                try await Task.sleep(for: pause)
                try await requests.heartbeat(memberID: membership.memberID, generation: membership.generation)
                pause = configuration.heartbeatInterval
                backoff.reset()
            } catch let error as KafkaClientError {
                switch error.code {
                case .rebalanceInProgress:
                    // The session has to be kept alive until everything is given up.
                    pause = configuration.heartbeatInterval
                    end.complete(.success(.rebalance))
                case .illegalGeneration:
                    end.complete(.success(.thrownOut))
                    return
                case .unknownMemberID:
                    logger.info("group \(configuration.group): the coordinator gave us up; joining again")
                    forgetMember()
                    end.complete(.success(.thrownOut))
                    return
                default:
                    guard error.mayPass else {
                        end.complete(.failure(error))
                        return
                    }
                    pause = min(backoff.next(), configuration.heartbeatInterval)
                }
            } catch {
                return
            }
        }
    }

    /// Ends the generation when there are topics or partitions to be divided anew.
    ///
    /// That is the leader's business, since everybody looks for topics when joining. Another member speaks up only
    /// when it keeps seeing others than it joined with: then it had asked a broker that did not know them yet, or nobody leads,
    /// as in a group whose leader is a static member that came back unnoticed: it was told that it follows (KIP-814).
    func watchTopics(_ membership: Membership, end: OneShot<GenerationEnd>) async {
        var surprises = 0
        while !Task.isCancelled {
            do {
                try await Task.sleep(for: watchInterval(membership))
                let hasChanged = try await haveTopicsChanged(membership)
                surprises = hasChanged ? surprises + 1 : 0
                if surprises >= (membership.isLeader ? 1 : 3) {
                    end.complete(.success(.topicsChanged))
                    return
                }
            } catch is CancellationError {
                return
            } catch {
                // The cluster cannot be reached, or not now; it is asked again.
                logger.debug("group \(configuration.group): looking for topics: \(error)")
            }
        }
    }

    private func watchInterval(_ membership: Membership) -> Duration {
        if membership.selection.hasPattern { return configuration.topicRefresh }
        let isSomeMissing = membership.isLeader && membership.partitionCounts.values.contains(0)
        return isSomeMissing ? configuration.topicRefresh : cluster.configuration.metadataMaxAge
    }

    private func haveTopicsChanged(_ membership: Membership) async throws -> Bool {
        if try await topics(of: membership.selection) != membership.topics { return true }
        let known = membership.partitionCounts
        if !membership.selection.hasPattern { cluster.invalidateMetadata(of: known.keys) }
        let metadata = try await cluster.metadata(of: Set(known.keys))
        return known.contains { topic, count in metadata.partitionCount(of: topic) ?? 0 != count }
    }
}
