extension ShippedStages {
    static let multiPubSub = Text(
        name: "multi-pubsub",
        yaml: """
            stage: multi-pubsub
            title: A publish/subscribe system for each team
            story: >-
              Log events and user activity get systems of their own, as teams come to build them: three brokers to run,
              to watch and to upgrade, and a failure of one stays within one team.
            publishers:
              - {name: cpu, kind: cpu, processes: 2}
              - {name: memory, kind: memory}
              - {name: disk, kind: disk}
              - {name: network, kind: network}
              - {name: application, kind: application}
              - {name: log, kind: log}
              - {name: activity, kind: activity}
            brokers:
              - name: metrics-broker
              - name: logs-broker
              - name: activity-broker
            subscribers:
              - name: dashboard
              - name: alerting
              - name: archive
              - name: log-search
              - name: analytics
            links:
              - {from: [cpu, memory, disk, network, application], to: metrics-broker}
              - {from: metrics-broker, to: [dashboard, alerting, archive]}
              - {from: log, to: logs-broker}
              - {from: logs-broker, to: log-search, topics: 'logs\\..*'}
              - {from: activity, to: activity-broker}
              - {from: activity-broker, to: analytics, topics: 'activity\\..*'}
            """)
}
