import Fuzzing

FuzzProgram.run(
    [.gzip, .snappy, .lz4, .zstd, .batch, .compaction, .messageSet, .downConversion])
