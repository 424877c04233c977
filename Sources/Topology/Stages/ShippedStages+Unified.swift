extension ShippedStages {
    static let unified = Text(
        name: "unified",
        yaml: """
            stage: unified
            title: One cluster for all flows
            story: >-
              The three flows in one cluster, as different topics: one system to run, and the archive takes everything
              with one line. A second site reads a mirror of it; that part is declared and not run yet.
            publishers:
              - {name: cpu, kind: cpu, processes: 2}
              - {name: memory, kind: memory}
              - {name: disk, kind: disk}
              - {name: network, kind: network}
              - {name: application, kind: application}
              - {name: log, kind: log}
              - {name: activity, kind: activity}
            brokers:
              - name: cluster
              - name: second-site
            subscribers:
              - name: dashboard
              - name: alerting
              - name: archive
              - name: log-search
              - name: analytics
              - name: second-dashboard
            links:
              - {from: publishers, to: cluster}
              - {from: cluster, to: [dashboard, alerting]}
              - {from: cluster, to: archive, topics: '(metrics|logs|activity)\\.(?!rejected).*'}
              - {from: cluster, to: log-search, topics: 'logs\\..*'}
              - {from: cluster, to: analytics, topics: 'activity\\..*'}
              - {from: second-site, to: second-dashboard}
            mirrors:
              - {from: cluster, to: second-site}
            """)
}
