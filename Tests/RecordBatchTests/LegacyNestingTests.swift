import NIOCore
import Testing

@testable import RecordBatch

/// Offsets and times of messages inside compressed ones, as the drawing in LegacyMessage.swift tells them.
@Suite struct LegacyNestingTests {
    private func text(_ records: [Record]) -> [String] {
        records.map { "\($0.offset) \($0.timestamp) \($0.value.map { String(buffer: $0) } ?? "null")" }
    }

    private func message(_ value: String, format: Int8 = 1, offset: Int64, timestamp: Int64 = 1_000) -> ByteBuffer {
        LegacyMaking.message(format: format, offset: offset, timestamp: timestamp, value: ByteBuffer(string: value))
    }

    @Test func wrappersInsideWrappersCountFromTheOutermostOffset() throws {
        let inner = try LegacyMaking.wrapper(
            LegacyMaking.set([message("a", offset: 0), message("b", offset: 1)]), codec: .snappy, offset: 1)
        let outer = try LegacyMaking.wrapper(LegacyMaking.set([inner, message("c", offset: 2)]), offset: 102)
        let records = try LegacyMessageSet.records(in: outer)
        #expect(text(records) == ["100 1000 a", "101 1000 b", "102 1000 c"])
        let batch = try #require(try EncodedBatch.converting(messageSet: outer))
        #expect(text(try batch.records()) == ["0 1000 a", "1 1000 b", "2 1000 c"])
    }

    @Test func wrappersInsideWrappersOfFormat0KeepTheirOffsets() throws {
        let set = LegacyMaking.set([message("a", format: 0, offset: 7), message("b", format: 0, offset: 9)])
        let inner = try LegacyMaking.wrapper(set, codec: .gzip, format: 0, offset: 9)
        let outer = try LegacyMaking.wrapper(inner, codec: .snappy, format: 0, offset: 9)
        #expect(text(try LegacyMessageSet.records(in: outer)) == ["7 -1 a", "9 -1 b"])
    }

    @Test func tooManyWrappersInsideEachOtherAreRefused() throws {
        var set = message("a", offset: 0)
        for _ in 0..<LegacyMessageSet.maximumNesting { set = try LegacyMaking.wrapper(set) }
        #expect(try LegacyMessageSet.records(in: set).count == 1)
        set = try LegacyMaking.wrapper(set)
        #expect(throws: LegacyMessageError(position: 0, damage: .nestedTooDeep)) {
            try LegacyMessageSet.records(in: set)
        }
    }

    @Test func anAppendTimeHoldsForEverythingInside() throws {
        let appendTime = LegacyMessage.logAppendTimeBit
        let set = LegacyMaking.set([message("a", offset: 0, timestamp: 1), message("b", offset: 1, timestamp: 2)])
        let outer = try LegacyMaking.wrapper(set, offset: 1, attributes: appendTime, timestamp: 77)
        #expect(text(try LegacyMessageSet.records(in: outer)) == ["0 77 a", "1 77 b"])
        let deeper = try LegacyMaking.wrapper(
            try LegacyMaking.wrapper(set, offset: 1), offset: 1, attributes: appendTime, timestamp: 78)
        #expect(text(try LegacyMessageSet.records(in: deeper)) == ["0 78 a", "1 78 b"])
        // Without the bit, the wrapper's own timestamp means nothing.
        let plain = try LegacyMaking.wrapper(set, offset: 1, timestamp: 77)
        #expect(text(try LegacyMessageSet.records(in: plain)) == ["0 1 a", "1 2 b"])
    }

    @Test func aProducersOffsetsStandAsTheyAre() throws {
        // Its wrapper's offset is smaller than the last one inside.
        let set = LegacyMaking.set([message("a", offset: 0), message("b", offset: 1)])
        #expect(text(try LegacyMessageSet.records(in: try LegacyMaking.wrapper(set))) == ["0 1000 a", "1 1000 b"])
    }

    @Test func absurdOffsetsAreAnErrorOrTaken() throws {
        let backwards = LegacyMaking.set([message("a", offset: .max), message("b", offset: 0)])
        #expect(throws: LegacyMessageError(position: 0, damage: .offsetOverflow)) {
            try LegacyMessageSet.records(in: try LegacyMaking.wrapper(backwards, offset: 1))
        }
        let lowest = LegacyMaking.set([message("a", offset: 0), message("b", offset: .min)])
        #expect(try LegacyMessageSet.records(in: try LegacyMaking.wrapper(lowest, offset: .max)).count == 2)
        #expect(try EncodedBatch.converting(messageSet: backwards)?.header.recordCount == 2)
    }

    @Test func whatAWrapperMustNotHoldIsRefused() throws {
        func damage(_ set: ByteBuffer) -> LegacyMessageDamage? {
            do throws(LegacyMessageError) {
                _ = try LegacyMessageSet.records(in: set)
                return nil
            } catch {
                return error.damage
            }
        }
        #expect(damage(try LegacyMaking.wrapper(message("a", format: 0, offset: 0))) == .mixedFormats)
        #expect(damage(try LegacyMaking.wrapper(ByteBuffer())) == .emptyWrapper)
        #expect(damage(LegacyMaking.message(attributes: 1, value: nil)) == .wrapperWithoutValue)
        #expect(damage(try LegacyMaking.wrapper(message("a", offset: 0), codec: .zstd)) == .unsupportedCompression(4))
        #expect(damage(LegacyMaking.message(attributes: 7, value: ByteBuffer())) == .unsupportedCompression(7))
        var half = message("a", offset: 0)
        half.moveWriterIndex(to: half.writerIndex - 1)
        #expect(damage(try LegacyMaking.wrapper(half)) == .truncated(needed: 35, available: 34))
        let batch = BatchMaking.batch(records: [1, 2, 3])
        #expect(damage(try LegacyMaking.wrapper(batch)) == .unsupportedMagic(2))
    }

    @Test func anEmptySetIsNoBatch() throws {
        #expect(try EncodedBatch.converting(messageSet: ByteBuffer()) == nil)
        #expect(try LegacyMessageSet.records(in: ByteBuffer()).isEmpty)
        #expect(LegacyMessageSet.magic(of: ByteBuffer(repeating: 0, count: 16)) == nil)
    }

    @Test func theErrorSaysWhere() throws {
        let good = message("good", offset: 0)
        var bad = try LegacyMaking.wrapper(message("bad", offset: 0))
        bad.setInteger(0xFF as UInt8, at: bad.writerIndex - 1)
        do throws(LegacyMessageError) {
            _ = try LegacyMessageSet.records(in: LegacyMaking.set([good, bad]))
            Issue.record("a damaged message was read")
        } catch {
            #expect(error.position == good.readableBytes)
            #expect("\(error)".hasPrefix("message at byte \(good.readableBytes) of the message set: it is corrupt"))
        }
    }
}
