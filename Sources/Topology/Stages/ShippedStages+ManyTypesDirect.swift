extension ShippedStages {
    static let manyTypesDirect = Text(
        name: "many-types-direct",
        yaml: """
            stage: many-types-direct
            title: Many kinds, one subscriber
            story: >-
              Memory, disks, the network and the application want to be seen too. Each kind brings a publisher with a
              connection of its own to the one subscriber.
            publishers:
              - {name: cpu, kind: cpu}
              - {name: memory, kind: memory}
              - {name: disk, kind: disk}
              - {name: network, kind: network}
              - {name: application, kind: application}
            subscribers:
              - name: dashboard
            links:
              - {from: publishers, to: dashboard}
            """)
}
