extension ShippedStages {
    static let pubSub = Text(
        name: "pubsub",
        yaml: """
            stage: pubsub
            title: One broker between them
            story: >-
              The same publishers and subscribers around one broker: a topic per kind, a consumer group per purpose.
              N + M connections; nobody knows anybody but the broker, which keeps what a subscriber has not read yet.
            publishers:
              - {name: cpu, kind: cpu, processes: 2}
              - {name: memory, kind: memory}
              - {name: disk, kind: disk}
              - {name: network, kind: network}
              - {name: application, kind: application}
            brokers:
              - name: broker
            subscribers:
              - name: dashboard
              - name: alerting
              - name: archive
            links:
              - {from: publishers, to: broker}
              - {from: broker, to: subscribers}
            """)
}
