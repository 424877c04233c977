import Fuzzing

@testable import BrokerFiles

extension FuzzTarget {
    /// The file of all topics.
    static let catalog = FuzzTarget("catalogue", maximumBytes: 256) { bytes in
        guard let file = try? CatalogFile(parsing: String(decoding: bytes, as: UTF8.self)) else { return }
        promise((try? CatalogFile(parsing: file.text)) == file, "the catalogue is read otherwise: \(file.text)")
    }
}
