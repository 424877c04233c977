import KafkaProtocol
import NIOCore
import RecordBatch

// Fetch (1): reads record batches, and waits for them.
//
// - Answers when `minBytes` are there, when a partition has an error, or after `maxWaitMs`.
// - Whole batches as they were produced: the first one may begin before the fetch offset, and one is sent even if it
//   is larger than all limits, so that a consumer always gets on.
// - Versions 0–1 get message sets of format 0, versions 2–3 of format 1: uncompressed, whole messages, without headers.
//   A first message larger than the limits is sent whole (Kafka cuts it off in versions 0–2). Batches compressed with
//   zstd are answered UNSUPPORTED_COMPRESSION_TYPE. Conversion runs on the thread pool.
// - No fetch sessions: every answer has session id 0, by which clients know to send all partitions each time
//   (KIP-227). A request for a session we cannot have is answered FETCH_SESSION_ID_NOT_FOUND.
// - Without transactions the last stable offset is the high watermark and no transaction is aborted.
// - What is in the page cache is read on the event loop, if it is not much; the rest on the thread pool.
// - While peers that do not read hold much memory, records are read for others only as it becomes free.
enum FetchHandler: RequestHandler {
    /// How long a fetch waits before it looks for memory again.
    private static let retryDelay = TimeAmount.milliseconds(20)

    static func handle(_ request: FetchRequest, _ exchange: Exchange<FetchResponse>) {
        guard request.sessionID == 0 else {
            return exchange.reply(FetchResponse(errorCode: .fetchSessionIDNotFound))
        }
        let limits = exchange.context.node.configuration.limits
        let plan = self.plan(request, exchange.context, limits)
        let findings = plan.evaluate(registering: nil)
        if request.maxWaitMs > limits.fetchWaitMilliseconds {
            exchange.context.node.counters.reached(.fetchWaitMilliseconds)
        }
        let patience = min(request.maxWaitMs, limits.fetchWaitMilliseconds)
        let mayWait = patience > 0 && !exchange.context.node.isStopping
        if mayWait && !plan.isEnough(findings) || !self.answer(plan, findings, exchange, mayWait: mayWait) {
            FetchWait(plan: plan, exchange: exchange).begin(patience: .milliseconds(Int64(patience)))
        }
    }

    private static func plan(_ request: FetchRequest, _ context: RequestContext, _ limits: BrokerLimits) -> FetchPlan {
        var items: [FetchPlan.Item] = []
        for topic in request.topics {
            let found = context.node.catalog.topic(topic.topic)
            for wanted in topic.partitions {
                items.append(
                    FetchPlan.Item(
                        topic: topic.topic, index: wanted.partition, partition: found?.partition(wanted.partition),
                        offset: Offset(wanted.fetchOffset), maximumBytes: Int(max(0, wanted.partitionMaxBytes)),
                        currentLeaderEpoch: wanted.currentLeaderEpoch))
            }
        }
        return FetchPlan(
            items: items, minimumBytes: Int(max(0, request.minBytes)),
            maximumBytes: min(Int(max(0, request.maxBytes)), limits.fetchResponseBytes),
            isBelowWish: Int(request.maxBytes) > limits.fetchResponseBytes,
            legacyFormat: LegacyFetch.format(ofVersion: context.apiVersion))
    }

    /// Reads what was found and answers. On the event loop of the exchange.
    ///
    /// - Returns: false if nothing was answered, because there is less than the client wants and it may wait.
    static func answer(
        _ plan: FetchPlan, _ findings: FetchPlan.Findings, _ exchange: Exchange<FetchResponse>, mayWait: Bool
    ) -> Bool {
        let node = exchange.context.node
        let isSmall = findings.estimatedBytes <= node.configuration.limits.eventLoopReadBytes
        if !isSmall { node.counters.reached(.eventLoopReadBytes) }
        guard isSmall, plan.legacyFormat == nil, node.hasRoomForAnswers,
            let answer = plan.answerFromMemory(to: findings)
        else {
            self.answerOnPool(plan, findings, exchange)
            return true
        }
        if mayWait && !answer.hasError && answer.byteCount < plan.minimumBytes { return false }
        plan.count(answer, findings, node.counters)
        exchange.reply(answer.response)
        return true
    }

    private static func answerOnPool(
        _ plan: FetchPlan, _ findings: FetchPlan.Findings, _ exchange: Exchange<FetchResponse>
    ) {
        let node = exchange.context.node
        node.onPool {
            guard node.hasRoomForAnswers || node.isStopping else {
                node.counters.reached(.answerBytes)
                exchange.context.eventLoop.scheduleTask(in: self.retryDelay) {
                    self.answerOnPool(plan, findings, exchange)
                }
                return
            }
            let answer = plan.answer(to: findings)
            plan.count(answer, findings, node.counters)
            exchange.reply(answer.response)
        }
    }
}
