import NetPrimitives
import STUNCore
import TestSupport
import Testing

@Suite("ADDRESS-ERROR-CODE (RFC 8656 §18.12)")
struct AddressErrorCodeTests {
    @Test(
        "family, class, number and reason stand where the RFC puts them",
        arguments: [
            (IPAddress.Family.ipv4, ErrorCode.insufficientCapacity, [1, 0, 5, 8] as [UInt8]),
            (.ipv6, .addressFamilyNotSupported, [2, 0, 4, 40]),
        ]
    )
    func layout(family: IPAddress.Family, code: ErrorCode, head: [UInt8]) throws {
        let error = AddressErrorCode(family: family, code: code)
        let bytes = stunMessage(MessageType(.allocate, .success)) { $0.appendAddressErrorCode(error) }
        let reason = Array(code.reason.utf8)
        #expect(Array(bytes[20..<24]) == [0x80, 0x01, 0, UInt8(4 + reason.count)])
        #expect(Array(bytes[24..<28]) == head)
        #expect(Array(bytes[28..<28 + reason.count]) == reason)
        #expect(try MessageView(parsing: bytes.span.rawBytes).addressErrorCode == error)
    }

    @Test(
        "a family that does not exist, a class or number out of range, and a cut attribute are no error code",
        arguments: [
            [3, 0, 4, 40], [0, 0, 4, 40], [1, 0, 2, 40], [1, 0, 7, 40], [1, 0, 4, 100], [1, 0, 4], [],
        ] as [[UInt8]]
    )
    func malformed(value: [UInt8]) throws {
        let bytes = stunMessage(MessageType(.allocate, .success)) { builder in
            builder.append(.addressErrorCode, value.span.rawBytes)
        }
        #expect(try MessageView(parsing: bytes.span.rawBytes).addressErrorCode == nil)
    }

    @Test("every reason phrase has fewer than 128 characters and goes out as the UTF-8 that it is")
    func reasons() throws {
        for number in UInt16(300)..<700 {
            let code = ErrorCode(rawValue: number)
            #expect(code.reason.count < 128 && code.reason.utf8.count <= 509, "\(number)")
            let bytes = stunMessage(MessageType(.allocate, .error)) { builder in
                builder.appendErrorCode(code)
                builder.appendAddressErrorCode(AddressErrorCode(family: .ipv4, code: code))
            }
            let message = try MessageView(parsing: bytes.span.rawBytes)
            for type in [AttributeType.errorCode, .addressErrorCode] {
                guard let attribute = message.first(type) else {
                    Issue.record("no \(type) for \(number)")
                    continue
                }
                let value = message.value(of: attribute).copied()
                #expect(String(validating: value.dropFirst(4), as: UTF8.self) == code.reason, "\(number)")
            }
        }
    }
}
