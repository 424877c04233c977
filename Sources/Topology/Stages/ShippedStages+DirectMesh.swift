extension ShippedStages {
    static let directMesh = Text(
        name: "direct-mesh",
        yaml: """
            stage: direct-mesh
            title: Every publisher to every subscriber
            story: >-
              Alerting and an archive want the same samples as the dashboard. Every publisher now knows every subscriber:
              N × M connections, and whoever adds a subscriber edits and restarts every publisher.
            publishers:
              - {name: cpu, kind: cpu, processes: 2}
              - {name: memory, kind: memory}
              - {name: disk, kind: disk}
              - {name: network, kind: network}
              - {name: application, kind: application}
            subscribers:
              - name: dashboard
              - name: alerting
              - name: archive
            links:
              - {from: publishers, to: subscribers}
            """)
}
