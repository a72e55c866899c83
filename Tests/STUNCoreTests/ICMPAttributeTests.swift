import NetPrimitives
import STUNCore
import TestSupport
import Testing

@Suite("The ICMP attribute")
struct ICMPAttributeTests {
    @Test("has sixteen reserved bits, seven of type, nine of code and four bytes of error data (RFC 8656 §18.13)")
    func layout() throws {
        let bytes = stunMessage(MessageType(.data, .indication)) { builder in
            builder.appendICMP(ICMPAttribute(type: 3, code: 4, errorData: 1400))
        }
        #expect(Array(bytes[20...]) == [0x80, 0x04, 0, 8, 0, 0, 0x06, 0x04, 0, 0, 0x05, 0x78])
        var reserved = bytes
        reserved[24] = 0xFF
        #expect(try MessageView(parsing: reserved.span.rawBytes).icmp?.code == 4)
    }

    @Test("every type and code comes back as it was written, and those without room lose their upper bits")
    func roundTrip() throws {
        for type in UInt8(0)..<128 {
            for code: UInt16 in [0, 1, 255, 256, 511] {
                let icmp = ICMPAttribute(type: type, code: code, errorData: UInt32(type) << 24 | UInt32(code))
                let bytes = stunMessage(MessageType(.data, .indication)) { $0.appendICMP(icmp) }
                #expect(try MessageView(parsing: bytes.span.rawBytes).icmp == icmp)
            }
        }
        #expect(ICMPAttribute(type: 0x83, code: 0x3FF) == ICMPAttribute(type: 3, code: 0x1FF))
    }

    @Test("of another length than eight bytes it is none")
    func malformed() throws {
        for length in [0, 4, 7, 9, 12] {
            let value = [UInt8](repeating: 1, count: length)
            let bytes = stunMessage(MessageType(.data, .indication)) { $0.append(.icmp, value.span.rawBytes) }
            #expect(try MessageView(parsing: bytes.span.rawBytes).icmp == nil, "\(length)")
        }
    }
}
