extension ShippedStages {
    static let singleDirect = Text(
        name: "single-direct",
        yaml: """
            stage: single-direct
            title: One publisher, one subscriber
            story: >-
              Where everybody begins: one kind of metric, sent straight to the only one who wants it.
              Nothing could be simpler, and as long as it stays like this nothing is better.
            publishers:
              - {name: cpu, kind: cpu}
            subscribers:
              - name: dashboard
            links:
              - {from: cpu, to: dashboard}
            """)
}
